"""The numbers of docs/program.md are those that the kernels compute, and the files are as it says."""

import dataclasses
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ernn.dataflow import activation, formats, transforms
from ernn.dataflow.activation import Activations, Table
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact, Fourier
from ernn.golden.integers import Integers, Log
from ernn.golden.model import Golden
from ernn.golden.products import Product
from ernn.program import files, matrices, network
from ernn.program.matrices import Circulant, Numbers
from ernn.program.network import Gru, Layer, Lstm
from tests import programs

TEXT = (Path(__file__).parents[2] / "docs/program.md").read_text()


def example(name: str) -> dict[str, str]:
    """The lines of an example by their first word."""
    lines = re.search(rf"<!-- example: {name} -->\n\n?((?:    .*\n)+)", TEXT)[1].splitlines()
    return {key: rest.strip() for key, rest in (line.split(maxsplit=1) for line in lines)}


def integers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def settings(text: str) -> dict[str, list[int]]:
    """Words, each with the numbers behind it."""
    return {word: integers(numbers) for word, numbers in re.findall(r"([a-z_]+)((?: -?\d+)+)", text)}


def typed(values: list[int], format: Format, log: Log | None = None) -> Integers:
    """A vector of one utterance."""
    return Integers(np.array(values)[:, None], format.low, format.high, format.fraction, log or Log())


def block(text: str, transform: transforms.Transform, format: Format) -> Circulant:
    """One block as a matrix."""
    words = integers(text)
    return Circulant(len(words), len(words), len(words), transform, Numbers(format, np.array([[[words]]])))


def table() -> Table:
    values = settings(example("table")["table"])
    numbers = {key: value[0] if key.endswith("fraction") else tuple(value) for key, value in values.items()}
    return Table("sigmoid", **numbers | {key: Format(*values[key]) for key in ("input", "output")})


def test_exact_product():
    found, byte = example("exact"), Format(8, 0)
    product = Product(block(found["words"], Exact(), byte), Log())
    rows = product.rows(product.sums(product.points(typed(integers(found["x"]), byte))), "sums")
    assert rows.array.ravel().tolist() == integers(found["Wx"])


@pytest.mark.parametrize("products", [3, 4])
def test_fourier_product(products):
    found = example("fourier")
    spec = settings(found["spec"])
    lists = (tuple(spec[key]) for key in ("forward_shifts", "inverse_shifts"))
    transform = Fourier(products, tuple(spec["twiddles"]), *spec["twiddle_fraction"], *lists, Format(*spec["sums"]))
    log = Log(trace={})
    product = Product(block(found["words"], transform, Format(*spec["words_format"])), log)
    points = product.points(typed(integers(found["x"]), Format(8, 0), log))
    sums = product.sums(points)
    rows = product.rows(sums, "sums")
    assert numbers(rows) == (integers(found["Wx"]), 0)
    assert [int(log.trace[f"sums.{place}"].item()) for place in range(8)] == integers(found["sums"])
    if products == 4:  # the factors of three are sums of these
        assert numbers(*points) == (integers(found["spectrum"]), -3)
        assert numbers(*sums) == (integers(found["product"]), 0)


def numbers(*values: Integers) -> tuple[list[int], int]:
    """Integers and the one fraction that they have."""
    (fraction,) = {value.fraction for value in values}
    return np.concatenate([value.array.ravel() for value in values]).tolist(), fraction


def test_fourier_product_is_near_the_exact_one():
    """The columns and the product without rounding that the page gives in words."""
    columns, exact = re.search(r"first column is (.*)\neighths; .* rounding is (.*)\.\n", TEXT).groups()
    x, c = np.array(integers(example("fourier")["x"])), np.array(integers(columns)) / 8
    assert [sum(c[(r - s) % 8] * x[s] for s in range(8)) for r in range(8)] == [float(word) for word in exact.split()]
    spectrum = np.fft.fft(c)
    packed = [spectrum[0].real, spectrum[4].real, *spectrum[1:4].view(float)]
    assert [round(8 * word) for word in packed] == integers(example("fourier")["words"])


def test_table():
    found = example("table")
    result = activation.activate(typed(integers(found["a"]), table().input), table(), "")
    assert result.array.ravel().tolist() == integers(found["sigma"])


@pytest.mark.parametrize("name", ["lstm", "before", "after"])
def test_steps_of_one_cell(name):
    found = example(name)
    layer = cell(name, found)
    functions = Activations(Format(*settings(found["layer"])["preactivation"]), table(), None)
    one = Numbers(Format(4, 0), np.ones(1, np.int64))
    output = network.Output(block("1", Exact(), one.format), one, one.format)
    decoder = network.Decoder("frames", ("a",), np.zeros(1, np.float32), np.zeros((2, 1), np.float32))
    whole = network.Program(name, programs.frontend(), functions, (layer,), output, decoder)
    trace = Golden(whole).trace(np.array(integers(found["x"]))[:, None])
    lines = set(found) - {"layer", "ih", "hh", "bias", "bias_hn", "peep", "x"}
    assert {"y", "c"} < lines
    for line in lines:
        assert trace[f"layers.0.{line}"].ravel().tolist() == integers(found[line]), line


def cell(name: str, found: dict[str, str]) -> Layer:
    """The layer of an example."""
    formats = {key: Format(*value) for key, value in settings(found["layer"]).items()}
    x, y, c = (formats[key] for key in ("input", "output", "cell"))

    def column(key: str) -> Numbers:
        return Numbers(formats["weights"], np.array(integers(found[key]))[:, None])

    def matrix(key: str) -> Circulant:
        return Circulant(1, 1, 1, Exact(), Numbers(formats["weights"], column(key).integers[:, :, None, None]))

    if name == "lstm":
        return Lstm(x, y, None, c, matrix("ih"), matrix("hh"), None, column("bias"), column("peep"))
    bias_hn = Numbers(formats["weights"], np.array(integers(found["bias_hn"]))) if name == "after" else None
    return Gru(x, y, c, matrix("ih"), matrix("hh"), column("bias"), name, bias_hn)


@pytest.mark.parametrize("name", sorted(programs.STRUCTURES))
def test_the_digest_follows_from_the_files_as_the_page_says(name, tmp_path):
    made = programs.build(**programs.STRUCTURES[name])
    files.save(made, tmp_path / "program")
    structure = json.loads((tmp_path / "program/program.json").read_text(encoding="utf-8"))
    stated = structure.pop("digest")
    total = hashlib.sha256(json.dumps(structure, sort_keys=True).encode())
    with zipfile.ZipFile(tmp_path / "program/arrays.npz") as file:
        members = {member.removesuffix(".npy"): file.read(member) for member in file.namelist()}
    for place in sorted(members):
        total.update(place.encode() + members[place])
    assert total.hexdigest() == stated == files.digest(made)
    assert sorted(members) == sorted(references(structure))
    assert all(npy(np.load(tmp_path / "program/arrays.npz")[place]) == members[place] for place in members)


def references(tree: object) -> Iterator[str]:
    """Names of the arrays that a structure refers to."""
    if isinstance(tree, dict) and set(tree) == {"array"}:
        yield tree["array"]
    elif isinstance(tree, dict | list):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from references(each)


def npy(array: np.ndarray) -> bytes:
    """Bytes of an array as the page describes them."""
    kinds = [("|i1", 7), ("<i2", 15), ("<i4", 31), ("<i8", 63)]
    largest = max((max(int(n), ~int(n)) for n in array.ravel()), default=0) if array.dtype.kind == "i" else 0
    type = next(name for name, bits in kinds if largest < 1 << bits) if array.dtype.kind == "i" else "<f4"
    header = re.search(r"^    (\{'descr'.*)\n", TEXT, re.MULTILINE)[1].replace("<i2", type)
    header = header.replace("(4, 8)", str(array.shape)).ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header + array.astype(type).tobytes()


def test_every_field_of_a_program_is_named():
    kinds = [network.Program, Lstm, Gru, network.Output, network.Frontend, network.Decoder, Activations, Table]
    kinds += [Circulant, matrices.Pruned, Numbers, Format, Exact, Fourier]
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert {name for name in names if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT} == set()


def test_limits_are_those_of_the_kernels():
    assert f"b is 2 to {formats.LARGEST_BITS}" in TEXT
    assert f"one of {', '.join(map(str, transforms.BLOCK_SIZES))}" in TEXT
