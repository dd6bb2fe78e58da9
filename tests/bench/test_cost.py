"""The committed errors of the cost model are those of the Verilog that the generator writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench import cost, cost_fit
from ernn.artifacts import read_json

ROWS = json.loads(Path("docs/benchmarks/cost.json").read_text())["rows"]
MEASURED = {(row["design"], row["device"]): row["rtl"] for row in ROWS}


@pytest.mark.parametrize(("design", "device"), MEASURED)
def test_errors_were_measured_with_the_sources_of_today(design, device):
    """Else `python -m bench.cost` is due: about a quarter of an hour."""
    assert cost.rtl_digest(cost.network_of(design, device)) == MEASURED[design, device]


def test_the_errors_that_are_printed_are_those_of_the_table():
    assert read_json(cost.ERRORS) == cost.errors(ROWS)
    assert {(row["design"], row["device"]) for row in ROWS} == {
        (name, device) for name, case in cost.CASES.items() for device in case.devices
    }


def test_a_fit_finds_the_constants_that_the_counts_were_made_with():
    """Linear rows, and a ridge that weighs little against many large ones."""
    random = np.random.default_rng(1)
    present = random.uniform(0.5, 2, len(cost_fit.NAMES))
    wanted = present * random.uniform(0.5, 1.5, len(present))
    rows = []
    for number in range(200):
        gradient = random.uniform(0, 5000, (len(present), 2))
        estimate, counted = (tuple(constants @ gradient) for constants in (present, wanted))
        rows.append(cost_fit.Row(f"row {number} control", counted, estimate, gradient))
    np.testing.assert_allclose(cost_fit.fit(rows, [], present), wanted, rtol=0.02)
