"""What designs cost before they are trained: the best hardware of networks without weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ernn.devices.limits import BLOCK_SIZES
from ernn.estimate.shapes import Shape
from ernn.explore import counted, hardware
from ernn.explore.accelerators import Variant
from ernn.explore.candidates import Candidate, Cost, name_of, strength, uniform
from ernn.explore.memory import short_of_memory
from ernn.explore.parts import Parts
from ernn.explore.requirement import cost, devices_of
from ernn.explore.space import Space
from ernn.params import Design, Network, ProgramSpec
from ernn.params.methods import METHODS, PRUNED_BY_ADMM, SPARSE
from ernn.params.requirement import Requirement
from ernn.records.exploration import BoundRow, HardwareRow

COARSE = Space(apart=2.0, memories=("auto",), alone=1)  # many designs are compared, each in seconds


@dataclass
class Costs:
    """Estimates of designs by the generator's cost model, each made once.

    Args:
        networks: by their names.
        inputs, classes: of the features and of the output layer.
    """

    networks: Mapping[str, Network]
    requirement: Requirement
    inputs: int
    classes: int
    _parts: Parts = field(default_factory=Parts)
    _on_chip: dict[str, bool] = field(default_factory=dict)
    _found: dict[str, tuple[Candidate, HardwareRow | None]] = field(default_factory=dict)

    def candidate(self, design: Design) -> Candidate:
        """A design with the cost of its best hardware."""
        return self._of(design)[0]

    def hardware(self, design: Design) -> HardwareRow | None:
        """Its best hardware, by estimates; None where none keeps the requirement."""
        return self._of(design)[1]

    def dense_words(self, network: str) -> int:
        """Stored words of a dense network."""
        design, spec = uniform(network, 1), ProgramSpec(design=network)
        return Shape.of(self.networks[network], design, spec, self.inputs, self.classes).stored_words

    def uniform(self) -> tuple[Candidate, ...]:
        """All networks with all methods: one strength for all matrices, of 2 or more."""
        return tuple(
            self.candidate(design)
            for network, shape in self.networks.items()
            for method in self.requirement.methods
            for design in designs(network, shape, method, self.inputs)
        )

    def bounds(self, candidates: tuple[Candidate, ...]) -> Iterator[BoundRow]:
        """What is known of them before any training."""
        for each in candidates:
            row = self.hardware(each.design)
            value = each.cost.value if each.cost else None
            yield BoundRow(
                each.network, each.blocks, each.stored_weights, value, row, each.binds, self._on_chip[each.name]
            )

    def _of(self, design: Design) -> tuple[Candidate, HardwareRow | None]:
        shape = self.networks[design.network]
        name = name_of(design, shape)
        if name not in self._found:
            self._found[name] = self._estimated(name, design, shape)
        return self._found[name]

    def _estimated(self, name: str, design: Design, network: Network) -> tuple[Candidate, HardwareRow | None]:
        spec = ProgramSpec(design=name)
        shape = Shape.of(network, design, spec, self.inputs, self.classes)
        program, binds = shape.program(), ""
        self._on_chip[name] = False
        for place, device in enumerate(devices_of(self.requirement)):
            if binds := short_of_memory(shape, device, self.requirement.share):
                continue
            variant = Variant(name, program)
            space = replace(COARSE, clocks=(self.requirement.clock_mhz,))
            found = counted.search([variant], self.requirement, device, space, 1, False, self._parts)
            if found.best:
                row = found.best[0].row()
                self._on_chip[name] = True
                made = Cost(place, cost(row, self.requirement.minimise, 0.0))
                return self._candidate(name, design, network, shape, made), row
            binds = f"{device.name}: {', '.join(found.binds) or 'nothing of this size'}"
            found = hardware.search([variant], _at_any_pace(self.requirement), device, space, 1, False, self._parts)
            self._on_chip[name] = self._on_chip[name] or bool(found.best)
        return self._candidate(name, design, network, shape, None, binds), None

    def _candidate(
        self, name: str, design: Design, network: Network, shape: Shape, made: Cost | None, binds: str = ""
    ) -> Candidate:
        words = shape.stored_words
        return Candidate(name, design.network, design, network, strength(design, network), words, made, binds)


def _at_any_pace(requirement: Requirement) -> Requirement:
    """The requirement of an accelerator that has room, however slow."""
    free = {"latency_us": None, "frames_per_s": None, "energy_uj": None, "minimise": "share"}
    return requirement.model_copy(update=free)


def said(bounds: Sequence[BoundRow]) -> Iterator[str]:
    """What the bounds say of each network: where it begins to have room, and where its cost is least."""
    for network in dict.fromkeys(row.network for row in bounds):
        rows = [row for row in bounds if row.network == network]
        first = next((row.blocks for row in rows if row.on_chip), None)
        costs = [(row.cost, row.blocks) for row in rows if row.cost is not None]
        if first is None:
            yield f"{network}: nothing has room on the device"
        elif not costs:
            yield f"{network}: has room from {first} on, and nothing keeps the requirement"
        else:
            yield f"{network}: has room from {first} on; beyond {min(costs)[1]} its cost falls no more"


def designs(network: str, shape: Network, method: str, inputs: int) -> Iterator[Design]:
    """Designs of one strength for all matrices: the block sizes that an integer network may have, up to its cells.

    Sparse ones have half of the blocks of half the size; one of so many weights is kept where there are no blocks.

    Args:
        inputs: elements of a feature vector.
    """
    for size in BLOCK_SIZES[1:]:
        if size > min(*shape.sizes, *shape.widths):
            return
        if METHODS[method].of and size > inputs:
            return
        if method == SPARSE:
            yield Design(network=network, block_size=size // 2, density=0.5)
        elif method == PRUNED_BY_ADMM:
            yield Design(network=network, density=1 / size)
        elif METHODS[method].blocks:
            yield uniform(network, size, method)
        else:
            yield Design(network=network, method=method, pruning_ratio=float(size))
