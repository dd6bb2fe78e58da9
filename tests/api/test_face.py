"""The face: what `import ernn` loads, its names, the form of results, and mistakes in one line."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ernn
from ernn.errors import UserError
from tests.api.networks import data, narrowing, network


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_loads_nothing_large():
    assert run("import sys, ernn; print(*sorted({'torch', 'numpy', 'pydantic', 'scipy'} & set(sys.modules)))") == "\n"


WITHOUT_TORCH = """
import sys
import numpy as np
import ernn

program = ernn.load(sys.argv[1])
program.predict(np.zeros((2, 6)))
program.stream()(np.zeros(6))
ernn.generate(program, minimise="share").write(sys.argv[2])
print('torch' in sys.modules)
"""


def test_a_program_is_read_run_and_generated_without_torch(tmp_path):
    ernn.quantize(network(), data(6)).save(tmp_path / "program")
    assert run(WITHOUT_TORCH, str(tmp_path / "program"), str(tmp_path / "out")) == "False\n"


def test_every_name_of_the_face_exists_and_no_other():
    assert set(ernn.__all__) <= set(dir(ernn))
    assert all(getattr(ernn, name).__doc__ for name in ernn.__all__)
    packages = {each.stem for each in (Path(ernn.__file__).parent).iterdir()}
    assert not packages & set(ernn.__all__)  # a package would take the name's place
    with pytest.raises(AttributeError, match="no attribute 'convert'"):
        ernn.convert  # noqa: B018


@pytest.mark.parametrize("form", ["one", "stack", "list", "torch"])
def test_results_have_the_form_of_what_went_in(form):
    model = network()
    program = ernn.quantize(model, data(6))
    x = {"one": data(6)[0], "stack": data(6), "list": [*data(6), data(6, 5)[0]], "torch": torch.from_numpy(data(6))}[
        form
    ]
    for predict in (model.predict, program.predict):
        found = predict(x)
        if form == "list":
            assert [each.shape for each in found] == [(len(each), 3) for each in x]
        else:
            assert found.shape == (*x.shape[:-1], 3)


def test_sequences_do_not_know_of_each_other():
    program, x = ernn.quantize(network(), data(6)), [data(6, steps)[0] for steps in (3, 9, 1)]
    together = program.predict(x)
    for each, alone in zip(together, x, strict=True):
        np.testing.assert_array_equal(each, program.predict(alone))


def test_files_are_read_back(tmp_path):
    model = network()
    model.save(tmp_path / "model")
    program = ernn.quantize(model, data(6))
    program.save(tmp_path / "program")
    x = data(6)
    again, integers = ernn.load(tmp_path / "model"), ernn.load(str(tmp_path / "program"))
    assert isinstance(again, ernn.Model)
    assert isinstance(integers, ernn.Program)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    np.testing.assert_array_equal(integers.predict(x), program.predict(x))


def test_objects_say_what_they_are(tmp_path):
    model = ernn.compress(network(), (data(6), data(3)), 4, epochs=2, progress=False)
    program = ernn.quantize(model, data(6))
    accelerator = ernn.generate(program, "ecp5-85f", minimise="share", clock_mhz=50)
    assert "Model: 6 inputs, 1 x lstm of 8 cells, 3 outputs" in repr(model)
    assert "layers.0.weight_hh  4 x 8 x 8" in repr(model)
    assert "circulant, k = 4" in repr(model)
    assert "6 inputs of 12 bits" in repr(program)
    said = [[re.split(" {2,}", line) for line in repr(each).splitlines()] for each in (model, program)]
    assert said[0][2][-2:] == said[1][2][-2:]  # structure and stored words of layers.0.weight_ih
    assert "dense" in repr(program)  # the output layer
    assert "ecp5-85f" in repr(accelerator)
    assert "a step every" in repr(accelerator.estimate)
    assert "at 50 MHz" in repr(accelerator)
    assert "largest difference" in repr(program.compare(model, data(6)))
    for made in (model, program, accelerator):
        assert "0x" not in repr(made)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda model: model.predict(data(5)), r"x\[0\]: \(time, 6\) with at least one step, got shape \(12, 5\)"),
        (lambda model: model.predict([]), "x: at least one sequence, got none"),
        (lambda model: model.predict("abc"), "x: an array of numbers .* got str"),
        (lambda model: model.predict(np.zeros((0, 6))), "with at least one step, got shape"),
        (lambda model: model.predict(np.full((2, 6), np.nan)), "must be finite, got nan at step 0, element 0"),
        (lambda model: ernn.quantize(model, data(6), bits=40), "^bits: a whole number of 4 to 18, or .*, got 40$"),
        (lambda model: ernn.quantize(model, data(6), bits=12.0), "^bits: a whole number of 4 to 18, or .*, got 12.0$"),
        (lambda model: ernn.quantize(model, data(6), name="a b"), "name: "),
        (lambda model: ernn.load("/nowhere"), "/nowhere: no such file"),
        (lambda model: ernn.generate(ernn.quantize(model, data(6)), "xc7z021"), "xc7z021"),
        (
            lambda model: ernn.quantize(model, data(6)).compare(network(outputs=2), data(6)),
            "2 outputs, the program 6 inputs and 3 outputs;",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), 6), "block_size"),
        (
            lambda model: ernn.compress(model, (data(6), data(3)), 4, density=0.0),
            "density=0.0: a number above 0 and at most 1",
        ),
        (
            lambda model: ernn.compress(model, (data(6), data(3)), 4, density=0.1),
            "density=0.1 leaves less than one of the 2 blocks in a row of layer 0's input matrix; give 0.5 or more",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), 4, density="0.5"), "density=0.5: a number above 0 and"),
        (
            lambda model: ernn.compress(narrowing(), (data(6), data(3)), 2, density=0.4),
            "less than one of the 2 blocks in a row of head.1.weight; give 0.5 or more, or smaller blocks",
        ),
        (lambda model: ernn.compress(model, (data(6), data(3)), epochs=1), "epochs=1: at least 2"),
        (lambda model: ernn.compress(model, (data(6), data(3)[:2])), "a target for each of the 3 sequences, got 2"),
        (lambda model: ernn.compress(model, (data(6), data(3, 5))), r"got shape \(5, 3\) for a sequence of 12 steps"),
        (
            lambda model: ernn.compress(model, (data(6), data(4))),
            r"targets of 3 outputs, got shape \(12, 4\); class",
        ),
        (lambda model: ernn.compress(model, (data(6), data(1))), r"targets of 3 outputs, got shape \(12, 1\)"),
        (lambda model: ernn.compress(model, (data(6), np.full((3, 12), 3))), "classes are 0 to 2, .* got 3"),
        (lambda model: ernn.compress(model, (data(6), np.full(3, -1))), "classes are 0 to 2, .* got -1"),
        (lambda model: ernn.compress(model, data(6)), r"train: a pair \(x, y\) of data and targets, got ndarray"),
    ],
)
def test_mistakes_are_one_line(act, message):
    with pytest.raises(UserError, match=message) as refused:
        act(network())
    assert "\n" not in str(refused.value)
