"""Tables of the page on a design search; every text of the record is shown as it is."""

from collections.abc import Iterable, Sequence

from ernn.devices.catalogue import DEVICES
from ernn.records.exploration import ExplorationRecord, HardwareRow, TrialRow
from ernn.report import exploration_words as words
from ernn.report.benchmark import CLOCKS, TITLES
from ernn.report.document import markdown_table
from ernn.report.metrics import show
from ernn.report.page import literal
from ernn.report.published import Published


def table(head: Sequence[str], rows: Iterable[Sequence[str]], strong: str | None = None) -> str:
    """Rows under a head; the row that begins with `strong` stands out. Columns without any value are left out."""
    given = [*map(list, rows)]
    used = [number for number in range(len(head)) if any(row[number] not in ("", words.NONE) for row in given)]
    head = [head[number] for number in used]
    shown = [[literal(row[number]) or words.NONE for number in used] for row in given]
    for row in shown:
        if strong is not None and row[0] == literal(strong):
            row[0] = f"**{row[0]}**"
    return markdown_table([literal(cell) for cell in head], shown)


def requirement(record: ExplorationRecord) -> str:
    """A line a limit, and what is least; what the chosen design has beside them."""
    row = words.chosen_row(record)
    trial = next((each for each in record.trials if each.design == record.chosen), None)
    rows = [(limit.text, words.value(limit.quantity, row, trial)) for limit in record.limits]
    rows.append((f"least: {words.minimised(record)}", words.value(record.minimised, row, trial)))
    return table(("required", "the chosen design has"), rows)


def dense(record: ExplorationRecord) -> str:
    """The networks that trials are compressed from."""
    rows = [
        (each.network, each.text, show("per", each.dev_per), f"{each.stored_weights:,}", "yes" if not number else "no")
        for number, each in enumerate(record.dense)
    ]
    return table(("dense network", "layers", "PER, dev split", "stored weights", "reference"), rows)


def trials(record: ExplorationRecord) -> str:
    """A line a trial, in the order in which they were made."""
    head = (
        *("design", "trial", "what", "reason", "result", "requirement", "PER, dev split", "loss (points)"),
        *("stored weights", "cost (estimate)", "hardware (estimate)", "time"),
    )
    rows = [
        (
            each.design,
            str(number),
            words.described(each),
            each.reason,
            each.result,
            words.VERDICTS[each.verdict],
            words.dev_per(each),
            f"{'at least ' if each.verdict == 'stopped' else ''}{each.dev_loss:+.2f}",
            f"{each.stored_weights:,}",
            words.cost(record, each.cost),
            "none keeps the requirement" if each.hardware is None else words.briefly(each.hardware),
            words.NONE if each.seconds is None else words.duration(each.seconds),
        )
        for number, each in enumerate(record.trials, start=1)
    ]
    return table(head, rows, record.chosen)


def bounds(record: ExplorationRecord) -> str:
    """What each block size needs at least, before any training."""
    head = ("network", "compression", "stored weights", "least cost (estimate)", "its hardware (estimate)", "binds")
    rows = [
        (
            each.network,
            each.blocks,
            f"{each.stored_weights:,}",
            words.cost(record, each.cost),
            words.NONE if each.hardware is None else words.briefly(each.hardware),
            each.binds,
        )
        for each in record.bounds
    ]
    return table(head, rows)


def comparison(record: ExplorationRecord, ours: HardwareRow, systems: Iterable[Published]) -> str:
    """The chosen design above published systems."""
    head = (
        *("system", "device", "network", "k", "stored weights", "bits", "clock", "DSP", "latency", "frames/s"),
        *("energy of a frame", "frames/s/W", "loss (points)", "known by", "source"),
    )
    return table(head, [_ours(record, ours), *map(_theirs, systems)], ours.design)


def _ours(record: ExplorationRecord, row: HardwareRow) -> tuple[str, ...]:
    trial = next((each for each in record.trials if each.design == row.design), None)
    layers = {each.network: each.text for each in record.dense}
    return (
        row.design,
        words.device(row.device),
        layers.get(trial.network, trial.network) if trial else words.NONE,
        trial.blocks.removeprefix("k = ") if trial else words.NONE,
        f"{trial.stored_weights:,}" if trial else words.NONE,
        trial.bits if trial else words.NONE,
        words.clock(row),
        words.QUANTITIES["dsp"].text(row.used.dsp),
        show("latency_us", row.latency_us),
        f"{row.frames_per_s:,.0f}",
        f"{show('energy_uj_per_frame', row.energy_uj)} (estimate)",
        f"{1e6 / row.energy_uj:,.0f} (estimate)" if row.energy_uj else words.NONE,
        _loss(record, trial),
        words.obtained(row),
        f"this search, {record.corpus}",
    )


def _loss(record: ExplorationRecord, trial: TrialRow | None) -> str:
    if record.test is not None:
        low, high = record.test.loss_low, record.test.loss_high
        return f"{record.test.loss:+.2f} ({low:+.2f} to {high:+.2f}), test split"
    return f"{trial.dev_loss:+.2f}, dev split" if trial else words.NONE


def _theirs(each: Published) -> tuple[str, ...]:
    def number(value: float | None, text: str = "{:,.0f}") -> str:
        return words.NONE if value is None else text.format(value)

    return (
        each.name,
        each.platform,
        each.cell,
        number(each.block_size),
        number(None if each.weights_m is None else 1e6 * each.weights_m),
        str(each.weight_bits),
        number(each.clock_mhz, "{:.1f} MHz"),
        number(each.dsp),
        number(each.latency_us, "{:,.2f} us"),
        number(each.frames_per_s),
        number(each.energy_uj_per_frame, "{:,.0f} uJ"),
        number(each.frames_per_s_per_w),
        number(each.per_degradation_pp, "{:+.2f}"),
        each.confidence,
        each.source,
    )


def chosen(record: ExplorationRecord, row: HardwareRow, trial: TrialRow | None) -> str:
    """Every figure of the chosen design, and how it was obtained."""
    latency = f"{show('latency_us', row.latency_us)} ({row.latency_cycles:,.0f} cycles)"
    used = [(TITLES[name], _of_device(row, name), words.synthesized(row)) for name in TITLES]
    learned = []
    if trial is not None:
        learned = [
            ("network", words.described(trial), "chosen"),
            ("stored weights", f"{trial.stored_weights:,} words", "counted"),
            ("PER, dev split", words.dev_per(trial), "measured"),
            ("loss, dev split", f"{trial.dev_loss:+.2f} points", "measured"),
        ]
    if record.test is not None:
        each = record.test
        learned += [
            ("PER, test split", f"{each.per:.2f} % ({each.per_low:.2f} to {each.per_high:.2f})", "measured once, 95 %"),
            (
                "loss, test split",
                f"{each.loss:+.2f} points ({each.loss_low:+.2f} to {each.loss_high:+.2f})",
                "measured once, paired 95 % interval",
            ),
        ]
    built = [
        ("device", words.device(row.device), "chosen"),
        ("arrays", row.sizes, "chosen"),
        *used,
        ("clock", show("clock_mhz", row.clock_mhz), CLOCKS[row.clock_kind]),
        ("cycles between frames", show("cycles_per_frame", row.cycles), words.simulated(row)),
        ("latency of a frame", latency, words.timed(row)),
        ("speed", f"{row.frames_per_s:,.0f} frames/s", words.timed(row)),
        ("energy of a frame", show("energy_uj_per_frame", row.energy_uj), "estimate"),
    ]
    return table(("figure", "value", "how it was obtained"), [*learned, *built])


def _of_device(row: HardwareRow, name: str) -> str:
    text = words.QUANTITIES[name].text(getattr(row.used, name))
    share = DEVICES[row.device].shares(row.used).get(name) if row.device in DEVICES else None
    return text if share is None else f"{text} ({100 * share:.1f} % of the device)"


def measured(record: ExplorationRecord) -> str:
    """How each kind of figure was obtained."""
    return table(("figure", "how it was obtained"), sorted(record.measured.items()))
