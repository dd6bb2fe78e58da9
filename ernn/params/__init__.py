"""The pydantic twin of `params.yaml`: every number a person may change, one frozen class a section."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ernn import artifacts
from ernn.errors import UserError
from ernn.params import methods
from ernn.params.hardware import AcceleratorSpec, Hardware, Simulation, Synthesis
from ernn.params.section import Section

VERSION = 1  # of the file: it changes when an old file would be misread or refused
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Width = Annotated[int, Field(ge=4, le=18)]  # bits
BlockSize = Annotated[int, Field(ge=1, le=64)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Decibel = Annotated[float, Field(ge=-200, le=200)]
Milliseconds = Annotated[float, Field(ge=1 / 16)]  # one sample at 16 kHz


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


LABELS = {"sp": "sil", "spn": "sil", "nsn": "sil", "<eps>": "q"}  # what Kaldi's recipes write beside phones


class Corpus(Section):
    """Where speech comes from."""

    kind: Literal["synthetic", "timit", "kaldi"] = "synthetic"
    path: str = ""  # timit, kaldi: the user's folder; synthetic: a folder to keep the audio in, in TIMIT's layout
    seed: Seed = 1
    train_speakers: PositiveInt = 462  # synthetic: sizes are TIMIT's by default
    dev_speakers: PositiveInt = 50
    test_speakers: PositiveInt = 24
    utterances_per_speaker: PositiveInt = 8
    augmentation: Augmentation = Augmentation()  # synthetic only
    workers: Annotated[int, Field(ge=0)] = 0  # processes that read or synthesise; 0 = one a core; bytes stay the same
    alignment_model: str = ""  # kaldi without times: an acoustic model to force-align with; empty: CTC only
    labels: dict[str, str] = LABELS  # timit, kaldi: label -> the phone that is read in its place; `q` leaves it out
    overlap_ms: Annotated[float, Field(ge=0)] = 0.0  # timit, kaldi: a label that begins so early cuts the one before

    @model_serializer(mode="wrap")
    def _older(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later and says nothing: digests of earlier runs stay."""
        later = {"labels": LABELS, "overlap_ms": 0.0}
        return {key: value for key, value in handler(self).items() if key not in later or value != later[key]}


class Features(Section):
    """From 16 kHz samples to the vectors that the network sees."""

    kind: Literal["logmel", "ernn153"] = "logmel"
    window_ms: Milliseconds = 25.0
    shift_ms: Milliseconds = 10.0
    mels: PositiveInt = 40  # logmel only; ernn153 is 50 log-mel + energy with first and second differences
    stack: PositiveInt = 2  # neighbouring frames in one vector
    skip: PositiveInt = 2  # one vector every `skip` frames
    normalise: Literal["speaker", "global"] = "speaker"
    shards: PositiveInt = 2

    @model_validator(mode="after")
    def _gapless(self) -> "Features":
        if self.shift_ms > self.window_ms:
            raise ValueError(
                f"shift_ms={self.shift_ms:g} must not exceed window_ms={self.window_ms:g}: "
                "no window would see the audio between"
            )
        return self


class Network(Section):
    """One acoustic model: stacked recurrent layers and an output layer over the phones."""

    cell: Literal["lstm", "gru"] = "lstm"
    layers: PositiveInt = 2
    cells: PositiveInt = 128
    projection: Annotated[int, Field(ge=0)] = 0  # outputs of the LSTM projection; 0 = none
    peepholes: bool = False
    reset: Literal["before", "after"] = "before"  # gru: r acts before or after the candidate's recurrent product

    @model_validator(mode="after")
    def _expressible(self) -> "Network":
        if self.cell == "gru" and (self.projection or self.peepholes):
            raise ValueError("cell=gru has neither projection nor peepholes; set projection: 0 and peepholes: false")
        if self.cell == "lstm" and self.reset != "before":
            raise ValueError("cell=lstm has no reset gate; leave reset out")
        if self.projection >= self.cells and self.projection:
            raise ValueError(f"projection={self.projection} must be smaller than cells={self.cells}; 0 means none")
        return self


class Training(Section):
    """Optimisation; the sums of epochs are what makes methods comparable."""

    criterion: Literal["frames", "ctc"] = "frames"
    epochs: PositiveInt = 8
    batch_utterances: PositiveInt = 32
    learning_rate: PositiveFloat = 7e-3
    gradient_clip: PositiveFloat = 1.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    seed: Seed = 1
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


class Admm(Section):
    """The pull of the dense weights towards the circulant set (E-RNN, arXiv:1812.07106).

    rho is given times the learning rate: the share of the distance |W - Z + U| that one step closes is
    rho / (1 + rho), whatever the size of the network and whatever Adam makes of the loss gradient.
    """

    rho_start: PositiveFloat = 0.003
    rho_end: PositiveFloat = 0.3  # reached geometrically over the ADMM epochs
    updates_per_epoch: PositiveInt = 4  # of Z, U and rho
    tolerance: PositiveFloat = 0.02  # of the primal residual |W - Z| / |W| of every matrix

    @model_validator(mode="after")
    def _growing(self) -> "Admm":
        if self.rho_end < self.rho_start:
            raise ValueError(f"rho_end={self.rho_end} must not be below rho_start={self.rho_start}")
        return self


class Compression(Section):
    """How the epochs of `training` are divided when a network is compressed."""

    dense_share: Fraction = 0.125  # of training.epochs: admm and prune start from the dense network of that epoch
    finetune_share: Fraction = 0.6  # of training.epochs: inside the circulant (or pruned) set, at the end
    admm: Admm = Admm()
    # Processing elements that get equally many non-zeros (ESE, arXiv:1612.00694): row r belongs to element r mod
    # pruning_elements; `rows`: every row is an element by itself, for engines with a row in each lane.
    pruning_elements: PositiveInt | Literal["rows"] = "rows"

    @model_validator(mode="after")
    def _divisible(self) -> "Compression":
        if self.dense_share + self.finetune_share >= 1:
            raise ValueError(
                f"dense_share={self.dense_share} + finetune_share={self.finetune_share} must stay below 1: "
                "the rest of the epochs is for the compression itself"
            )
        return self


class Design(Section):
    """One compressed network of the comparison."""

    network: str
    method: Annotated[str, AfterValidator(methods.known)] = methods.STANDARD
    block_size: BlockSize | BlockSizes | tuple[BlockSizes, ...] = 1  # for all; by kind of matrix; by layer
    pruning_ratio: Annotated[float, Field(ge=1)] = 1.0  # prune: weights before / non-zero weights after

    def blocks(self, layers: int) -> tuple[BlockSizes, ...]:
        """Block sizes layer by layer.

        Raises:
            UserError: the list is not as long as the network is deep.
        """
        if isinstance(self.block_size, int):
            k = self.block_size
            return (BlockSizes(input=k, recurrent=k, projection=k),) * layers
        if isinstance(self.block_size, BlockSizes):
            return (self.block_size,) * layers
        if len(self.block_size) != layers:
            raise UserError(
                f"block_size has {len(self.block_size)} entries; network {self.network} has {layers} layers: "
                "give one entry a layer, or a single one for all"
            )
        return self.block_size

    @model_validator(mode="after")
    def _consistent(self) -> "Design":
        prunes = not methods.METHODS[self.method].blocks
        if prunes and self.block_size != 1:
            raise ValueError(f"method=prune needs block_size: 1, got {self.block_size}; a pruned matrix has no blocks")
        if prunes != (self.pruning_ratio > 1):
            raise ValueError(
                f"method={self.method} with pruning_ratio={self.pruning_ratio}: above 1 for prune and only there"
            )
        return self


class Quantization(Section):
    """How float networks become integer ones: what all programs share."""

    rule: Literal["minmax", "percentile", "least_squares"] = "least_squares"  # from ranges to binary points
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99  # rule: percentile only
    calibration_utterances: PositiveInt = 64  # of the train split
    segments: Annotated[int, Field(ge=1, le=256)] = 32  # of a table of sigma or tanh, at most
    shared_table: bool = False  # tanh(a) = 2 sigma(2a) - 1 instead of a table of its own
    budget_points: PositiveFloat = 0.1  # of PER that an integer network may lose against its float one
    finetune_epochs: Annotated[int, Field(ge=0)] = 2  # with rounding, for programs that lose more than the budget
    finetune_learning_rate: PositiveFloat = 5e-4
    search_utterances: PositiveInt = 192  # of the dev split: what widths are chosen by


class Bits(Section):
    """Widths of the tensor groups of an integer network."""

    weights: Width = 12
    activations: Width = 12  # features, outputs of layers and of gates
    accumulators: Width = 12  # pre-activations, logits, biases, sums of spectra
    cell: Width = 12


class ProgramSpec(Section):
    """How an integer network is made: from which design, in which arithmetic and widths; an entry of `programs`."""

    design: str
    transform: Literal["exact", "fourier"] = "exact"
    complex_products: Literal[3, 4] = 4  # real multiplications of a complex one; fourier only
    bits: Bits = Bits()
    search: bool = False  # for the smallest widths within quantization.budget_points; `bits` is where it starts


class Parameters(Section):
    """The whole of `params.yaml`."""

    version: Literal[1]
    corpus: Corpus
    features: Features
    training: Training
    scoring: Scoring
    compression: Compression
    quantization: Quantization
    networks: dict[str, Network]
    designs: dict[str, Design]
    programs: dict[str, ProgramSpec]
    hardware: Hardware
    simulation: Simulation
    synthesis: Synthesis = Synthesis()
    accelerators: dict[str, AcceleratorSpec]

    @model_validator(mode="after")
    def _linked(self) -> "Parameters":
        for name, design in self.designs.items():
            if design.network not in self.networks:
                raise ValueError(
                    f"designs.{name}.network={design.network} must be one of networks: {', '.join(self.networks)}"
                )
            design.blocks(self.networks[design.network].layers)
        for name, program in self.programs.items():
            if program.design not in self.designs:
                raise ValueError(
                    f"programs.{name}.design={program.design} must be one of designs: {', '.join(self.designs)}"
                )
        for name, accelerator in self.accelerators.items():
            if accelerator.program not in self.programs:
                raise ValueError(
                    f"accelerators.{name}.program={accelerator.program} must be one of programs: "
                    f"{', '.join(self.programs)}"
                )
        return self


def read(path: Path) -> dict[str, Any]:
    """The values of `params.yaml`, or of a preset, as they are written there.

    Raises:
        UserError: no such file, no mapping in it, or one of another version.
    """
    values = artifacts.read_yaml(path)
    cure = f"carry your values over to files of this ernn, which begin with `version: {VERSION}`"
    artifacts.check_version(path, "parameters", values.get("version"), VERSION, cure)
    return values
