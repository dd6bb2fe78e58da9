"""A design search as a page for readers who never saw the code: one self-contained HTML file, or Markdown."""

from ernn.records.exploration import ExplorationRecord
from ernn.report import exploration_front, exploration_tables, terms
from ernn.report.exploration_words import chosen_row, device, duration, minimised
from ernn.report.page import literal, page
from ernn.report.published import published

INTRODUCTION = "[Terms](#terms), at the end of this page, says what PER, points, k, front, array and other words mean."
TRIALS = """\
Each network is trained dense first; PER is that of the dev split of {corpus}.

{dense}

The trials follow in the order in which they were made. A loss is the points of PER above the reference. The cost is
what shall be least, {minimised}, as the cost model estimates it for the best hardware that it finds. A trial is
*stopped early* when it could no longer meet the requirement; its PER is then the least that it could still have
reached.

{trials}{ahead}
"""
AHEAD = "Trained at the side of others, to save time, and not needed: {names}."
BOUNDS = """\
What can be known without training: the words that each block size stores, and the least cost ({minimised}) that the
cost model estimates for it. Where nothing fits, the last column says what there is too little of, or what takes too
long.

{bounds}
"""
FRONT = """\
An accelerator is on the *front* if no other one is at least as good in every quantity and better in one: quantities
are PER, latency, energy and each resource. {plots}

{table}
"""
PLOTS = """\
The first plots show errors: of accelerators of one network, which all make the same errors, the best in the quantity
of the plot, the synthesized ones, and the chosen one. {times}Numbers are those of trials. The solid line joins the best
in the two quantities of a plot, trials that were stopped early left out; a dashed line is a bound of the requirement.
Values show under the pointer; all of them are in the table below.

{pictures}
"""
TIMES = "The others show latency: every accelerator of the chosen network. "
NO_PLOTS = "Fewer than two accelerators with a known PER were found, so there is nothing to plot."
TABLE_ALONE = "The table has every accelerator that was estimated or built."
CHOSEN = """\
{sentence}

{table}

Published systems follow. *Known by* says how a figure was obtained: ours by this search; theirs *read* in the
paper itself, *cross-checked* with what another paper quotes of it, or *recalled* and not checked. Their losses are
measured on TIMIT, ours on {corpus}. Their energies are measured powers of whole boards over frames a second; ours are
uncalibrated estimates of the FPGA's core alone. Neither can be divided by the other.

{comparison}
"""
ABOUT = """\
The search took {time}. It ran with commit {commit} on {date}.

Nothing is loaded from elsewhere, and nothing made by others is embedded: no font, picture or script. Plots are drawn
by ernn.
"""


def html(record: ExplorationRecord) -> str:
    """explore.html."""
    pictures = "\n\n".join(f"![{caption}]({name})" for name, caption in exploration_front.names(record))
    times = TIMES if exploration_front.of_chosen(record) else ""
    plots = PLOTS.format(times=times, pictures=pictures) if pictures else NO_PLOTS
    return page(_document(record, plots), lambda name, caption: exploration_front.picture(record, name, caption))


def markdown(record: ExplorationRecord) -> str:
    """explore.md: the same without plots; all their values are in its tables."""
    return _document(record, TABLE_ALONE)


def _document(record: ExplorationRecord, plots: str) -> str:
    corpus = literal(record.corpus)
    ahead = f"\n\n{AHEAD.format(names=', '.join(map(literal, record.ahead)))}" if record.ahead else ""
    trials = TRIALS.format(
        corpus=corpus,
        minimised=literal(minimised(record)),
        dense=exploration_tables.dense(record),
        trials=exploration_tables.trials(record) if record.trials else "No design was tried.",
        ahead=ahead,
    )
    bounds = exploration_tables.bounds(record) if record.bounds else "No block size was estimated."
    front = exploration_front.section(record) if exploration_front.tried(record) else "No accelerator was found."
    sections = {
        "Requirement": _requirement(record),
        "Trials": trials,
        "Before training": BOUNDS.format(bounds=bounds, minimised=literal(minimised(record))),
        "Error over latency, energy and resources": FRONT.format(plots=plots, table=front),
        "The chosen design beside published systems": _chosen(record),
        "How figures were obtained": exploration_tables.measured(record) if record.measured else "It is not recorded.",
        "Terms": "\n".join(terms.items()),
        "About this search": ABOUT.format(time=taken(record), commit=literal(record.commit), date=literal(record.date)),
    }
    parts = [f"# Design search: {literal(record.name)}", headline(record), INTRODUCTION]
    parts += [f"## {title}\n\n{text.rstrip()}" for title, text in sections.items()]
    return "\n\n".join(parts) + "\n"


def taken(record: ExplorationRecord) -> str:
    """How long the search took, in words."""
    several = f" in {record.starts} starts, all of them together" if record.starts > 1 else ""
    return f"{duration(record.seconds)}{several}"


def headline(record: ExplorationRecord) -> str:
    """What was asked, what was chosen, and whether it keeps the requirement."""
    asked = "; ".join(literal(limit.text) for limit in record.limits) or "no limit"
    return f"Asked: {asked}; with the least {literal(minimised(record))}. {_answer(record)}"


def _answer(record: ExplorationRecord) -> str:
    binds = ", ".join(map(literal, record.binds))
    if record.chosen is None:
        return f"**Not met**: no design was chosen. What binds: {binds or 'not known'}."
    row = chosen_row(record)
    place = "" if row is None else f" on {literal(device(row.device))}"
    name = f"**{literal(record.chosen)}**{place}"
    if not record.met:
        return f"**Not met**: the nearest design is {name}. What binds: {binds or 'not known'}."
    if all(limit.quantity != "per" for limit in record.limits):
        return f"Chosen: {name}. The requirement is **met**."
    if record.certain:
        return f"Chosen: {name}. The requirement is **met with 95 % certainty**."
    reason = "the test split was not read"
    if record.test is not None:
        reason = "on the test split, the 95 % interval of its errors reaches beyond the requirement"
    return f"Chosen: {name}. The requirement is **met** on the dev split, not with 95 % certainty: {reason}."


def _requirement(record: ExplorationRecord) -> str:
    """The limits, and what the search was allowed."""
    allowed = []
    if record.devices:
        devices = ", ".join(literal(device(each)) for each in record.devices)
        allowed.append(f"Devices, of which the smallest is taken that keeps the requirement: {devices}.")
    if record.clock_mhz is not None:
        allowed.append(f"Pipelines are scheduled for {record.clock_mhz:g} MHz at most.")
    if record.allowed_trials is not None:
        allowed.append(f"Trials, besides the dense networks: {record.allowed_trials} at most.")
    return "\n\n".join([exploration_tables.requirement(record), *([" ".join(allowed)] if allowed else [])])


def _chosen(record: ExplorationRecord) -> str:
    row = chosen_row(record)
    trial = next((each for each in record.trials if each.design == record.chosen), None)
    if row is None:
        return "No design with hardware was chosen, so there is nothing to compare."
    how = "was synthesized and simulated" if row.verified else "is estimated, not synthesized"
    return CHOSEN.format(
        sentence=f"The accelerator of **{literal(row.design)}** {how}; its energy is an estimate.",
        table=exploration_tables.chosen(record, row, trial),
        corpus=literal(record.corpus),
        comparison=exploration_tables.comparison(record, row, published()),
    )
