"""The numbers of docs/program.md are those that the kernels compute, and the files are as it says."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ernn.dataflow import activation, formats, transforms
from ernn.dataflow.activation import Activations, Table
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact, Fourier
from ernn.devices.limits import BLOCK_SIZES
from ernn.golden.integers import Integers, Log
from ernn.golden.model import Golden
from ernn.golden.products import IntegerProduct
from ernn.program import files, matrices, network
from ernn.program.initial import Initial
from ernn.program.matrices import Circulant, Numbers
from ernn.program.network import Gru, Layer, Lstm, Rnn
from tests import programs

TYPES = {"I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "F32": "<f4"}
TEXT = (Path(__file__).parents[2] / "docs/program.md").read_text()
PROSE = " ".join(TEXT.split())


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
    product = IntegerProduct(block(found["words"], Exact(), byte), Log())
    rows = product.rows(product.sums(product.factors(typed(integers(found["x"]), byte))), "sums")
    assert rows.array.ravel().tolist() == integers(found["Wx"])


@pytest.mark.parametrize("products", [3, 4])
def test_fourier_product(products):
    found = example("fourier")
    spec = settings(found["spec"])
    lists = (tuple(spec[key]) for key in ("forward_shifts", "inverse_shifts"))
    transform = Fourier(products, tuple(spec["twiddles"]), *spec["twiddle_fraction"], *lists, Format(*spec["sums"]))
    log = Log(trace={})
    product = IntegerProduct(block(found["words"], transform, Format(*spec["words_format"])), log)
    factors = product.factors(typed(integers(found["x"]), Format(8, 0), log))
    sums = product.sums(factors)
    rows = product.rows(sums, "sums")
    assert numbers(rows) == (integers(found["Wx"]), 0)
    assert [int(log.trace[f"sums.{place}"].item()) for place in range(8)] == integers(found["sums"])
    if products == 4:  # the factors of three are sums of these
        assert numbers(*factors) == (integers(found["spectrum"]), -3)
        assert numbers(*sums) == (integers(found["product"]), 0)


def numbers(*values: Integers) -> tuple[list[int], int]:
    """Integers and the one fraction that they have."""
    (fraction,) = {value.fraction for value in values}
    return np.concatenate([value.array.ravel() for value in values]).tolist(), fraction


def test_fourier_product_is_near_the_exact_one():
    """The columns and the product without rounding that the page gives in words."""
    columns, exact = re.search(r"first column is ([-\d ]+) eighths; .*? rounding is ([-\d. ]+)\.", PROSE).groups()
    x, c = np.array(integers(example("fourier")["x"])), np.array(integers(columns)) / 8
    assert [sum(c[(r - s) % 8] * x[s] for s in range(8)) for r in range(8)] == [float(word) for word in exact.split()]
    spectrum = np.fft.fft(c)
    packed = [spectrum[0].real, spectrum[4].real, *spectrum[1:4].view(float)]
    assert [round(8 * word) for word in packed] == integers(example("fourier")["words"])


def test_table():
    found = example("table")
    result = activation.activate(typed(integers(found["a"]), table().input), table(), "")
    assert result.array.ravel().tolist() == integers(found["sigma"])


@pytest.mark.parametrize("name", ["lstm", "before", "after", "rnn"])
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
    assert ({"y", "h"} if name == "rnn" else {"y", "c"}) < lines
    for line in lines:
        assert trace[f"layers.0.{line}"].ravel().tolist() == integers(found[line]), line


def cell(name: str, found: dict[str, str]) -> Layer:
    """The layer of an example."""
    formats = {key: Format(*value) for key, value in settings(found["layer"]).items()}
    x, y, c = (formats.get(key) for key in ("input", "output", "cell"))

    def column(key: str) -> Numbers:
        return Numbers(formats["weights"], np.array(integers(found[key]))[:, None])

    def matrix(key: str) -> Circulant:
        return Circulant(1, 1, 1, Exact(), Numbers(formats["weights"], column(key).integers[:, :, None, None]))

    if name == "rnn":
        return Rnn(x, y, matrix("ih"), matrix("hh"), column("bias"))
    if name == "lstm":
        return Lstm(x, y, None, c, matrix("ih"), matrix("hh"), None, column("bias"), column("peep"))
    bias_hn = Numbers(formats["weights"], np.array(integers(found["bias_hn"]))) if name == "after" else None
    return Gru(x, y, c, matrix("ih"), matrix("hh"), column("bias"), name, bias_hn)


@pytest.mark.parametrize("name", sorted(programs.STRUCTURES))
def test_a_file_is_read_and_its_digest_computed_as_the_page_says(name, tmp_path):
    made = programs.build(**programs.STRUCTURES[name])
    files.save(made, tmp_path / "program")
    structure, arrays = read(tmp_path / "program")
    stated = structure.pop("digest")
    assert sorted(arrays) == sorted(references(structure))
    total = hashlib.sha256(json.dumps(structure, sort_keys=True).encode())
    for place in sorted(arrays):
        total.update(lines(place, arrays[place]))
    assert total.hexdigest() == stated == files.digest(made)
    assert structure["version"] == network.VERSION
    bias = arrays["layers.0.bias.integers"]
    assert bias.tolist() == made.layers[0].bias.integers.tolist()


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Structure and arrays of a file, by what the page says of its bytes and without safetensors."""
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    structure = json.loads(header.pop("__metadata__")["ernn"])
    arrays, spans = {}, []
    for name, entry in header.items():
        assert set(entry) == {"dtype", "shape", "data_offsets"}
        spans.append(entry["data_offsets"])
        first, last = (start + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(whole[first:last], TYPES[entry["dtype"]]).reshape(entry["shape"])
    starts, ends = zip(*sorted(spans), strict=True)
    assert (0, *ends) == (*starts, len(whole) - start)
    return structure, arrays


def references(tree: object) -> Iterator[str]:
    """Names of the arrays that a structure refers to."""
    if isinstance(tree, dict) and set(tree) == {"array"}:
        yield tree["array"]
    elif isinstance(tree, dict | list):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from references(each)


def lines(name: str, array: np.ndarray) -> bytes:
    """What the digest takes of an array, by the line of the page, in the narrowest type that holds it."""
    kinds = [("I8", 7), ("I16", 15), ("I32", 31), ("I64", 63)]
    largest = max((max(int(n), ~int(n)) for n in array.ravel()), default=0) if array.dtype.kind == "i" else 0
    type = next(name for name, bits in kinds if largest < 1 << bits) if array.dtype.kind == "i" else "F32"
    assert array.dtype == TYPES[type]
    line = re.search(r"\n    (layers\.0\.bias\.integers .*\n)\n", TEXT)[1]
    line = line.replace("layers.0.bias.integers", name).replace("I16", type).replace("[4, 8]", str(list(array.shape)))
    return line.encode() + array.astype(TYPES[type]).tobytes()


def test_every_field_of_a_program_is_named():
    kinds = [network.Program, Lstm, Gru, network.Output, network.Frontend, network.Decoder, Activations, Table]
    kinds += [
        network.Dense,
        Initial,
        Circulant,
        matrices.Sparse,
        matrices.Pruned,
        Numbers,
        Format,
        Exact,
        Fourier,
    ]
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert {name for name in names if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT} == set()


def test_limits_are_those_of_the_kernels():
    assert f"b is 2 to {formats.LARGEST_BITS}" in PROSE
    assert f"one of {', '.join(map(str, BLOCK_SIZES))}" in PROSE
