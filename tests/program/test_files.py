"""Programs on disk: the same integers after a round trip, the same bytes each time, and damage never gets through."""

import io
import itertools
import json
import random
import shutil
import struct
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.program import files
from tests import programs

BIAS = "layers.0.bias.integers"
ANY_JSON = [None, True, -1, 8, 8.0, 0.5, 1e999, 10**30, 2**63, "", "8", "\ud800", "a\nb", [], [1], {}, {"array": BIAS}]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("programs") / "program"
    files.save(programs.build(**programs.STRUCTURES["lstm fourier"]), path)
    return path


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "program")


def refused(folder) -> str:
    """The one line that refuses it."""
    with pytest.raises(UserError) as error:
        files.load(folder)
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).startswith(f"{folder}")
    return str(error.value)


@given(name=st.sampled_from(sorted(programs.STRUCTURES)), seed=st.integers(0, 2**32 - 1))
def test_saved_and_loaded_it_computes_the_same_integers(name, seed):
    program = programs.build(**programs.STRUCTURES[name], seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        files.save(program, Path(folder) / "program")
        loaded = files.load(Path(folder) / "program")
    assert files.digest(loaded) == files.digest(program)
    x = programs.features(4, seed)
    (ours, state), (theirs, other) = (Golden(each).run(x) for each in (program, loaded))
    assert (ours == theirs).all()
    assert all((a[key] == b[key]).all() for a, b in zip(state, other, strict=True) for key in a)


@pytest.mark.parametrize("name", sorted(programs.STRUCTURES))
def test_a_program_its_twin_and_the_one_loaded_are_saved_as_the_same_bytes(name, tmp_path):
    for folder in ("one", "two"):
        files.save(programs.build(**programs.STRUCTURES[name]), tmp_path / folder)
    files.save(files.load(tmp_path / "one"), tmp_path / "three")
    for file in (files.STRUCTURE, files.ARRAYS):
        assert len({(tmp_path / folder / file).read_bytes() for folder in ("one", "two", "three")}) == 1


def test_any_change_gives_another_digest():
    digests = {files.digest(programs.build(seed=seed, **kind)) for seed in (1, 2) for kind in ({}, {"layers": 2})}
    assert len(digests) == 4


@pytest.mark.parametrize("file", [files.STRUCTURE, files.ARRAYS])
def test_damage_anywhere_is_refused_or_harmless(saved, tmp_path, file):
    """Bits flipped, ends cut off, bytes left out or repeated: one line, or the same program."""
    whole = (saved / file).read_bytes()
    digest = files.digest(files.load(saved))
    copy, draw = shutil.copytree(saved, tmp_path / "copy"), random.Random(1)
    refusals = []
    for _ in range(250):
        place, length = draw.randrange(len(whole)), draw.randrange(1, 9)
        kind = draw.choice(["flip", "cut", "gap", "twice"])
        damaged = {
            "flip": whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :],
            "cut": whole[:place],
            "gap": whole[:place] + whole[place + length :],
            "twice": whole[: place + length] + whole[place:],
        }[kind]
        (copy / file).write_bytes(damaged)
        try:
            assert files.digest(files.load(copy)) == digest
        except UserError as error:
            refusals.append(str(error))
    assert len(refusals) > 200
    assert all(len(line.splitlines()) == 1 and str(copy) in line for line in refusals)


def edited(folder, change):
    """The JSON with `change` made, the digest left as it was."""
    path = folder / files.STRUCTURE
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    return folder


def set_at(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(tree):
        for key in keys:
            tree = tree[key]
        tree[last] = value

    return change


def places(tree, keys=()):
    """The keys that lead to every value of a JSON."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield *keys, key
        yield from places(value, (*keys, key))


@settings(max_examples=200)
@given(data=st.data())
def test_any_value_anywhere_in_the_structure_is_refused_unless_it_was_there(saved, data):
    tree = json.loads((saved / files.STRUCTURE).read_text())
    before, stated = json.dumps(tree), tree["digest"]
    set_at(*data.draw(st.sampled_from(list(places(tree)))), data.draw(st.sampled_from(ANY_JSON)))(tree)
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(saved, Path(folder) / "program")
        (copy / files.STRUCTURE).write_text(json.dumps(tree))
        if json.dumps(tree) == before:
            assert files.digest(files.load(copy)) == stated
        else:
            refused(copy)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda tree: tree.pop("version"), "field 'version' is no whole number but None: no program"),
        (set_at("version", True), "field 'version' is no whole number but True"),
        (set_at("version", 2), "program version 2, this ernn reads 1; a newer ernn made it: install that"),
        (set_at("version", 0), "program version 0, this ernn reads 1; run the stage that makes it again"),
        (set_at("colour", "red"), "colour: "),
        (lambda tree: tree.pop("output"), "output: "),
        (set_at("layers", 0, "cell", "bits", 99), "layers.0"),
        (set_at("activations", "sigmoid_table", "bounds", "none"), "activations.sigmoid_table.bounds"),
        (set_at("decoder", "phones", [1]), "decoder.phones.0"),
        (set_at("decoder", "bigram", {"array": "elsewhere"}), "field 'elsewhere' is missing in arrays.npz"),
        (set_at("decoder", "bigram", {"array": "decoder.log_priors"}), "stands twice in program.json"),
        (set_at("decoder", "bigram", [[0.0]]), "decoder.bigram: Input should be an instance of ndarray"),
        (set_at("name", None), "name: Input should be a valid string, got None"),
        (set_at("name", [[]] * 9999), "name: Input should be a valid string, got"),
        (set_at("frontend", "kind", "mfcc"), "frontend.kind: Input should be 'logmel' or 'ernn153', got 'mfcc'"),
        (set_at("layers", 0, "kind", "rnn"), "layers.0: Input tag 'rnn' found using 'kind' does not match"),
        (set_at("layers", 0, "weight_hh", "words", "format", "bits", 4), "layers.0.lstm.weight_hh.circulant.words: "),
        (set_at("layers", 0, "input", "bits", "9"), "field 'layers.0.input.bits' must stand as 9, got \"9\""),
        (set_at("layers", 0, "input", "bits", 9.0), "field 'layers.0.input.bits' must stand as 9, got 9.0"),
        (set_at("layers", 0, "output", "fraction", True), "field 'layers.0.output.fraction' must stand as 1, got true"),
        (set_at("frontend", "window_ms", 25), "field 'frontend.window_ms' must stand as 25.0, got 25"),
        (lambda tree: tree["frontend"].pop("mean"), "field 'frontend.mean' must stand as null, got nothing"),
        (set_at("name", "other"), "field 'digest' is not that of what stands in the files"),
        (set_at("digest", "0" * 64), "field 'digest' is not that of what stands in the files"),
        (lambda tree: tree.pop("digest"), "field 'digest' is not that of what stands in the files"),
    ],
)
def test_a_structure_that_is_none_is_refused_by_field(copy, change, line):
    assert line in refused(edited(copy, change))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", "not JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"[]", "field 'version' is no whole number but None: no program"),
        (b"\xff\xfe{\0}\0", "not JSON ('utf-8' codec can't decode byte 0xff"),
        (b'{"version": 1, "version": 1}', "not JSON (a key stands twice among version, version)"),
        (b'{"version": 1, "name": NaN}', "not JSON (NaN is no number)"),
        (b'{"version": 1, "name": -Infinity}', "not JSON (-Infinity is no number)"),
        (b'{"version": 1, "name": 1%s}' % (b"0" * 5000), "not JSON (Exceeds the limit"),
        (b'{"version": 1e0}', "field 'version' is no whole number but 1.0: no program"),
        (b'{"version": 1%s}' % (b"0" * 4000), "program version 1000"),
        (b'{"version": 1, "name": %s}' % (b"[" * 600 + b"]" * 600), "nested too deeply"),
        (b'{"version": 1, "name": %s}' % (b"[" * 99999), "not JSON (maximum recursion depth exceeded"),
    ],
)
def test_text_that_is_no_structure_is_refused_shortly(copy, text, line):
    (copy / files.STRUCTURE).write_bytes(text)
    assert line in refused(copy)
    assert len(refused(copy)) < 1000


def test_numbers_beyond_all_floats_are_refused(copy):
    path = copy / files.STRUCTURE
    path.write_text(path.read_text().replace('"window_ms": 25.0', '"window_ms": 1e999'))
    assert "frontend: window_ms must be above 0 and finite, got inf" in refused(copy)


def replaced(folder, name: str, npy: bytes | None, compression: int = zipfile.ZIP_STORED):
    """The arrays with one replaced, or left out."""
    path = folder / files.ARRAYS
    with zipfile.ZipFile(path) as file:
        members = {each: file.read(each) for each in file.namelist() if each != f"{name}.npy"}
    if npy is not None:
        members[f"{name}.npy"] = npy
    with zipfile.ZipFile(path, "w", compression) as file:
        for each, content in members.items():
            file.writestr(each, content)
    return folder


def npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def header(shape: str, type: str = "'|i1'") -> bytes:
    """A .npy that claims a shape and a type and holds one byte."""
    text = f"{{'descr': {type}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0"


class Pickled:
    """Would leave the interpreter if it were unpickled."""

    def __reduce__(self):
        return sys.exit, ("unpickled",)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "field 'layers.0.bias.integers' is missing in arrays.npz"),
        (npy(np.array([[Pickled()]])), "holds object, not little-endian signed integers or float32"),
        (npy(np.zeros((4, 8), np.uint8)), "holds uint8"),
        (npy(np.zeros((4, 8), ">i2")), "holds >i2"),
        (npy(np.zeros((4, 8))), "holds float64"),
        (npy(np.zeros((4, 8), bool)), "holds bool"),
        (npy(np.zeros((4, 8), np.int8), version=(2, 0)), ".npy of version (2, 0), not (1, 0)"),
        (npy(np.zeros((4, 8), np.int8)) + b"\0", "int8 of shape (4, 8) does not fill its 33 bytes"),
        (header("(9000000000000000,)"), "int8 of shape (9000000000000000,) does not fill its 1 bytes"),
        (header("(-1, -1)"), "int8 of shape (-1, -1) does not fill its 1 bytes"),
        (header("(0, 9000000000000000000000)"), "does not fill its 1 bytes"),
        (header(f"({'1, ' * 65})"), "field 'layers.0.bias.integers': "),
        (header(f"({'-' * 9000}1,)"), "field 'layers.0.bias.integers': "),
        (header("(1,)", "'|V99999999999'"), "descr is not a valid dtype descriptor"),
        (header("(1,)", "[('a', '<i4', (1000000000, 1000000000))]"), "field 'layers.0.bias.integers': "),
        (b"no array at all", "the magic string is not correct"),
        (b"", "field 'layers.0.bias.integers': "),
    ],
    ids=itertools.count(),
)
def test_an_array_that_cannot_be_read_is_refused_by_field(copy, content, line):
    message = refused(replaced(copy, BIAS, content))
    assert line in message
    assert f"field '{BIAS}'" in message


@pytest.mark.parametrize(
    ("name", "array", "line"),
    [
        (BIAS, np.zeros((4, 7), np.int8), "layers.0.lstm: bias has shape (4, 8), got (4, 7)"),
        (BIAS, np.int8(0), "layers.0.lstm: bias has shape (4, 8), got ()"),
        (BIAS, np.full((4, 8), 512, np.int16), "layers.0.lstm.bias: integers of 0..512 do not fit in 10 bits"),
        (BIAS, np.full((4, 8), -(2**63)), "layers.0.lstm.bias: integers of -9223372036854775808..0 do not fit in"),
        (BIAS, np.zeros((4, 8), np.float32), "layers.0.lstm.bias: numbers are int64, got float32"),
        (BIAS, np.ones((4, 8), np.int8), "field 'digest' is not that of what stands in the files"),
        ("decoder.log_priors", np.full(3, np.nan, np.float32), "decoder: log_priors of 3 phones is finite float32"),
        ("decoder.bigram", np.full((4, 3), np.inf, np.float32), "decoder: bigram of 3 phones is finite float32"),
        ("decoder.bigram", np.zeros((4, 3), np.int8), "decoder: bigram of 3 phones is finite float32 of shape (4, 3)"),
    ],
)
def test_an_array_that_does_not_fit_is_refused_by_field(copy, name, array, line):
    assert line in refused(replaced(copy, name, npy(np.asarray(array))))


def test_wider_and_transposed_arrays_are_read_alike(copy, saved):
    """As other writers may store them; the digest is of the narrow ones in any case."""
    program = files.load(saved)
    wide = np.asfortranarray(program.layers[0].bias.integers)
    assert files.digest(files.load(replaced(copy, BIAS, npy(wide)))) == files.digest(program)


def test_an_array_without_a_place_is_refused(copy):
    message = refused(replaced(copy, "extra", npy(np.zeros(1, np.int8))))
    assert "arrays.npz: field 'extra' has no place in program.json" in message


def test_compressed_arrays_are_refused_unread(copy):
    folder = replaced(copy, BIAS, npy(np.arange(999)), zipfile.ZIP_DEFLATED)
    with (folder / files.ARRAYS).open("ab") as file:
        file.write(bytes(1 << 16))  # a file may be longer than what it holds
    assert "compressed, which a program's arrays are not" in refused(folder)


def test_an_array_that_stands_twice_is_refused(copy):
    with zipfile.ZipFile(copy / files.ARRAYS, "a") as file:
        file.writestr(BIAS, npy(np.zeros((4, 8), np.int8)))  # the name is the same without .npy
    assert f"field '{BIAS}': stands there twice" in refused(copy)


@pytest.mark.parametrize("places", [(20,), (24,), (20, 24)])
def test_sizes_that_a_file_claims_are_not_allocated(copy, places):
    """Compressed and plain size in the directory's last entry."""
    path = copy / files.ARRAYS
    data = bytearray(path.read_bytes())
    for place in places:
        struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + place, 1 << 30)
    path.write_bytes(data)
    tracemalloc.start()
    message = refused(copy)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "claim more bytes than it has" in message or "compressed, which a program's arrays are not" in message
    assert peak < 1 << 24


@pytest.mark.parametrize("file", [files.STRUCTURE, files.ARRAYS])
def test_a_missing_file_is_named(copy, file):
    (copy / file).unlink()
    assert f"{file}: no such file; run the stage that makes it again" in refused(copy)
    (copy / file).mkdir()
    assert f"{file}: not " in refused(copy)


def test_a_file_in_the_folders_place_is_named(tmp_path):
    (tmp_path / "program").write_text("")
    assert "program.json: no such file; run the stage that makes it again" in refused(tmp_path / "program")
