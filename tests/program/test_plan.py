"""Laws that every plan keeps, whatever the layer."""

import pytest

from ernn.program.plan import JOINED, SUMS, VALUES, Plan, sums_of
from ernn.program.plans import OUTPUT, plan_of
from tests import programs

LAYERS = {
    "lstm": {"cell": "lstm"},
    "lstm projected": {"cell": "lstm", "peepholes": True, "projection": 4},
    "gru": {"cell": "gru"},
    "gru reset after": {"cell": "gru", "reset": "after"},
    "rnn": {"cell": "rnn"},
}
HEADS = {f"head, {function}": {"head": ((function, 4),)} for function in ("relu", "sigmoid", "tanh")}


@pytest.fixture(params=[*LAYERS, *HEADS, "output"])
def layer_and_plan(request: pytest.FixtureRequest) -> tuple[object, Plan]:
    program = programs.build(**(LAYERS | HEADS).get(request.param, {}))
    layer = program.head[0] if request.param in HEADS else program.layers[0]
    return (program.output, OUTPUT) if request.param == "output" else (layer, plan_of(layer.kind, layer))


def test_every_value_is_made_before_it_is_read(layer_and_plan):
    _, plan = layer_and_plan
    known = {"x", *plan.states}
    for update in plan.updates:
        vectors = {term.vector for rows in (update.rows, update.ready) if rows for term in rows.terms}
        assert {*update.reads, *vectors} <= known
        known |= {update.result, update.keeps} - {""}
    assert set(plan.states) <= {plan.result, *(each.keeps for each in plan.updates)}


def test_every_gate_of_every_matrix_is_used_once(layer_and_plan):
    layer, plan = layer_and_plan
    matrices = {term.matrix for rows in plan.rows for term in rows.terms}
    assert matrices == set(getattr(layer, "matrices", {"weight"}))
    for matrix in matrices:
        gates = [gate for rows in plan.rows if matrix in {term.matrix for term in rows.terms} for gate in rows.gates]
        assert gates in ([], list(plan.gates))
    assert sorted(gate for each in plan.recurrent for gate in each.gates) == sorted(plan.gates)


def test_every_number_of_the_program_is_read_once(layer_and_plan):
    layer, plan = layer_and_plan
    for field in ("bias", "peephole", "bias_hn"):
        numbers = getattr(layer, field, None)
        rows = [
            (each.first + n)
            for u in plan.updates
            for each in u.constants
            if each.field == field
            for n in range(len(each.names))
        ]
        size = getattr(layer, "cells", None)
        wanted = 0 if numbers is None else numbers.integers.size // (size or numbers.integers.size)
        assert sorted(rows) == list(range(wanted))


def test_formats_and_names_of_sums_are_known(layer_and_plan):
    _, plan = layer_and_plan
    assert all(update.result in VALUES for update in plan.updates)
    bases = {term.sums for rows in plan.rows for term in rows.terms}
    assert bases <= {*SUMS}
    for rows in plan.rows:
        assert rows.joined.startswith(JOINED)
        assert rows.names == {rows.joined, *(sums_of(term.matrix) + rows.suffix for term in rows.terms)}
