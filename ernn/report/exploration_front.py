"""Everything that a search has tried: error over latency, energy and resources, as plots and as a table."""

from dataclasses import dataclass

from ernn.params.methods import METHODS
from ernn.records.exploration import ExplorationRecord, HardwareRow
from ernn.report import scatter
from ernn.report.exploration_tables import table
from ernn.report.exploration_words import NONE, QUANTITIES, chosen_row, clock, described, dev_per, device, obtained
from ernn.report.metrics import show
from ernn.report.scatter import Axis, Point

PLOTTED = ("latency_us", "energy_uj", "lut", "ff", "dsp", "bram")
LEGEND = "legend"
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
    """Accelerators of the trials, of the front and those verified, each once; by trials, the verified ones first."""
    estimates = [each.hardware for each in record.trials if each.hardware is not None]
    rows = dict.fromkeys([*record.verified, *record.front, *estimates])
    found = [_tried(record, row) for row in rows]
    last = len(record.trials) + 1
    return sorted(found, key=lambda each: (each.number or last, not each.row.verified))


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
    captions = [(name, f"Phone error rate on the dev split over {QUANTITIES[name].title}") for name in PLOTTED]
    return [(LEGEND, "Marks of the plots"), *captions]


def picture(record: ExplorationRecord, name: str, caption: str) -> str:
    """One of `names` as SVG."""
    found = [each for each in tried(record) if each.dev_per is not None]
    if name == LEGEND:
        return scatter.legend(_meanings(record, found), caption)
    first = {each.row.design: each for each in reversed(found)}  # one label a design
    points = [_point(record, each, name, each is first[each.row.design]) for each in found]
    points.sort(key=lambda each: (each.ringed, each.filled))
    bound = {limit.quantity: limit.bound for limit in record.limits}
    across = Axis(QUANTITIES[name].title, bound.get(name))
    return scatter.scatter(points, across, Axis("PER, dev split (%)", bound.get("per")), caption, stair(found, name))


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


def section(record: ExplorationRecord) -> str:
    """All accelerators as a table."""
    found = tried(record)
    front = front_of(found)
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
            device(each.row.device),
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
    return table(head, rows, record.chosen)


def _point(record: ExplorationRecord, each: Tried, name: str, labelled: bool) -> Point:
    quantity = QUANTITIES[name]
    value = quantity.of(each.row)
    trial = "" if each.number is None else f"trial {each.number}: "
    return Point(
        value,
        each.dev_per or 0.0,
        each.label if labelled else "",
        (
            f"{trial}{each.row.design}, {device(each.row.device)}",
            f"PER {each.error}, dev split",
            f"{quantity.text(value)} ({quantity.how(each.row)})",
        ),
        _colour(each.method),
        MARKS.get(each.method, "circle"),
        filled=each.row.verified,
        ringed=each.row == chosen_row(record),
    )


def stair(found: list[Tried], name: str) -> list[tuple[float, float]]:
    """Corners of the front in two quantities; an estimate counts where nothing was synthesized in its place."""
    current = _current(found)
    places = sorted(
        (QUANTITIES[name].of(each.row), each.dev_per) for each in current if each.known and each.dev_per is not None
    )
    corners: list[tuple[float, float]] = []
    for x, y in places:
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
    def mark(mark: str, colour: str = "currentColor", filled: bool = True, ringed: bool = False) -> Point:
        return Point(0, 0, "", (), colour, mark, filled, ringed)

    methods = list(dict.fromkeys(each.method for each in found))
    meanings = [
        (mark(MARKS.get(each, "circle"), _colour(each)), METHODS[each].title if each in METHODS else each)
        for each in methods
    ]
    if any(not each.row.verified for each in found):
        meanings.append((mark("circle", filled=False), "hollow: estimate; filled: synthesized and simulated"))
    if any(each.row == chosen_row(record) for each in found):
        meanings.append((mark("circle", ringed=True), "in a ring: the chosen one"))
    return meanings


def _colour(method: str) -> str:
    """Black would not be seen on dark paper."""
    colour = METHODS[method].colour if method in METHODS else "#000000"
    return "currentColor" if colour == "#000000" else colour
