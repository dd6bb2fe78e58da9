"""Everything that a search has tried: error over latency, energy and resources, as plots and as a table."""

from collections.abc import Iterable
from dataclasses import dataclass

from ernn.params.methods import METHODS
from ernn.records.exploration import ExplorationRecord, HardwareRow
from ernn.report import scatter
from ernn.report.exploration_tables import table
from ernn.report.exploration_words import NONE, QUANTITIES, chosen_row, clock, described, dev_per, device, obtained
from ernn.report.metrics import show
from ernn.report.page import literal
from ernn.report.scatter import Axis, Point

PLOTTED = ("latency_us", "energy_uj", "lut", "ff", "dsp", "bram")
LEGEND = "legend"
TIMES = "latency-"  # begins the names of plots of latency
FRONT_LINE = "nothing lies on the lower left side of this line"
BOUND_LINE = "a bound of the requirement"
MARKS = dict(zip(METHODS, scatter.MARKS, strict=True))


@dataclass(frozen=True)
class Tried:
    """An accelerator with what is known of its design; `number` is that of its trial, `dev_per` None: not known."""

    row: HardwareRow
    number: int | None
    method: str
    what: str
    dev_per: float | None
    error: str
    known: bool  # the error rate is measured at the end of a training, not a bound

    @property
    def label(self) -> str:
        """A few characters for a plot."""
        return self.row.design if self.number is None else str(self.number)


def tried(record: ExplorationRecord) -> list[Tried]:
    """Accelerators of the trials, of the front and those verified, each once.

    The chosen one comes first, then the verified ones, then those that keep the requirement; each by what is minimised.
    """
    estimates = [each.hardware for each in record.trials if each.hardware is not None]
    rows = dict.fromkeys([*record.verified, *record.front, *estimates])
    found = [_tried(record, row) for row in rows]
    bound = next((limit.bound for limit in record.limits if limit.quantity == "per"), float("inf"))

    quantity, best = QUANTITIES.get(record.minimised, QUANTITIES["share"]), chosen_row(record)

    def order(each: Tried) -> tuple[bool, bool, bool, float, int]:
        kept = each.known and each.dev_per is not None and each.dev_per <= bound and not each.row.binds
        cost = each.dev_per if record.minimised == "per" else quantity.of(each.row)
        return each.row != best, not each.row.verified, not kept, cost or 0.0, each.number or 0

    return sorted(found, key=order)


def _tried(record: ExplorationRecord, row: HardwareRow) -> Tried:
    for number, trial in enumerate(record.trials, start=1):
        if trial.design == row.design:
            known = trial.verdict != "stopped"
            if row.dev_per is not None:
                error = f"{show('per', row.dev_per)} (integer)"
                return Tried(row, number, trial.method, described(trial), row.dev_per, error, True)
            return Tried(row, number, trial.method, described(trial), trial.dev_per, dev_per(trial), known)
    for network in record.dense:
        if network.network == row.design:
            error = show("per", network.dev_per)
            return Tried(row, None, "dense", f"{network.network}, dense", network.dev_per, error, True)
    return Tried(row, None, "dense", row.design, None, NONE, False)


def plotted(record: ExplorationRecord) -> bool:
    """Whether there is a plot: two accelerators at least, the error rates of which are known."""
    return sum(each.dev_per is not None for each in tried(record)) > 1


def names(record: ExplorationRecord) -> list[tuple[str, str]]:
    """Pictures and their captions; none where there is no plot."""
    if not plotted(record):
        return []
    errors = [(name, f"Phone error rate on the dev split over {QUANTITIES[name].title}") for name in PLOTTED]
    if not of_chosen(record):
        return [(LEGEND, "Marks of the plots"), *errors]
    latency, *others = (QUANTITIES[name].title for name in PLOTTED)
    title = latency[0].upper() + latency[1:]
    times = [
        (TIMES + name, f"{title} over {other}: accelerators of {record.chosen}")
        for name, other in zip(PLOTTED[1:], others, strict=True)
    ]
    return [(LEGEND, "Marks of the plots"), *errors, *times]


def of_chosen(record: ExplorationRecord) -> list[Tried]:
    """Accelerators of the chosen network, which all make its errors; none where fewer than two differ in latency."""
    chosen = chosen_row(record)
    if chosen is None:
        return []
    found = [
        each
        for each in _current(tried(record))
        if (each.row.design, each.row.dev_per) == (chosen.design, chosen.dev_per)
    ]
    return found if len({each.row.latency_us for each in found}) > 1 else []


def picture(record: ExplorationRecord, name: str, caption: str) -> str:
    """One of `names` as SVG."""
    found = [each for each in _current(tried(record)) if each.dev_per is not None]
    if name == LEGEND:
        return scatter.legend(_meanings(record, found), caption, (("front", FRONT_LINE), ("bound", BOUND_LINE)))
    bound = {limit.quantity: limit.bound for limit in record.limits}
    quantity = name.removeprefix(TIMES)
    if quantity == name:
        shown, y = _best_of_each(record, found, name), Axis("PER, dev split (%)", bound.get("per"))
        heights = {each.row: each.dev_per or 0.0 for each in shown}
    else:
        shown, y = of_chosen(record), Axis(QUANTITIES["latency_us"].title, bound.get("latency_us"))
        heights = {each.row: each.row.latency_us for each in shown}
    first = {each.row.design: each for each in reversed(shown)}  # one label a design
    points = [_point(record, each, quantity, heights[each.row], each is first[each.row.design]) for each in shown]
    points.sort(key=lambda each: (each.ringed, each.filled))
    across = Axis(QUANTITIES[quantity].title, bound.get(quantity))
    places = [(QUANTITIES[quantity].of(each.row), heights[each.row]) for each in shown if each.known]
    return scatter.scatter(points, across, y, caption, stair(places))


def _best_of_each(record: ExplorationRecord, found: list[Tried], name: str) -> list[Tried]:
    """Of accelerators that make the same errors, as those of one network do, the best in a quantity; and the chosen.

    All of them would be a row of marks side by side.
    """
    best: dict[tuple[str, str, bool], Tried] = {}
    for each in found:
        key, value = (each.row.design, each.error, each.row.verified), QUANTITIES[name].of(each.row)
        if key not in best or value < QUANTITIES[name].of(best[key].row):
            best[key] = each
    kept = {each.row for each in best.values()} | {chosen_row(record)}
    return [each for each in found if each.row in kept]


def front_of(found: list[Tried]) -> set[HardwareRow]:
    """Accelerators that no other one beats: none is at most as great in every quantity and smaller in one.

    Quantities are the phone error rate and those of the plots. An estimate counts where nothing was synthesized in its
    place.
    """
    known = [(each.row, _quantities(each)) for each in _current(found) if each.known and each.dev_per is not None]
    return {
        row
        for row, mine in known
        if not any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for _, other in known)
    }


def _quantities(each: Tried) -> tuple[float, ...]:
    return (each.dev_per or 0.0, *(QUANTITIES[name].of(each.row) for name in PLOTTED))


def one_device(found: list[Tried]) -> str:
    """The device of all accelerators; empty where there are several."""
    devices = {each.row.device for each in found}
    return device(*devices) if len(devices) == 1 else ""


def section(record: ExplorationRecord) -> str:
    """All accelerators as a table."""
    found = tried(record)
    front, alone = front_of(found), one_device(found)
    head = (
        *("design", "trial", "on the front", "PER, dev split", "device", "arrays", "LUT", "FF", "DSP", "block RAM"),
        *("scarcest resource", "latency", "frames/s", "clock", "energy of a frame (estimate)", "obtained", "binds"),
    )
    rows = [
        (
            each.row.design,
            NONE if each.number is None else str(each.number),
            NONE if each.dev_per is None else "yes" if each.row in front else "no",
            each.error,
            "" if alone else device(each.row.device),
            each.row.sizes,
            *(QUANTITIES[name].text(getattr(each.row.used, name)) for name in ("lut", "ff", "dsp", "bram")),
            QUANTITIES["share"].text(each.row.share),
            show("latency_us", each.row.latency_us),
            f"{each.row.frames_per_s:,.0f}",
            clock(each.row),
            show("energy_uj_per_frame", each.row.energy_uj),
            obtained(each.row),
            ", ".join(each.row.binds),
        )
        for each in found
    ]
    text = table(head, rows, record.chosen)
    return f"All of them are for {literal(alone)}.\n\n{text}" if alone else text


def _point(record: ExplorationRecord, each: Tried, name: str, height: float, labelled: bool) -> Point:
    quantity = QUANTITIES[name]
    value = quantity.of(each.row)
    trial = "" if each.number is None else f"trial {each.number}: "
    return Point(
        value,
        height,
        each.label if labelled else "",
        (
            f"{trial}{each.row.design}, {device(each.row.device)}",
            f"PER {each.error}, dev split; {show('latency_us', each.row.latency_us)}",
            f"{quantity.text(value)} ({quantity.how(each.row)})",
        ),
        _colour(each.method),
        MARKS.get(each.method, "circle"),
        filled=each.row.verified,
        ringed=each.row == chosen_row(record),
    )


def stair(places: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of the front of some points: each is lower than all that are at its left."""
    corners: list[tuple[float, float]] = []
    for x, y in sorted(places):
        if not corners or y < corners[-1][1]:
            corners.append((x, y))
    return corners


def _current(found: list[Tried]) -> list[Tried]:
    """Without estimates of accelerators that were synthesized."""
    verified = {_place(each.row) for each in found if each.row.verified}
    return [each for each in found if each.row.verified or _place(each.row) not in verified]


def _place(row: HardwareRow) -> tuple[str, str, str]:
    return row.design, row.device, row.sizes


def _meanings(record: ExplorationRecord, found: list[Tried]) -> list[tuple[Point, str]]:
    def mark(mark: str, colour: str, filled: bool = True, ringed: bool = False) -> Point:
        return Point(0, 0, "", (), colour, mark, filled, ringed)

    methods = list(dict.fromkeys(each.method for each in found))
    shapes = {each: (MARKS.get(each, "circle"), _colour(each)) for each in methods}
    meanings = [(mark(*shapes[each]), METHODS[each].title if each in METHODS else each) for each in methods]
    hollow = next((each.method for each in found if not each.row.verified), None)
    if hollow is not None:
        meanings.append((mark(*shapes[hollow], filled=False), "hollow: estimate; filled: synthesized and simulated"))
    ringed = next((each for each in found if each.row == chosen_row(record)), None)
    if ringed is not None:
        shape = mark(*shapes[ringed.method], filled=ringed.row.verified, ringed=True)
        meanings.append((shape, "in a ring: the chosen one"))
    return meanings


def _colour(method: str) -> str:
    """Black would not be seen on dark paper."""
    colour = METHODS[method].colour if method in METHODS else "#000000"
    return "currentColor" if colour == "#000000" else colour
