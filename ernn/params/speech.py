"""The sections `corpus` and `features`: where speech comes from, and the vectors that the network sees."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from ernn.params.section import Count, Integer, Probability, Processes, Real, Section, Seed, Text

Decibel = Annotated[Real, Field(ge=-200, le=200)]
Milliseconds = Annotated[Real, Field(ge=1 / 16, le=1000)]  # from one sample at 16 kHz on
Frames = Annotated[Integer, Field(gt=0, le=64)]
Mels = Annotated[Integer, Field(gt=0, le=1024)]


class Augmentation(Section):
    """Reverberation, channel and noise, each utterance by its own seed."""

    reverberation_probability: Probability = 0.5
    channel_probability: Probability = 0.5
    snr_db_min: Decibel = 10.0
    snr_db_max: Decibel = 30.0
    noise_floor_db: Decibel = -45.0  # under the speech level: digital silence breaks normalisation

    @model_validator(mode="after")
    def _ordered(self) -> "Augmentation":
        if self.snr_db_min > self.snr_db_max:
            raise ValueError(f"snr_db_min={self.snr_db_min} must not exceed snr_db_max={self.snr_db_max}")
        return self


LABELS = {"sp": "sil", "spn": "sil", "nsn": "sil", "<eps>": "q"}  # labels of Kaldi's recipes that are no phones


class Corpus(Section):
    """Where speech comes from."""

    kind: Literal["synthetic", "timit", "kaldi"] = "synthetic"
    path: Text = ""  # timit, kaldi: the user's folder; synthetic: a folder to keep the audio in, in TIMIT's layout
    seed: Seed = 1
    train_speakers: Count = 462  # synthetic: sizes are TIMIT's by default
    dev_speakers: Count = 50
    test_speakers: Count = 24
    utterances_per_speaker: Annotated[Integer, Field(gt=0, le=1000)] = 8
    augmentation: Augmentation = Augmentation()  # synthetic only
    workers: Processes = 0  # that read or synthesise; 0 = one a core; bytes stay the same
    alignment_model: Text = ""  # kaldi without times: an acoustic model to force-align with; empty: CTC only
    labels: dict[Text, Text] = LABELS  # timit, kaldi: label -> the phone that is read in its place; `q` leaves it out
    overlap_ms: Annotated[Real, Field(ge=0, le=1000)] = 0.0  # timit, kaldi: a label so early cuts the one before

    @model_validator(mode="after")
    def _found(self) -> "Corpus":
        if self.kind != "synthetic" and not self.path:
            raise ValueError(
                f"kind={self.kind} reads your own folder, and path is empty; set it, for TIMIT as in "
                "`make run PRESET=paper TIMIT=/folder`"
            )
        return self

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: digests of earlier runs stay."""
        later = {"labels": LABELS, "overlap_ms": 0.0}
        return {key: value for key, value in handler(self).items() if key not in later or value != later[key]}


class Features(Section):
    """From 16 kHz samples to the vectors that the network sees."""

    kind: Literal["logmel", "ernn153", "given"] = "logmel"  # given: vectors of your own, in a Kaldi folder
    window_ms: Milliseconds = 25.0
    shift_ms: Milliseconds = 10.0
    dimension: Annotated[Integer, Field(ge=0, le=16_384)] = 0  # given only: numbers of a vector
    mels: Mels = 40  # logmel only; ernn153 is 50 log-mel + energy with first and second differences
    stack: Frames = 2  # neighbouring ones in one vector
    skip: Frames = 2  # one vector every `skip` frames
    normalise: Literal["speaker", "global"] = "speaker"
    shards: Annotated[Integer, Field(gt=0, le=10_000)] = 2

    @property
    def stacked(self) -> int:
        """Numbers of a vector that a network sees, stacking included."""
        return self.stack * {"logmel": self.mels, "ernn153": 153, "given": self.dimension}[self.kind]

    @model_validator(mode="after")
    def _gapless(self) -> "Features":
        if self.shift_ms > self.window_ms:
            raise ValueError(
                f"shift_ms={self.shift_ms:g} must not exceed window_ms={self.window_ms:g}: "
                "no window would see the audio between"
            )
        return self

    @model_validator(mode="after")
    def _measured(self) -> "Features":
        if (self.kind == "given") != (self.dimension > 0):
            raise ValueError(
                f"kind={self.kind}, dimension={self.dimension}: vectors of your own (kind: given) have a dimension "
                "above 0, and those that are made here have none"
            )
        return self

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: digests of earlier runs stay."""
        return {key: value for key, value in handler(self).items() if key != "dimension" or value}
