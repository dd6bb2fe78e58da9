"""The pydantic twin of `params.yaml`: every number a person may change, one frozen class a section."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
BlockSize = Annotated[int, Field(ge=1, le=64)]


class Section(BaseModel):
    """A section of `params.yaml`: unknown keys are refused and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Augmentation(Section):
    """Reverberation, channel and noise, each utterance by its own seed."""

    reverberation_probability: Probability = 0.5
    channel_probability: Probability = 0.5
    snr_db_min: float = 10.0
    snr_db_max: float = 30.0
    noise_floor_db: float = -45.0  # under the speech level: digital silence breaks normalisation

    @model_validator(mode="after")
    def _ordered(self) -> "Augmentation":
        if self.snr_db_min > self.snr_db_max:
            raise ValueError(f"snr_db_min={self.snr_db_min} must not exceed snr_db_max={self.snr_db_max}")
        return self


class Corpus(Section):
    """Where speech comes from."""

    kind: Literal["synthetic", "timit", "kaldi"] = "synthetic"
    path: str = ""  # timit, kaldi: the user's folder
    seed: int = 1
    train_speakers: PositiveInt = 462  # synthetic: sizes are TIMIT's by default
    dev_speakers: PositiveInt = 50
    test_speakers: PositiveInt = 24
    utterances_per_speaker: PositiveInt = 8
    augmentation: Augmentation = Augmentation()
    alignment_model: str = ""  # kaldi without times: an acoustic model to force-align with; empty: CTC only


class Features(Section):
    """From 16 kHz samples to the vectors that the network sees."""

    kind: Literal["logmel", "ernn153"] = "logmel"
    window_ms: PositiveFloat = 25.0
    shift_ms: PositiveFloat = 10.0
    mels: PositiveInt = 40  # logmel only; ernn153 is 50 log-mel + energy with first and second differences
    stack: PositiveInt = 2  # neighbouring frames in one vector
    skip: PositiveInt = 2  # one vector every `skip` frames
    normalise: Literal["speaker", "global"] = "speaker"
    shards: PositiveInt = 2


class Network(Section):
    """One acoustic model: stacked recurrent layers and an output layer over the phones."""

    cell: Literal["lstm", "gru"] = "lstm"
    layers: PositiveInt = 2
    cells: PositiveInt = 128
    projection: Annotated[int, Field(ge=0)] = 0  # outputs of the LSTM projection; 0 = none
    peepholes: bool = False

    @model_validator(mode="after")
    def _expressible(self) -> "Network":
        if self.cell == "gru" and (self.projection or self.peepholes):
            raise ValueError("cell=gru has neither projection nor peepholes; set projection: 0 and peepholes: false")
        if self.projection >= self.cells and self.projection:
            raise ValueError(f"projection={self.projection} must be smaller than cells={self.cells}; 0 means none")
        return self


class Training(Section):
    """Optimisation; the sums of epochs are what makes methods comparable."""

    criterion: Literal["frames", "ctc"] = "frames"
    epochs: PositiveInt = 8
    batch_utterances: PositiveInt = 16
    learning_rate: PositiveFloat = 2e-3
    gradient_clip: PositiveFloat = 1.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    seed: int = 1
    threads: Annotated[int, Field(ge=0)] = 0  # torch threads; 0 = one a core
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Scoring(Section):
    """Viterbi decoding with a phone bigram, and phone error rates."""

    prior_scale: Annotated[float, Field(ge=0)] = 0.6
    bigram_scale: PositiveFloat = 1.0
    insertion_penalty: float = 0.0
    bootstrap_samples: PositiveInt = 1000


class BlockSizes(Section):
    """Block size of each kind of matrix in one layer; 1 keeps the matrix dense."""

    input: BlockSize = 1
    recurrent: BlockSize = 1
    projection: BlockSize = 1
