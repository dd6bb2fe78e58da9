"""What a design search found, in words and tables, for every way in which a search may end."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ernn.records.exploration import ExplorationRecord
from ernn.report import exploration, terms
from ernn.report.published import published
from tests.report.explorations import ALL, FOUND, NEAREST, one_network, rows

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def headline(record: ExplorationRecord) -> str:
    return exploration.markdown(record).split("\n\n")[1]


def test_the_headline_says_what_was_asked_and_chosen():
    text = headline(FOUND)
    assert text.startswith(
        "Asked: phone error rate on the dev split at most 18.20 %: 2 points above the dense network; "
    )
    assert "with the least share of the device's scarcest resource." in text
    assert text.endswith(
        "Chosen: **gru-k8** on Kintex UltraScale XCKU060. The requirement is **met with 95 % certainty**."
    )


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        (
            {"certain": False},
            "not with 95 % certainty: on the test split, the 95 % interval of its errors",
        ),
        ({"certain": False, "test": None}, "**met** on the dev split, not with 95 % certainty: the test split was not"),
        ({"met": False, "binds": ("dsp",)}, "**Not met**: the nearest design is **gru-k8** on Kintex UltraScale"),
        ({"met": False, "binds": ("dsp", "per")}, "What binds: dsp, per."),
        ({"met": False, "chosen": None, "binds": ("dsp",)}, "**Not met**: no design was chosen. What binds: dsp."),
    ],
)
def test_the_headline_says_how_it_ended(changes, end):
    assert end in headline(replace(FOUND, **changes))


def test_where_no_errors_are_limited_the_test_split_decides_nothing():
    limits = tuple(each for each in FOUND.limits if each.quantity != "per")
    text = headline(replace(FOUND, limits=limits, certain=False, minimised="per"))
    assert text.endswith("The requirement is **met**.")


@ALL
def test_sections_stand_in_their_order(record):
    titles = re.findall(r"^## (.+)", exploration.markdown(record), re.MULTILINE)
    assert titles == [
        "Requirement",
        "Trials",
        "Before training",
        "Error over latency, energy and resources",
        "The chosen design beside published systems",
        "How figures were obtained",
        "Terms",
        "About this search",
    ]


def test_each_limit_stands_beside_what_the_chosen_design_has():
    assert [row[1] for row in rows(exploration.markdown(FOUND), "required")] == [
        "17.70 % (dev split, floats)",
        "3.27 us (simulated cycles, clock estimated from levels)",
        "1,036,269 frames/s (simulated cycles, clock estimated from levels)",
        "7.7 % (synthesized)",
        "7.7 % (synthesized)",
    ]


def test_trials_stand_in_their_order_with_reason_result_error_and_cost():
    found = rows(exploration.markdown(FOUND), "design | trial | what")
    assert [row[0] for row in found] == [each.design for each in FOUND.trials]
    assert found[1][1:8] == [
        "2",
        "lstm, ADMM (E-RNN), k = 8",
        "the largest block size that fits",
        "the requirement is kept; a smaller one may cost less",
        "stopped early",
        "at least 19.90 %",
        "at least +3.70",
    ]
    assert found[5][9] == "7.7 %"
    assert found[6][9:11] == ["–", "none keeps the requirement"]


def test_bounds_say_what_binds():
    found = rows(exploration.markdown(FOUND), "network | compression")
    assert [row[:4] for row in found[:2]] == [["lstm", "k = 1", "244,784", "–"], ["lstm", "k = 4", "66,608", "14.5 %"]]
    assert found[0][5] == "latency: 31 us of at most 5 us"


def test_everything_tried_is_in_the_table_and_estimates_are_named():
    found = rows(exploration.markdown(FOUND), "design | trial | on the front")
    estimates = sum(each.hardware is not None for each in FOUND.trials)
    assert len(found) == estimates + len(FOUND.verified)
    assert {row[2] for row in found} == {"yes", "no"}
    assert [row[-1] for row in found if row[0] == "gru-k8"] == ["synthesized and simulated", "estimate"]


def test_the_chosen_design_shows_its_test_score_and_stands_above_published_systems():
    text = exploration.markdown(FOUND)
    figures = {row[0]: row[1:] for row in rows(text, "figure | value")}
    assert figures["loss, test split"] == [
        "+1.71 points (+1.05 to +1.96)",
        "measured once, paired 95 % interval",
    ]
    assert figures["energy of a frame"] == ["1.18 uJ", "estimate"]
    ours, *theirs = rows(text, "system")
    assert ours[0] == "gru-k8"
    assert ours[10:14] == ["1.18 uJ (estimate)", "849,421 (estimate)", "+1.71 (+1.05 to +1.96), test split",
                           "synthesized and simulated"]  # fmt: skip
    assert [(row[0], row[13]) for row in theirs] == [(each.name, each.confidence) for each in published()]


def test_without_a_test_score_the_loss_is_that_of_the_dev_split():
    text = exploration.markdown(NEAREST)
    assert rows(text, "system")[0][12] == "+2.40, dev split"


@pytest.mark.parametrize(
    ("minimised", "cost"),
    [("share", "7.7 %"), ("dsp", "0.1"), ("latency_us", "0.08 us"), ("energy_uj", "0.08 uJ"), ("per", "0.08 %")],
)
def test_a_cost_has_its_unit(minimised, cost):
    record = replace(FOUND, minimised=minimised)
    assert rows(exploration.markdown(record), "design | trial | what")[5][9] == cost


def test_terms_of_the_page_are_those_of_the_glossary():
    rows = [line.split(" | ", 1) for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    glossary = {row[0].removeprefix("| "): row[1].removesuffix(" |") for row in rows}
    assert {term: glossary.get(term) for term in terms.TERMS} == terms.TERMS


def test_columns_without_a_value_are_left_out_and_one_device_is_said_once():
    text = exploration.markdown(one_network(3))
    (head,) = [line for line in text.splitlines() if line.startswith("| design | trial | on the front")]
    assert "binds" not in head
    assert "device" not in head
    assert "All of them are for Kintex UltraScale XCKU060." in text


@pytest.mark.parametrize(
    ("starts", "words"), [(1, "took 4 h 0 min. It"), (3, "took 4 h 0 min in 3 starts, all of them together. It")]
)
def test_the_page_says_how_long_all_starts_took(starts, words):
    assert f"The search {words}" in exploration.markdown(replace(FOUND, starts=starts))
