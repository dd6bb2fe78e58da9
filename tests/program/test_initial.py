"""Initial states in program files: the same after a round trip, and refused where they do not fit."""

import numpy as np
import pytest

from ernn.golden.model import Golden
from ernn.program import files
from tests import programs
from tests.program.damage import parts, put, refused


@pytest.mark.parametrize("layers", [None, [0], [1]])
def test_initial_states_come_back_and_are_left_out_where_there_are_none(layers, tmp_path):
    program = programs.build(**programs.STRUCTURES["gru"])
    begun = programs.begun(program, layers=layers)
    files.save(program, tmp_path / "zeros")
    files.save(begun, tmp_path / "program")
    text, _ = parts(tmp_path / "zeros")
    assert "initial" not in text
    loaded = files.load(tmp_path / "program")
    assert files.digest(loaded) == files.digest(begun) != files.digest(program)
    for ours, theirs in zip(begun.layers, loaded.layers, strict=True):
        assert (ours.initial is None) == (theirs.initial is None)
        if ours.initial is not None:
            assert (ours.initial.y == theirs.initial.y).all()
            assert (ours.initial.c == theirs.initial.c).all()
    x = programs.features(4)
    (found, _), (wanted, _), (zeros, _) = (Golden(each).run(x) for each in (loaded, begun, program))
    assert (found == wanted).all()
    assert (wanted != zeros).any()


@pytest.mark.parametrize("array", ["y", "c"])
def test_initial_states_that_do_not_fit_are_refused_in_a_line(array, tmp_path):
    files.save(programs.begun(programs.build(**programs.STRUCTURES["lstm projected"])), tmp_path / "program")
    text, arrays = parts(tmp_path / "program")
    name = f"layers.0.initial.{array}"
    for change, said in (
        (arrays[name][:-1], "is int64 of shape"),
        (arrays[name] + 5000, "do not fit in"),
        (arrays[name].astype(np.float32), "is int64 of shape"),
    ):
        assert f"initial.{array}" in (line := refused(put(tmp_path / "changed", text, arrays | {name: change})))
        assert said in line
