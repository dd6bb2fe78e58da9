"""What a run takes: pods, how many at once, time, storage, and the cost of each design, from measured stage times."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, TypeAdapter, ValidationError

from ernn.errors import UserError, complaints
from workflow.declaration import Declaration, Task


class Measured(BaseModel):
    """Mean of the measured tasks of a stage."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    stage: str
    wall_s: NonNegativeFloat
    cpu_s: NonNegativeFloat
    output_mb: NonNegativeFloat


@dataclass(frozen=True)
class Plan:
    """Estimates from measured times; an entry of tasks is a design, a program, an accelerator."""

    pods: int
    peak: int
    longest_s: float
    cpu_hours: float
    storage_mb: float
    entries: Mapping[str, float]  # CPU hours of the tasks that are an entry's alone
    common: float  # CPU hours of all others
    unmeasured: tuple[str, ...]


def measured(file: Path) -> dict[str, Measured]:
    """Times by stage, as `python -m bench.stages` records them.

    Raises:
        UserError: no such file, or another one.
    """
    try:
        rows = TypeAdapter(dict[str, object]).validate_json(file.read_bytes())["rows"]
        return {row.stage: row for row in TypeAdapter(list[Measured]).validate_python(rows)}
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; make it with `python -m bench.stages`") from None
    except (ValidationError, KeyError) as error:
        reason = complaints(error) if isinstance(error, ValidationError) else "no rows"
        raise UserError(f"{file}: not what `python -m bench.stages` writes: {reason}") from None


def plan(declaration: Declaration, times: Mapping[str, Measured]) -> Plan:
    """What a run of all tasks takes when each starts as soon as it can."""
    nothing = Measured(stage="", wall_s=0, cpu_s=0, output_mb=0)
    cost = {task.name: times.get(task.stage, nothing) for task in declaration.tasks}
    begins: dict[str, float] = {}
    ends: dict[str, float] = {}
    for task in declaration.ordered():
        begins[task.name] = max((ends[name] for name in declaration.graph[task.name]), default=0.0)
        ends[task.name] = begins[task.name] + cost[task.name].wall_s
    entries: dict[str, float] = {}
    for task in declaration.tasks:
        if task.key:
            entries[task.key] = entries.get(task.key, 0.0) + cost[task.name].cpu_s / 3600
    total = sum(each.cpu_s for each in cost.values()) / 3600
    return Plan(
        sum(task.pods for task in declaration.tasks),
        _peak(declaration.tasks, begins, ends),
        max(ends.values(), default=0.0),
        total,
        sum(each.output_mb for each in cost.values()),
        entries,
        total - sum(entries.values()),
        tuple(sorted({task.stage for task in declaration.tasks} - set(times))),
    )


def _peak(tasks: tuple[Task, ...], begins: Mapping[str, float], ends: Mapping[str, float]) -> int:
    """The most pods that run at a time."""
    return max(
        (
            sum(other.pods for other in tasks if begins[other.name] <= begins[task.name] < ends[other.name])
            for task in tasks
        ),
        default=0,
    )


def text(found: Plan, price: float | None) -> str:
    """A plan for a person.

    Args:
        price: of a CPU hour, in whatever currency.
    """
    lines = [
        f"pods: {found.pods}, at most {found.peak} at a time",
        f"time: {found.longest_s / 60:.1f} min from start to end, if a machine is free for each pod (estimate)",
        f"processor time: {found.cpu_hours:.2f} h in all, {found.common:.2f} h of it in stages that all entries share "
        "(estimate)",
        f"storage: {found.storage_mb:.0f} MB for the outputs of all tasks (estimate)",
    ]
    if price is not None:
        lines.append(f"price: {found.cpu_hours * price:.2f} at {price:g} for an hour of processor time (estimate)")
    if found.unmeasured:
        lines.append(f"not measured, counted as nothing: {', '.join(found.unmeasured)}")
    lines.append("estimates are sums of what each stage took in `python -m bench.stages` (docs/benchmarks/stages.md)")
    if found.entries:
        priced = "" if price is None else ", and its price"
        lines.append(f"processor time of the stages of each network, design, program or accelerator alone{priced}:")
    width = max((len(name) for name in found.entries), default=0)
    for name, hours in found.entries.items():
        cost = "" if price is None else f"  {hours * price:8.3f}"
        lines.append(f"  {name:{width}}  {hours:7.3f} h{cost}")
    return "\n".join(lines)
