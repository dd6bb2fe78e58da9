"""A whole search: bounds, phase I over trainings, phase II over hardware, verification, and its record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ernn.devices.catalogue import DEVICES
from ernn.explore import counted, stopping
from ernn.explore.accelerators import Estimated, Variant, spec
from ernn.explore.candidates import Candidate
from ernn.explore.costs import Costs, said
from ernn.explore.evidence import certain, held_out_score
from ernn.explore.phase_one import carry_out
from ernn.explore.problem import Choice, Problem, Train, Tried
from ernn.explore.requirement import cost, devices_of, limit_of, limits, short_of
from ernn.explore.space import Space
from ernn.explore.trials import Trained, Trials
from ernn.params import Network, ProgramSpec, cells_text, head_of
from ernn.params.methods import METHODS
from ernn.params.requirement import Requirement
from ernn.program import files
from ernn.records.benchmark import BenchmarkRow
from ernn.records.exploration import BoundRow, DenseNetwork, ExplorationRecord, HardwareRow, TrialRow

SPACE = Space(apart=1.5)
VARIANTS = 4  # integer networks of a design, at most
VERIFIED = 3  # accelerators of the chosen network that are synthesized and simulated
MEASURED = {
    "phone errors of trials": "measured on the whole dev split, float networks",
    "phone errors of integer networks": "measured on the dev split by the integer model, which the hardware equals",
    "phone errors of the chosen design": "measured on the whole test split, read once, after the choice",
    "resources before verification": "estimated by the generator's cost model",
    "cycles before verification": "computed by a model of the accelerator's threads, which equals RTL simulation",
    "resources of verified accelerators": "synthesized",
    "cycles of verified accelerators": "simulated in all of the RTL, every logit equal to the integer model",
    "clock": "routed, estimated from levels of logic, or assumed, as the row says",
    "energy": "an uncalibrated estimate, everywhere",
}


@dataclass(frozen=True)
class Settings:
    """What a search is given of params.yaml.

    Args:
        networks: those of the requirement, the reference first.
        epochs: of a training.
        samples: of the bootstrap.
        corpus: in words.
    """

    networks: Mapping[str, Network]
    requirement: Requirement
    epochs: int
    samples: int
    corpus: str


@dataclass(frozen=True)
class _Chosen:
    """An integer network with its verified accelerators, the best first."""

    candidate: Candidate
    program: str
    dev_per: float
    rows: tuple[HardwareRow, ...]
    binds: tuple[str, ...]


@dataclass
class Search:
    """One search.

    Args:
        say: is told what happens, a line at a time.
        space: of accelerators, in phase II.
        side_by_side: trainings that run at once; what is trained ahead and not asked for is named in the record.
    """

    trials: Trials
    settings: Settings
    say: Callable[[str], None]
    space: Space = SPACE
    side_by_side: int = 1
    _rows: list[TrialRow] = field(default_factory=list)
    _front: list[HardwareRow] = field(default_factory=list)
    _ahead: list[str] = field(default_factory=list)

    def run(
        self, name: str, commit: str, date: str, seconds: Callable[[], float], starts: int = 1
    ) -> ExplorationRecord:
        """The finished search.

        Args:
            name: of the search.
            commit, date: that the record names.
            seconds: of all its starts until now.
            starts: how many there were.

        Raises:
            UserError: what a user must change.
        """
        requirement, networks = self.settings.requirement, self.settings.networks
        costs = Costs(networks, requirement, *self.trials.prepare())
        candidates = costs.uniform()
        bounds = tuple(costs.bounds(candidates))
        self._say_bounds(bounds)
        dense = self.trials.dense()
        reference = next(iter(networks))
        limit = limit_of(requirement, dense[reference])
        if limit is not None:
            have = f"dense {reference} has {dense[reference]:.2f} %"
            self.say(f"phase I: at most {limit:.2f} % phone errors on the dev split; {have}")
        problem = Problem(limit, reference, candidates, requirement.trials, costs.candidate, requirement.mixing)
        train = partial(self._train, problem=problem, reference=dense[reference], costs=costs)
        choice, tried = carry_out(problem, train, self._measure, self.side_by_side)
        self.say(f"phase I: {choice.reason}")
        chosen = self._phase_two(choice, tried, problem)
        test = None
        if chosen is not None:
            place = self.trials.scores(f"integer/{chosen.program}")
            test = held_out_score(place, self.trials.scores(f"dense/{reference}"), self.settings.samples)
        binds = chosen.binds if chosen is not None and choice.best is not None else (choice.reason,)
        if chosen is None and choice.best is not None:
            binds = (f"hardware: no device has room for an accelerator of {choice.best.name}",)
        met = chosen is not None and not chosen.binds and choice.best is not None
        return ExplorationRecord(
            name=name,
            limits=limits(requirement, limit),
            minimised=requirement.minimise,
            corpus=self.settings.corpus,
            dense=tuple(_dense(each, networks[each], per, costs.dense_words(each)) for each, per in dense.items()),
            bounds=bounds,
            trials=tuple(self._rows),
            ahead=tuple(each for each in dict.fromkeys(self._ahead) if each not in {row.design for row in self._rows}),
            front=tuple(self._front),
            verified=chosen.rows if chosen is not None else (),
            chosen=chosen.candidate.name if chosen is not None else None,
            met=met,
            certain=met and test is not None and certain(test, requirement.per, requirement.per_loss),
            binds=() if met else binds,
            test=test,
            measured=MEASURED,
            seconds=seconds(),
            starts=starts,
            commit=commit,
            date=date,
            devices=tuple(device.name for device in devices_of(requirement)),
            clock_mhz=requirement.clock_mhz,
            allowed_trials=requirement.trials,
        )

    def _say_bounds(self, bounds: tuple[BoundRow, ...]) -> None:
        for row in bounds:
            what = row.binds
            if row.hardware is not None:
                what = f"{self.settings.requirement.minimise} {row.cost:.4g} ({_hardware(row.hardware)})"
            self.say(f"{row.network} {row.blocks}: {row.stored_weights:,} words; {what}")
        for line in said(bounds):
            self.say(line)

    def _train(self, step: Train, problem: Problem, reference: float, costs: Costs) -> Tried:
        candidate, limit = step.candidate, problem.limit
        self.say(f"trial {len(self._rows) + 1}: {candidate.name}: {step.reason}")

        def hopeless(rows: Sequence[Mapping[str, Any]]) -> float | None:
            least = stopping.least_reachable(rows, self.settings.epochs)
            return least if least is not None and limit is not None and least > limit else None

        ahead = {each.name: each.design for each in step.ahead}
        if ahead:
            self.say(f"at its side, whichever way it ends: {', '.join(ahead)}")
            self._ahead += ahead
        trained = self.trials.train(candidate.name, candidate.design, hopeless, ahead)
        tried = Tried(candidate, trained.per, trained.stopped)
        row = _trial(step, trained, problem, tried, reference, costs)
        self._rows.append(row)
        self.say(f"trial {len(self._rows)}: {row.result}")
        return tried

    def _measure(self, candidate: Candidate) -> dict[tuple[int, str], float]:
        self.say(f"sensitivities of {candidate.name}: each matrix alone with blocks of twice the size")
        return self.trials.sensitivities(candidate.name)

    def _phase_two(self, choice: Choice, tried: list[Tried], problem: Problem) -> _Chosen | None:
        """The cheapest trial whose integer network keeps the limit, with its hardware; else the nearest one's."""
        met = sorted((each.candidate for each in tried if problem.met(each)), key=lambda each: each.price)
        nearest = [choice.nearest] if choice.nearest is not None else []
        short: _Chosen | None = None
        for candidate in met or nearest:
            programs = variants(candidate)
            self.say(f"phase II: {len(programs)} integer networks of {candidate.name}")
            errors = self.trials.quantize(programs)
            good = {name: per for name, per in errors.items() if problem.limit is None or per <= problem.limit}
            for name, per in errors.items():
                self.say(f"phase II: {name}: {per:.2f} % phone errors on the dev split")
            found = self._verified(candidate, good or errors)
            if found is not None and good and not found.binds:
                return found
            if found is not None and not good:
                least = f"{min(errors.values()):.2f} % or more of the allowed {problem.limit:.2f} %"
                found = replace(found, binds=(f"PER: integer networks of {candidate.name}: {least}", *found.binds))
            short = short or found
        return short

    def _verified(self, candidate: Candidate, errors: Mapping[str, float]) -> _Chosen | None:
        """The best accelerators of some integer networks, synthesized and simulated."""
        requirement = self.settings.requirement
        wanted = [Variant(name, files.load(self.trials.program_file(name)), per) for name, per in errors.items()]
        devices = devices_of(requirement)
        for device in devices:
            found = counted.search(wanted, requirement, device, self.space, few=VERIFIED)
            self._front += [_estimated(each, candidate.name) for each in found.front]
            numbers = f"{found.covered:,} of {found.space:,} accelerators on {device.name} are covered"
            best = f"best {found.best[0]}" if found.best else f"none will do: {', '.join(found.binds)}"
            self.say(f"phase II: {numbers}; {best}")
            if found.best or (device == devices[-1] and found.nearest is not None):
                few = found.best or (found.nearest,)
                return self._built(candidate, [each for each in few if each is not None], errors)
        return None

    def _built(self, candidate: Candidate, few: Sequence[Estimated], errors: Mapping[str, float]) -> _Chosen:
        """Accelerators that were found, synthesized and simulated, the best first."""
        specs = {f"{each.variant.label}-{number}": spec(each) for number, each in enumerate(few, 1)}
        requirement, built = self.settings.requirement, self.trials.benchmark(specs)
        rows = [
            (_row(built[name], candidate.name, each, requirement), each.variant.label)
            for name, each in zip(specs, few, strict=True)
        ]
        rows.sort(key=lambda each: (bool(each[0].binds), cost(each[0], requirement.minimise, errors[each[1]])))
        best, program = rows[0]
        return _Chosen(candidate, program, errors[program], tuple(row for row, _ in rows), best.binds)


def variants(candidate: Candidate) -> dict[str, ProgramSpec]:
    """Integer networks of a design among which phase II chooses: widths, and transforms where blocks have any."""
    name, blocks = candidate.name, METHODS[candidate.design.family].blocks and max(candidate.strength) >= 4
    found = {f"{name}-b12": ProgramSpec(design=name), f"{name}-narrow": ProgramSpec(design=name, search=True)}
    if blocks:
        found[f"{name}-fourier3"] = ProgramSpec(design=name, transform="fourier", complex_products=3)
        found[f"{name}-fourier4"] = ProgramSpec(design=name, transform="fourier", complex_products=4)
    return found


def _dense(name: str, network: Network, per: float, words: int) -> DenseNetwork:
    projection = f", projected to {network.projection}" if network.projection else ""
    layers = f"{network.layers} {network.cell.upper()} layer{'s' * (network.layers > 1)}"
    head = "".join(f", linear layer of {each.outputs} ({each})" for each in head_of(network))
    return DenseNetwork(name, f"{layers} of {cells_text(network.cells)} cells{projection}{head}", per, words)


def _trial(step: Train, trained: Trained, problem: Problem, tried: Tried, reference: float, costs: Costs) -> TrialRow:
    candidate, met = step.candidate, problem.met(tried)
    if trained.stopped:
        result = f"stopped: at least {trained.per:.2f} % were to be expected"
    else:
        result = f"{trained.per:.2f} % phone errors on the dev split"
    if problem.limit is not None:
        side = "within" if met else "above"
        result += f", {side} the allowed {problem.limit:.2f} %"
    return TrialRow(
        design=candidate.name,
        network=candidate.network,
        method=candidate.design.family,
        blocks=candidate.blocks,
        stored_weights=candidate.stored_weights,
        reason=step.reason,
        result=result,
        verdict="stopped" if trained.stopped else "met" if met else "missed",
        dev_per=trained.per,
        dev_loss=trained.per - reference,
        cost=candidate.cost.value if candidate.cost else None,
        hardware=costs.hardware(candidate.design),
        seconds=trained.seconds,
    )


def _estimated(found: Estimated, design: str) -> HardwareRow:
    """An accelerator of an integer network of a design, by estimates."""
    sizes = f"{found.variant.label}: {found}"
    return replace(found.row(), design=design, sizes=sizes, dev_per=found.variant.error)


def _row(built: BenchmarkRow, design: str, found: Estimated, requirement: Requirement) -> HardwareRow:
    """The same, synthesized and simulated."""
    row = replace(
        _estimated(found, design),
        used=built.used,
        share=max(DEVICES[built.device].shares(built.used).values()),
        cycles=built.cycles_per_frame,
        latency_cycles=built.latency_cycles,
        clock_mhz=built.speed.clock_mhz,
        clock_kind=built.clock_kind,
        energy_uj=built.energy.uj_per_frame,
        verified=True,
    )
    return replace(row, binds=short_of(row, requirement))


def _hardware(row: HardwareRow) -> str:
    return f"{row.device}, {row.sizes}, {row.latency_us:.2f} us a frame"
