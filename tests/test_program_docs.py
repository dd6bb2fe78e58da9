"""The numbers of docs/program.md are those that the kernels compute."""

import dataclasses
import re
from pathlib import Path

import numpy as np

from ernn.dataflow import activation, fourier, transforms
from ernn.dataflow.activation import Table
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.dataflow.value import Constant
from ernn.golden.integers import Integers, Log

TEXT = (Path(__file__).parents[1] / "docs/program.md").read_text()


def example(name: str) -> dict[str, str]:
    """The lines of an example by their first word."""
    lines = re.search(rf"<!-- example: {name} -->\n((?:    .*\n)+)", TEXT)[1].splitlines()
    return {key: rest.strip() for key, rest in (line.split(maxsplit=1) for line in lines)}


def integers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def typed(values: list[int], bits: int = 8) -> list[Integers]:
    format = Format(bits, 0)
    return [Integers(np.array([value]), format.low, format.high, 0, Log()) for value in values]


def settings(text: str) -> dict[str, list[int]]:
    """Words, each with the numbers behind it."""
    return {word: integers(numbers) for word, numbers in re.findall(r"([a-z_]+)((?: -?\d+)+)", text)}


def test_exact_product():
    found = example("exact")
    words, x = typed(integers(found["words"])), typed(integers(found["x"]))
    factors = transforms.weight_points(words, Exact()), transforms.points(x, Exact())
    rows = transforms.combine(transforms.products(*factors, Exact()), 2, Exact(), "sums")
    assert [int(row.array[0]) for row in rows] == integers(found["Wx"])


def test_fourier_transform():
    found = example("fourier")
    spec = settings(found["spec"])
    twiddles = [Constant(twiddle, spec["fraction"][0]) for twiddle in spec["twiddles"]]
    spectrum = fourier.forward(typed(integers(found["x"])), twiddles, spec["forward"])
    assert [int(word.array[0]) for word in spectrum] == integers(found["spectrum"])
    assert {word.fraction for word in spectrum} == {-3}


def test_table():
    found = example("table")
    values = settings(found["table"])
    table = Table(
        "sigmoid",
        Format(*values["input"]),
        Format(*values["output"]),
        tuple(values["bounds"]),
        tuple(values["slopes"]),
        values["slope_fraction"][0],
        tuple(values["offsets"]),
        values["offset_fraction"][0],
    )
    a = Integers(np.array(integers(found["a"])), table.input.low, table.input.high, table.input.fraction, Log())
    assert activation.activate(a, table, "").array.tolist() == integers(found["sigma"])


def test_every_field_of_a_program_is_named():
    """Fields of the JSON, as they would be written."""
    from ernn import program, program_matrices
    from ernn.dataflow import formats

    classes = [program.Program, program.Lstm, program.Gru, program_matrices.Circulant]
    classes += [
        program.Frontend,
        program.Decoder,
        program_matrices.Numbers,
        program_matrices.Pruned,
        program.Output,
        transforms.Fourier,
        Table,
        activation.Activations,
    ]
    names = {field.name for each in [*classes, formats.Format] for field in dataclasses.fields(each)} - {"kind"}
    assert {name for name in names if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT} == set()
