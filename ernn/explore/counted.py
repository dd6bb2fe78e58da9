"""The search for accelerators, with the cycles of what it finds counted one by one.

`ernn.explore.hardware` compares accelerators by quick estimates of their cycles, `ernn.explore.pace`. Here the best of
them get the cycles of RTL simulation (`ernn.estimate.cycles`): those that do not keep the requirement after all are
dropped, and the rest is ranked again. Estimates of the latency may lie above the exact one, so those that seem a little
too late are counted, too.
"""

from collections.abc import Sequence
from dataclasses import replace

from ernn.devices.catalogue import Device
from ernn.estimate import cycles, energy
from ernn.explore import hardware
from ernn.explore.accelerators import Estimated, Variant, binding, excesses
from ernn.explore.hardware import Found
from ernn.explore.pace import Pace
from ernn.explore.parts import Parts
from ernn.explore.space import Space
from ernn.hw.design import Work
from ernn.hw.verilog.network import NetworkHardware
from ernn.hw.work import work
from ernn.params.requirement import Requirement

MORE = 16  # times as many candidates are counted as are wanted
LATE = 1.5  # times the latency that is allowed: estimates may lie so far above the exact one


def search(
    variants: Sequence[Variant],
    requirement: Requirement,
    device: Device,
    space: Space | None = None,
    few: int = 5,
    fronts: bool = True,
    parts: Parts | None = None,
) -> Found:
    """The best accelerators of some programs on a device; arguments are those of `ernn.explore.hardware.search`."""
    parts = parts or Parts()
    found = hardware.search(variants, requirement, device, space, MORE * few, fronts, parts)
    tried = [counted(each) for each in (*found.best, *([found.nearest] if found.nearest else []))]
    if requirement.latency_us is not None:
        late = requirement.model_copy(update={"latency_us": LATE * requirement.latency_us})
        more = hardware.search(variants, late, device, space, MORE * few, False, parts)
        tried += [each for each in map(counted, more.best) if each not in tried]
    good = [each for each in tried if not binding(each, requirement)]
    if good:
        front = [each for each in map(counted, found.front) if not binding(each, requirement)]
        best = sorted(good, key=lambda each: _rank(each, requirement))[:few]
        return replace(found, best=tuple(best), front=tuple(front), nearest=None, binds=())
    nearest = min(tried, key=lambda each: excesses(each, requirement)[0], default=None)
    binds = () if nearest is None else binding(nearest, requirement)
    return replace(found, best=(), front=(), nearest=nearest, binds=binds)


def counted(candidate: Estimated) -> Estimated:
    """The same accelerator with the cycles of RTL simulation, and the energy that follows from them."""
    setting, network = candidate.setting, NetworkHardware(candidate.variant.program, candidate.architecture)
    found = cycles.cycles(network)
    done = sum((work(layer) for layer in network.layers), Work({}))
    toggles = energy.toggles_estimate(candidate.needed.ff, found.interval)
    total = energy.estimate(done, found.interval, setting.clock_mhz, candidate.needed.ff, toggles, setting.device).total
    return replace(candidate, pace=Pace(found.interval, found.latency), energy_uj=total.value)


def _rank(each: Estimated, requirement: Requirement) -> tuple[float, ...]:
    error = each.variant.error or 0.0 if requirement.minimise == "per" else 0.0
    return error, each.value(requirement.minimise), each.share, each.latency_us
