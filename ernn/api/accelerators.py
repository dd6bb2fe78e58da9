"""The accelerator of an integer network: estimated, written, simulated and synthesized, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ernn.api.programs import Program
from ernn.api.sequences import Given, Sequences, table
from ernn.devices.catalogue import DEFAULT
from ernn.errors import UserError

if TYPE_CHECKING:
    from ernn.explore.accelerators import Estimated
    from ernn.hw.verilog.network import NetworkHardware
    from ernn.records.synthesis import SynthesisRow

_RESOURCES = ("lut", "ff", "dsp", "bram")
Minimised = Literal["share", "lut", "ff", "dsp", "bram", "latency_us", "energy_uj"]


@dataclass(frozen=True, repr=False)
class Estimate:
    """What an accelerator takes, before synthesis; cycles are those of simulation.

    Args:
        device: it is for.
        used: of each resource, as an estimate, and what the device has.
        cycles: between steps that follow each other.
        latency_cycles: of a step alone, first feature to last output.
        clock_mhz: that its pipelines are scheduled for.
    """

    device: str
    used: dict[str, tuple[float, int]]
    cycles: float
    latency_cycles: float
    clock_mhz: float

    @property
    def latency_us(self) -> float:
        """Microseconds of a step alone at the clock."""
        return self.latency_cycles / self.clock_mhz

    def __repr__(self) -> str:
        rows = [
            (name, f"{used:.0f}", f"{most}", f"{used / most:.0%}" if most else "")
            for name, (used, most) in self.used.items()
        ]
        text = table((self.device, "estimate", "available", "share"), rows)
        every = f"a step every {self.cycles:g} cycles, {self.cycles / self.clock_mhz:.2f} us"
        alone = f"one alone {self.latency_cycles:g} cycles, {self.latency_us:.2f} us"
        return f"{text}\n{every}; {alone}\nat {self.clock_mhz:g} MHz, for which pipelines are scheduled"


@dataclass(frozen=True, repr=False)
class Simulation:
    """A run of the Verilog, equal to the integer network in every output of every step.

    Args:
        outputs: in the form of what was simulated, float64; with `Program.last` those of the last step, though every
            step's are compared.
        steps: that were simulated.
        cycles: between steps that follow each other, measured; without the waits for a host that writes initial states
            before sequences, unless all have one step.
        clock_mhz: that pipelines are scheduled for.
    """

    outputs: Any
    steps: int
    cycles: float
    clock_mhz: float

    def __repr__(self) -> str:
        time = f"{self.cycles:.1f} cycles, {self.cycles / self.clock_mhz:.2f} us at {self.clock_mhz:g} MHz"
        return f"Simulation: {self.steps} steps, every output equal to the integer network's\na step every {time}"


@dataclass(frozen=True, repr=False)
class Synthesis:
    """What synthesis counts, a row for each tool.

    Args:
        rows: with resources, clock, and how it is known.
    """

    rows: tuple[SynthesisRow, ...]

    def __repr__(self) -> str:
        head = ("device", "tool", "LUT", "FF", "DSP", "block RAM", "MHz", "the clock is", "fits")
        rows = [
            (row.device, row.flow, *(f"{getattr(row.used, name):g}" for name in _RESOURCES), f"{row.fmax_mhz:g}",
             {"place_and_route": "routed", "levels": "estimated from levels of logic"}.get(row.fmax_kind, "assumed"),
             "yes" if row.fits else f"no: {', '.join(row.binds)}")
            for row in self.rows
        ]  # fmt: skip
        return table(head, rows)


@dataclass(frozen=True, eq=False, repr=False)
class Accelerator:
    """An accelerator of a program on a device.

    Args:
        program: that it computes.
        found: its sizes, and what they are estimated to take.
    """

    program: Program
    found: Estimated

    @property
    def estimate(self) -> Estimate:
        """What it takes of the device, and its cycles."""
        setting, pace = self.found.setting, self.found.pace
        most = setting.device.resources
        used = {name: (getattr(self.found.needed, name), getattr(most, name)) for name in _RESOURCES}
        return Estimate(setting.device.name, used, pace.interval, pace.latency, setting.clock_mhz)

    def write(self, path: str | Path) -> Path:
        """Write the project, Verilog, C++ and all that belongs to them, to a folder, whole or not at all; the folder.

        Raises:
            UserError: something else is there, or the folder cannot be written.
        """
        from ernn import artifacts
        from ernn.hw.project import whole_project

        folder = Path(path)
        artifacts.check_writable(folder, folder=True)
        if folder.exists() and not (folder / "accelerator.json").exists() and any(folder.iterdir()):
            raise UserError(f"{folder}: holds files that are no accelerator's; name another folder")
        texts = whole_project(self._network(), self.found.setting.device.part)
        with artifacts.atomic_folder(folder) as temporary:
            texts.write(temporary)
        return folder

    def simulate(self, x: Given) -> Simulation:
        """Run data through the Verilog (by Verilator), step by step and one sequence after the other.

        Args:
            x: as `Program.predict` takes it.

        Raises:
            Mismatch: the first value that differs from the integer network's, by its name.
            UserError: what `predict` refuses, or a tool that is missing.
        """
        from ernn.tools.process import work_folder

        Sequences.of(x, self.program.inputs)  # refused before anything is written
        with work_folder() as folder:
            return simulate_project(self.write(folder / "project"), self.program, x)

    def synthesize(self, seeds: int = 1) -> Synthesis:
        """Synthesize it with the open tools, and place and route it where they can (ECP5, GateMate); minutes to hours.

        Args:
            seeds: of place and route; the clock is their median.

        Raises:
            UserError: a tool is missing or failed.
        """
        from ernn.tools.process import work_folder

        with work_folder() as folder:
            return synthesize_project(self.write(folder / "project"), self.found.setting.device.name, seeds)

    def _network(self) -> NetworkHardware:
        from ernn.hw.verilog.network import NetworkHardware

        return NetworkHardware(self.program.value, self.found.architecture)

    def __repr__(self) -> str:
        return f"Accelerator of {self.program.value.name}: {self.found}\n{self.estimate}"


def simulate_project(project: Path, program: Program, x: Given) -> Simulation:
    """As `Accelerator.simulate`, of a project that was written.

    Raises:
        Mismatch: the first value that differs.
        UserError: a project of another program, or what `Program.predict` refuses.
    """
    from ernn.golden.model import Golden
    from ernn.hw import design
    from ernn.simulate import origin, run

    given, value = Sequences.of(x, program.inputs), program.value
    described = design.read(project)
    origin.check(described, value, project)
    golden = Golden(value)
    integers = [golden.quantize(each) for each in given.each]
    outcome = run.undisturbed(project, described, value, integers)
    steps = sum(len(each) for each in integers)
    return Simulation(program.predict(x), steps, outcome.cycles_per_frame, described.clock_mhz)


def synthesize_project(project: Path, device: str, seeds: int = 1) -> Synthesis:
    """As `Accelerator.synthesize`, of a project that was written.

    Raises:
        UserError: no project, or one for another family of devices, fewer than one seed, or a tool that is missing or
            failed.
    """
    from ernn.devices.catalogue import DEVICES
    from ernn.devices.timing import TIMINGS
    from ernn.hw import design
    from ernn.synthesize import rows
    from ernn.tools.process import work_folder

    if seeds < 1:
        raise UserError(f"seeds={seeds}: at least 1")
    described, numbers = design.read(project), tuple(range(1, seeds + 1))
    if described.delays != TIMINGS[DEVICES[device].family].name:
        same = [each.name for each in DEVICES.values() if TIMINGS[each.family].name == described.delays]
        raise UserError(
            f"{project}: its pipelines are scheduled with the delays of {described.delays} ({', '.join(same)}), "
            f"and {device} is another family; generate it for {device}"
        )
    with work_folder() as folder:
        return Synthesis(rows.synthesize(described.program, project, DEVICES[device], rows.Seeds(numbers), folder))


def generate(
    program: Program,
    device: str = DEFAULT,
    *,
    minimise: Minimised = "latency_us",
    clock_mhz: float = 100.0,
    share: float = 0.9,
    latency_us: float | None = None,
) -> Accelerator:
    """The best accelerator of a program on a device, by a search over its sizes with the cost model.

    Args:
        program: an integer network.
        device: of `ernn/devices/catalogue.py`.
        minimise: what is best: the latency of a step alone, the share of the scarcest resource, a resource, or energy.
        clock_mhz: that pipelines are scheduled for.
        share: of each resource that may be used, 0 to 1.
        latency_us: of a step alone, at most.

    Raises:
        UserError: a device that is not known.
        Unmet: no accelerator on it keeps this; the message says what binds.
    """
    from pydantic import ValidationError

    from ernn.devices.catalogue import DEVICES
    from ernn.errors import Unmet, complaints
    from ernn.explore import counted
    from ernn.explore.accelerators import Variant
    from ernn.explore.space import Space
    from ernn.params.requirement import Requirement

    try:
        requirement = Requirement(
            per=100.0, devices=(device,), share=share, clock_mhz=clock_mhz, minimise=minimise, latency_us=latency_us
        )
    except ValidationError as error:
        raise UserError(complaints(error)) from None
    space = Space(apart=1.5, clocks=(clock_mhz,), memories=("auto",))
    found = counted.search(
        [Variant(program.value.name, program.value)], requirement, DEVICES[device], space, few=1, fronts=False
    )
    if not found.best:
        raise Unmet(f"no accelerator of {program.value.name} on {device} will do: {'; '.join(found.binds)}")
    return Accelerator(program, found.best[0])
