"""The pydantic twin of `params.yaml`: every number a person may change, one frozen class a section."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)

from ernn import artifacts
from ernn.devices import limits
from ernn.errors import NO_SUCH_KEY, UserError, complaints
from ernn.params import methods, names
from ernn.params.hardware import AcceleratorSpec, Hardware, Simulation, Synthesis
from ernn.params.names import Name
from ernn.params.section import (
    CHOICE,
    Count,
    Epochs,
    Flag,
    Fraction,
    Integer,
    LearningRate,
    Probability,
    Processes,
    Real,
    Section,
    Seed,
    Text,
)

VERSION = 1  # of the file: it changes when an old file would be misread or refused
LARGEST_BLOCK = max(limits.BLOCK_SIZES)
Width = Annotated[Integer, Field(ge=limits.BITS[0], le=limits.BITS[1])]  # bits
BlockSize = Annotated[Integer, Field(ge=1, le=LARGEST_BLOCK)]
Decibel = Annotated[Real, Field(ge=-200, le=200)]
Milliseconds = Annotated[Real, Field(ge=1 / 16, le=1000)]  # from one sample at 16 kHz on
Frames = Annotated[Integer, Field(gt=0, le=64)]
Mels = Annotated[Integer, Field(gt=0, le=1024)]
Cells = Annotated[Integer, Field(gt=0, le=16_384)]
Points = Annotated[Real, Field(gt=0, le=100)]
Rho = Annotated[Real, Field(gt=0, le=1e6)]


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

    kind: Literal["logmel", "ernn153"] = "logmel"
    window_ms: Milliseconds = 25.0
    shift_ms: Milliseconds = 10.0
    mels: Mels = 40  # logmel only; ernn153 is 50 log-mel + energy with first and second differences
    stack: Frames = 2  # neighbouring ones in one vector
    skip: Frames = 2  # one vector every `skip` frames
    normalise: Literal["speaker", "global"] = "speaker"
    shards: Annotated[Integer, Field(gt=0, le=10_000)] = 2

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
    layers: Annotated[Integer, Field(gt=0, le=64)] = 2
    cells: Cells = 128
    projection: Annotated[Integer, Field(ge=0, le=16_384)] = 0  # outputs of the LSTM projection; 0 = none
    peepholes: Flag = False
    reset: Literal["before", "after"] = "before"  # gru: r acts before or after the candidate's recurrent product

    @property
    def outputs(self) -> int:
        """Elements of a layer's y."""
        return self.projection or self.cells

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
    epochs: Annotated[Epochs, Field(gt=0)] = 8
    batch_utterances: Annotated[Integer, Field(gt=0, le=100_000)] = 32
    learning_rate: LearningRate = 7e-3
    gradient_clip: Annotated[Real, Field(gt=0, le=1e6)] = 1.0
    dropout: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    seed: Seed = 1
    threads: Processes = 0  # torch threads; 0 = one a core
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Scoring(Section):
    """Viterbi decoding with a phone bigram, and phone error rates.

    Scales and penalty are those of networks that were trained by frames. Each dense CTC network chooses its own.
    """

    prior_scale: Annotated[Real, Field(ge=0, le=100)] = 0.6
    bigram_scale: Annotated[Real, Field(gt=0, le=100)] = 1.0
    insertion_penalty: Annotated[Real, Field(ge=-1000, le=1000)] = 0.0
    bootstrap_samples: Annotated[Integer, Field(gt=0, le=100_000)] = 1000


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

    rho_start: Rho = 0.003
    rho_end: Rho = 0.3  # reached geometrically over the ADMM epochs
    updates_per_epoch: Annotated[Integer, Field(gt=0, le=10_000)] = 4  # of Z, U and rho
    tolerance: Annotated[Real, Field(gt=0, le=1)] = 0.02  # of the primal residual |W - Z| / |W| of every matrix

    @model_validator(mode="after")
    def _growing(self) -> "Admm":
        if self.rho_end < self.rho_start:
            raise ValueError(f"rho_end={self.rho_end} must not be below rho_start={self.rho_start}")
        return self


def _elements(given: object) -> str:
    return "(rows)" if isinstance(given, str) else "(number)"


class Compression(Section):
    """How the epochs of `training` are divided when a network is compressed."""

    dense_share: Fraction = 0.125  # of training.epochs: admm and prune start from the dense network of that epoch
    finetune_share: Fraction = 0.6  # of training.epochs: inside the circulant (or pruned) set, at the end
    admm: Admm = Admm()
    # Processing elements that get equally many non-zeros (ESE, arXiv:1612.00694): row r belongs to element r mod
    # pruning_elements; `rows`: every row is an element by itself, for engines with a row in each lane.
    pruning_elements: Annotated[
        Annotated[Cells, Tag("(number)")] | Annotated[Literal["rows"], Tag("(rows)")], Discriminator(_elements)
    ] = "rows"

    @model_validator(mode="after")
    def _divisible(self) -> "Compression":
        if self.dense_share + self.finetune_share >= 1:
            raise ValueError(
                f"dense_share={self.dense_share} + finetune_share={self.finetune_share} must stay below 1: "
                "the rest of the epochs is for the compression itself"
            )
        return self


def _detail(given: object) -> str:
    if isinstance(given, Mapping | BlockSizes):
        return "(kinds)"
    return "(layers)" if isinstance(given, list | tuple) else "(all)"


class Design(Section):
    """One compressed network of the comparison."""

    network: Text
    method: Annotated[Text, AfterValidator(methods.known)] = methods.STANDARD
    block_size: Annotated[  # for all; by kind of matrix; by layer
        Annotated[BlockSize, Tag("(all)")]
        | Annotated[BlockSizes, Tag("(kinds)")]
        | Annotated[tuple[BlockSizes, ...], Tag("(layers)")],
        Discriminator(_detail),
    ] = 1
    pruning_ratio: Annotated[Real, Field(ge=1, le=10_000)] = 1.0  # prune: weights before / non-zero weights after

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
    percentile: Annotated[Real, Field(gt=50, le=100)] = 99.99  # rule: percentile only
    calibration_utterances: Count = 64  # of the train split, spread over speakers
    segments: Annotated[Integer, Field(ge=1, le=256)] = 32  # of a table of sigma or tanh, at most
    shared_table: Flag = False  # tanh(a) = 2 sigma(2a) - 1 instead of a table of its own
    budget_points: Points = 0.1  # of PER that an integer network may lose against its float one
    finetune_epochs: Epochs = 2  # with rounding, for programs that lose more than the budget
    finetune_learning_rate: LearningRate = 5e-4
    search_utterances: Count = 192  # of the dev split, spread over speakers: what widths are chosen by


class Bits(Section):
    """Widths of the tensor groups of an integer network."""

    weights: Width = 12
    activations: Width = 12  # features, outputs of layers and of gates
    accumulators: Width = 12  # pre-activations, logits, biases, sums of spectra
    cell: Width = 12


class ProgramSpec(Section):
    """How an integer network is made: from which design, in which arithmetic and widths; an entry of `programs`."""

    design: Text
    transform: Literal["exact", "fourier"] = "exact"
    complex_products: Annotated[Literal[3, 4], CHOICE] = 4  # real multiplications of a complex one; fourier only
    bits: Bits = Bits()
    search: Flag = False  # for the smallest widths within quantization.budget_points; `bits` is where it starts


class Parameters(Section):
    """The whole of `params.yaml`; each of its mappings may be empty."""

    version: Annotated[Literal[1], CHOICE]
    corpus: Corpus
    features: Features
    training: Training
    scoring: Scoring
    compression: Compression
    quantization: Quantization
    networks: dict[Name, Network]
    designs: dict[Name, Design]
    programs: dict[Name, ProgramSpec]
    hardware: Hardware
    simulation: Simulation
    synthesis: Synthesis
    accelerators: dict[Name, AcceleratorSpec]

    @model_validator(mode="after")
    def _written(self) -> "Parameters":
        for section, key in WRITTEN:
            found = getattr(self, section)
            if key not in found.model_fields_set:
                default = type(found).model_fields[key].default
                raise ValueError(
                    f"{section}.{key} must be written, as in `{key}: {default}`: a stage depends on it alone"
                )
        return self

    @model_validator(mode="after")
    def _linked(self) -> "Parameters":
        found = [
            *names.twins({section: getattr(self, section) for section in ENTRIES}),
            *self._unknown("designs", "network", "networks"),
            *self._unknown("programs", "design", "designs"),
            *self._unknown("accelerators", "program", "programs"),
        ]
        if found := found or [*self._designs()] or [*self._programs()]:
            raise ValueError("; ".join(found))
        return self

    def _unknown(self, section: str, key: str, others: str) -> Iterator[str]:
        """Complaints on entries of a section that name no entry of another."""
        known = getattr(self, others)
        for name, entry in getattr(self, section).items():
            if (given := getattr(entry, key)) not in known:
                yield f"{section}.{name}.{key}={given} must be one of {others}: {', '.join(known) or 'there is none'}"

    def _designs(self) -> Iterator[str]:
        for name, design in self.designs.items():
            network, elements = self.networks[design.network], self.compression.pruning_elements
            try:
                design.blocks(network.layers)
                if isinstance(elements, int) and not methods.METHODS[design.method].blocks:
                    limits.check_pruning_elements(elements, min(network.cells, network.outputs))
            except UserError as error:
                yield f"designs.{name}: {error}"

    def _programs(self) -> Iterator[str]:
        """Complaints on block sizes, one for each size of a design."""
        seen: set[tuple[str, int]] = set()
        for name, program in self.programs.items():
            design = self.designs[program.design]
            network = self.networks[design.network]
            for layer, sizes in enumerate(design.blocks(network.layers)):
                kinds = sizes.model_dump(exclude=set() if network.projection else {"projection"})
                for kind, size in kinds.items():
                    if (program.design, size) in seen:
                        continue
                    seen.add((program.design, size))
                    try:
                        limits.check_block_size(f"programs.{name}: layer {layer}, {kind}", size)
                    except UserError as error:
                        yield str(error)


# Keys that dvc.yaml names without their sections.
WRITTEN = (("compression", "dense_share"), ("hardware", "device"), ("training", "criterion"))
ENTRIES = ("networks", "designs", "programs", "accelerators")  # sections of which each entry has a name


def read(path: Path) -> dict[str, Any]:
    """The values of `params.yaml`, or of a preset, as they are written there.

    Raises:
        UserError: no such file, no mapping in it, a key twice, a section that there is not, or another version.
    """
    values = artifacts.read_yaml(path)
    cure = f"carry your values over to files of this ernn, which begin with `version: {VERSION}`"
    artifacts.check_version(path, "parameters", values.get("version"), VERSION, cure)
    if unknown := [str(name) for name in values if name not in Parameters.model_fields]:
        raise UserError(f"{path}: {', '.join(unknown)}: {NO_SUCH_KEY}")
    return values


def check(values: Mapping[str, Any], where: str) -> Parameters:
    """All sections, each by itself and together.

    Args:
        where: they are from, for messages.

    Raises:
        UserError: what no stage could work with, in one line.
    """
    try:
        return Parameters.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {' '.join(complaints(error).split())}") from None
