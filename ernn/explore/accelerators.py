"""Accelerators that a search compares: by estimates, and what they lack of a requirement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ernn.devices.catalogue import Device, Resources
from ernn.estimate import cost, energy
from ernn.explore import pace
from ernn.explore.pace import Pace
from ernn.explore.space import Setting
from ernn.hw.design import Work
from ernn.hw.layout.array import Array
from ernn.hw.layout.sizing import Size
from ernn.hw.verilog import chain
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.hw.work import work
from ernn.params import AcceleratorSpec
from ernn.params.requirement import Requirement
from ernn.program.network import Program
from ernn.records.exploration import HardwareRow

RESOURCES = tuple(each.name for each in fields(Resources))


@dataclass(frozen=True)
class Variant:
    """A program that may be built.

    Args:
        label: its name in answers.
        error: on the dev split, percent; None: it is not known, or all are alike.
    """

    label: str
    program: Program
    error: float | None = None


@dataclass(frozen=True)
class Estimated:
    """An accelerator by estimates.

    Args:
        needed: of the device.
        pace: cycles of a frame.
        energy_uj: of a frame, with the toggles of a typical accelerator.
    """

    variant: Variant
    setting: Setting
    arrays: tuple[Array, ...]
    needed: Resources
    pace: Pace
    energy_uj: float

    @property
    def architecture(self) -> Architecture:
        """What the generator takes."""
        return self.setting.architecture(self.arrays)

    @property
    def share(self) -> float:
        """Of the scarcest resource, 0..1."""
        return max(self.setting.device.shares(self.needed).values())

    @property
    def latency_us(self) -> float:
        """Of a frame alone, microseconds."""
        return self.pace.latency / self.setting.clock_mhz

    @property
    def frames_per_s(self) -> float:
        """All streams together."""
        return 1e6 * self.setting.clock_mhz / self.pace.interval

    def value(self, quantity: str) -> float:
        """What is minimised, by its name in a requirement; phone errors do not depend on hardware: its share."""
        if quantity in RESOURCES:
            return float(getattr(self.needed, quantity))
        return float(getattr(self, "share" if quantity == "per" else quantity))

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Of its arrays in the order of the data, as `ernn.hw.layout.sizing.arrays` takes them for `each`."""
        links = chain.links(self.variant.program, self.setting.logits)
        needs = [required for link in links for required in link.arrays]
        return tuple(
            (
                array.lanes,
                array.columns,
                0 if required.side_by_side else array.heads,
                required.cells // array.beats if required.cells > 1 else 0,
            )
            for array, required in zip(self.arrays, needs, strict=True)
        )

    def __str__(self) -> str:
        program = self.variant.program
        head = [f"head {number}" for number in range(len(program.head))]
        behind = head + ["output"] * (program.output is not None)
        layers = len(self.arrays) - len(behind)
        names = [f"array {number}" for number in range(layers)] if layers > 1 else ["array"]
        names += behind
        arrays = ", ".join(f"{name} {_size(size)}" for name, size in zip(names, self.sizes, strict=True))
        stored = "transformed" if self.setting.transformed else "words"
        memory = "" if self.setting.memory == "auto" else f", memory={self.setting.memory}"
        return f"{arrays}, weights={stored}{memory}"

    def row(self, binds: Sequence[str] = ()) -> HardwareRow:
        """As a record has it."""
        return HardwareRow(
            design=self.variant.label,
            device=self.setting.device.name,
            sizes=str(self),
            used=self.needed,
            share=self.share,
            cycles=self.pace.interval,
            latency_cycles=self.pace.latency,
            clock_mhz=self.setting.clock_mhz,
            clock_kind="assumed",
            energy_uj=self.energy_uj,
            verified=False,
            binds=tuple(binds),
        )


def whole(candidate: Estimated) -> Estimated:
    """The same accelerator, estimated as a whole."""
    setting = candidate.setting
    network = NetworkHardware(candidate.variant.program, candidate.architecture)
    needed, made = cost.estimate(network, setting.device).total, pace.of_network(network)
    done = sum((work(layer) for layer in network.layers), Work({}))
    toggles = energy.toggles_estimate(needed.ff, made.interval)
    found = energy.estimate(done, made.interval, setting.clock_mhz, needed.ff, toggles, setting.device)
    return replace(candidate, needed=needed, pace=made, energy_uj=found.total.value)


def spec(candidate: Estimated) -> AcceleratorSpec:
    """The entry of `accelerators` of which the generator makes exactly this accelerator."""
    setting, names = candidate.setting, ("lanes", "columns", "heads", "pointwise")
    return AcceleratorSpec.model_validate(
        {
            "program": candidate.variant.label,
            "arrays": [dict(zip(names, size, strict=False)) for size in candidate.sizes],
            "streams": setting.streams,
            "clock_mhz": setting.clock_mhz,
            "device": setting.device.name,
            "memory": setting.memory,
            "weights": "transformed" if setting.transformed else "words",
            "features_per_beat": setting.features,
            "logits_per_beat": setting.logits,
        }
    )


def binding(candidate: Estimated, requirement: Requirement) -> tuple[str, ...]:
    """What of a candidate does not keep a requirement, in words, the worst first; empty: it keeps all."""
    words = {name: f"{getattr(candidate.needed, name):.1f}".removesuffix(".0") for name in RESOURCES}
    words |= {name: f"{getattr(candidate, name):.1f}".removesuffix(".0") for name in ("latency_us", "energy_uj")}
    words["frame_us"] = f"{candidate.frames_per_s:.0f}"
    return tuple(text.format(**words) for ratio, text in excesses(candidate, requirement) if ratio > 1 + 1e-9)


def excesses(candidate: Estimated, requirement: Requirement) -> list[tuple[float, str]]:
    """How many times what is allowed each quantity is, and how it is said; the greatest first."""
    values = {name: getattr(candidate.needed, name) for name in RESOURCES}
    values |= {"latency_us": candidate.latency_us, "energy_uj": candidate.energy_uj}
    values["frame_us"] = 1e6 / candidate.frames_per_s
    columns = {name: np.array([value]) for name, value in values.items()}
    found = ratios(columns, requirement, candidate.setting.device)
    return sorted(((float(ratio[0]), text) for text, ratio in found), reverse=True)


def ratios(
    columns: Mapping[str, np.ndarray], requirement: Requirement, device: Device
) -> Iterator[tuple[str, np.ndarray]]:
    """Each quantity as a share of what is allowed, and how it is said."""
    for name in RESOURCES:
        if most := getattr(device.resources, name):
            text = f"{name}: {{{name}}} of {most * requirement.share:.0f} ({requirement.share:.0%} of {most})"
            yield text, columns[name] / (most * requirement.share)
    if requirement.latency_us is not None:
        yield (
            f"latency: {{latency_us}} us of the allowed {requirement.latency_us:g}",
            (columns["latency_us"] / requirement.latency_us),
        )
    if requirement.frames_per_s is not None:
        yield (
            f"frames a second: {{frame_us}} of the required {requirement.frames_per_s:g}",
            (columns["frame_us"] * requirement.frames_per_s / 1e6),
        )
    if requirement.energy_uj is not None:
        yield (
            f"energy: {{energy_uj}} uJ of the allowed {requirement.energy_uj:g}",
            (columns["energy_uj"] / requirement.energy_uj),
        )


def _size(size: Size) -> str:
    lanes, columns, heads, pointwise = (*size, 0)[:4]
    text = f"{lanes}x{columns}" + (f" with {heads} heads" if heads > 1 else "")
    return text + (f" and {pointwise} cells a cycle" if pointwise > 1 else "")
