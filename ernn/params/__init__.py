"""The pydantic twin of `params.yaml`: every number a person may change, one frozen class a section."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from ernn import artifacts
from ernn.devices import limits
from ernn.errors import NO_SUCH_KEY, UserError, complaints
from ernn.params import methods, names
from ernn.params.compression import Admm as Admm
from ernn.params.compression import BlockSize as BlockSize
from ernn.params.compression import BlockSizes as BlockSizes
from ernn.params.compression import Compression, Design
from ernn.params.compression import Densities as Densities
from ernn.params.hardware import AcceleratorSpec, Hardware, Simulation, Synthesis
from ernn.params.head import HeadSpec as HeadSpec
from ernn.params.names import Name
from ernn.params.networks import GATES as GATES
from ernn.params.networks import Cell as Cell
from ernn.params.networks import Network as Network
from ernn.params.networks import NetworkSpec as NetworkSpec
from ernn.params.networks import Sizes as Sizes
from ernn.params.networks import by_layer as by_layer
from ernn.params.networks import cells_text as cells_text
from ernn.params.networks import head_of as head_of
from ernn.params.requirement import Requirement
from ernn.params.section import (
    CHOICE,
    Count,
    Epochs,
    Flag,
    Integer,
    LearningRate,
    Processes,
    Real,
    Section,
    Seed,
    Text,
)
from ernn.params.speech import Augmentation as Augmentation
from ernn.params.speech import Corpus, Features

VERSION = 1  # of the file: it changes when an old file would be misread or refused
Width = Annotated[Integer, Field(ge=limits.BITS[0], le=limits.BITS[1])]  # bits
Points = Annotated[Real, Field(gt=0, le=100)]


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


class Quantization(Section):
    """How float networks become integer ones: what all programs share."""

    rule: Literal["minmax", "percentile", "least_squares", "robust"] = "robust"  # from ranges to binary points
    percentile: Annotated[Real, Field(gt=50, le=100)] = 99.99  # rule: percentile only
    power: Annotated[Real, Field(ge=1, le=2)] = 1.5  # of errors; rule: robust only
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
    widths: dict[Text, Width] = Field(
        default_factory=dict
    )  # of tensors by name, as `layers.0.weight_hh`, beside `bits`
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
    networks: dict[Name, NetworkSpec]
    designs: dict[Name, Design]
    sensitivities: tuple[Text, ...]
    programs: dict[Name, ProgramSpec]
    hardware: Hardware
    simulation: Simulation
    synthesis: Synthesis
    accelerators: dict[Name, AcceleratorSpec]
    requirement: Requirement | None = None

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
            *self._unlisted("requirement.networks", self.requirement.networks if self.requirement else (), "networks"),
            *self._unlisted("sensitivities", self.sensitivities, "designs"),
        ]
        if self.features.kind == "given" and self.corpus.kind != "kaldi":
            found.append(f"features.kind=given reads a Kaldi folder; set corpus.kind: kaldi, not {self.corpus.kind}")
        if found := found or [*self._designs()] or [*self._programs()]:
            raise ValueError("; ".join(found))
        return self

    def _unknown(self, section: str, key: str, others: str) -> Iterator[str]:
        """Complaints on entries of a section that name no entry of another."""
        known = getattr(self, others)
        for name, entry in getattr(self, section).items():
            if (given := getattr(entry, key)) not in known:
                yield f"{section}.{name}.{key}={given} must be one of {others}: {', '.join(known) or 'there is none'}"

    def _unlisted(self, key: str, given: tuple[str, ...], others: str) -> Iterator[str]:
        """Complaints on names of a list that are no entries of a section."""
        known = getattr(self, others)
        for name in given:
            if name not in known:
                yield f"{key}: {name} must be one of {others}: {', '.join(known) or 'there is none'}"

    def _designs(self) -> Iterator[str]:
        for name, design in self.designs.items():
            network, elements = self.networks[design.network], self.compression.pruning_elements
            try:
                design.blocks(network.layers)
                self._check_densities(design, network)
                if isinstance(elements, int) and not methods.METHODS[design.method].blocks:
                    rows = *network.sizes, *network.widths, *(each.outputs for each in network.head)
                    limits.check_pruning_elements(elements, min(rows))
            except UserError as error:
                yield f"designs.{name}: {error}"

    def _check_densities(self, design: Design, network: NetworkSpec) -> None:
        """Refuse densities that leave rows without blocks."""
        inputs = (self.features.stacked, *network.widths)
        for layer in range(network.layers):
            columns = {"input": inputs[layer], "recurrent": network.widths[layer]}
            columns |= {"projection": network.sizes[layer]} if network.projection else {}
            for kind, cols in columns.items():
                design.check_densities(layer, kind, cols, network.layers)
        columns_of_head = (network.outputs, *(each.outputs for each in network.head))
        for number, cols in enumerate(columns_of_head[: len(network.head)]):
            design.check_densities(network.layers - 1, "input", cols, network.layers, f"head.{number}.weight")

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
