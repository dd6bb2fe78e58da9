"""Programs on disk: the same integers after a round trip, the same bytes each time, and damage never gets through."""

import itertools
import json
import random
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.program import files
from tests import programs, toy
from tests.program.damage import parts, put, refused

BIAS = "layers.0.bias.integers"
ANY_JSON = [None, True, -1, 8, 8.0, 0.5, 1e999, 10**30, 2**63, "", "8", "\ud800", "a\nb", [], [1], {}, {"array": BIAS}]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("programs") / "program"
    files.save(programs.build(**programs.STRUCTURES["lstm fourier"]), path)
    return path


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
    for file in ("one", "two"):
        files.save(programs.build(**programs.STRUCTURES[name]), tmp_path / file)
    files.save(files.load(tmp_path / "one"), tmp_path / "three")
    assert len({(tmp_path / file).read_bytes() for file in ("one", "two", "three")}) == 1


def test_another_process_saves_the_same_bytes(saved, tmp_path):
    """Whose strings hash otherwise, and which needs no torch."""
    code = (
        "import sys; from pathlib import Path; from ernn.program import files; "
        "files.save(files.load(Path(sys.argv[1])), Path(sys.argv[2])); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, saved, tmp_path / "again"], check=True)
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()


def test_arrays_that_lie_otherwise_in_memory_are_saved_as_the_same_bytes(saved, tmp_path):
    """safetensors writes memory as it lies, whatever the strides: transposed and every other element."""
    program = programs.build(**programs.STRUCTURES["lstm fourier"])
    (layer,), decoder = program.layers, program.decoder
    bias = replace(layer.bias, integers=np.asfortranarray(layer.bias.integers))
    strided = np.repeat(decoder.bigram, 2, axis=1)[:, ::2]
    files.save(
        replace(program, layers=(replace(layer, bias=bias),), decoder=replace(decoder, bigram=strided)),
        tmp_path / "program",
    )
    assert (tmp_path / "program").read_bytes() == saved.read_bytes()


def test_any_change_gives_another_digest():
    digests = {files.digest(programs.build(seed=seed, **kind)) for seed in (1, 2) for kind in ({}, {"layers": 2})}
    assert len(digests) == 4


def test_damage_anywhere_is_refused_or_harmless(saved, tmp_path):
    """Bits flipped, ends cut off, bytes left out or repeated: one line, or the same program."""
    whole, digest, draw = saved.read_bytes(), files.digest(files.load(saved)), random.Random(1)
    path, refusals = tmp_path / "program", []
    for _ in range(500):
        place, length = draw.randrange(len(whole)), draw.randrange(1, 9)
        kind = draw.choice(["flip", "cut", "gap", "twice"])
        damaged = {
            "flip": whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :],
            "cut": whole[:place],
            "gap": whole[:place] + whole[place + length :],
            "twice": whole[: place + length] + whole[place:],
        }[kind]
        path.write_bytes(damaged)
        try:
            assert files.digest(files.load(path)) == digest
        except UserError as error:
            refusals.append(str(error))
    assert len(refusals) > 400
    assert all(len(line.splitlines()) == 1 and line.startswith(f"{path}: ") for line in refusals)


Change = Callable[[dict[str, Any]], object]


def edited(saved: Path, path: Path, change: Change) -> Path:
    """The program with `change` made in its structure, the digest left as it was."""
    text, arrays = parts(saved)
    tree = json.loads(text)
    change(tree)
    return put(path, json.dumps(tree), arrays)


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
    text, arrays = parts(saved)
    tree = json.loads(text)
    set_at(*data.draw(st.sampled_from(list(places(tree)))), data.draw(st.sampled_from(ANY_JSON)))(tree)
    changed = json.dumps(tree, sort_keys=True)
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder) / "program", changed, arrays)
        if changed == text:
            assert files.digest(files.load(path)) == tree["digest"]
        else:
            refused(path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda tree: tree.pop("version"), "program without a version, this ernn reads version 3; quantize the"),
        (set_at("version", True), "program of version True, this ernn reads version 3; quantize the"),
        (set_at("version", 4), "program of version 4, this ernn reads version 3; a newer ernn made it: install that"),
        (set_at("version", 1), "program of version 1, this ernn reads version 3; quantize the network again"),
        (set_at("colour", "red"), "colour: "),
        (lambda tree: tree.pop("output"), "output: "),
        (set_at("layers", 0, "cell", "bits", 99), "layers.0"),
        (set_at("activations", "sigmoid_table", "bounds", "none"), "activations.sigmoid_table.bounds"),
        (set_at("decoder", "phones", [1]), "decoder.phones.0"),
        (set_at("decoder", "bigram", {"array": "elsewhere"}), "array 'elsewhere' is missing"),
        (set_at("decoder", "bigram", {"array": "decoder.log_priors"}), "or the structure names it twice"),
        (set_at("decoder", "bigram", [[0.0]]), "decoder.bigram: Input should be an instance of ndarray"),
        (set_at("name", None), "name: Input should be a valid string, got None"),
        (set_at("name", [[]] * 9999), "name: Input should be a valid string, got"),
        (
            set_at("frontend", "kind", "mfcc"),
            "frontend.kind: Input should be 'logmel', 'ernn153' or 'given', got 'mfcc'",
        ),
        (set_at("layers", 0, "kind", "cnn"), "layers.0: Input tag 'cnn' found using 'kind' does not match"),
        (set_at("layers", 0, "weight_hh", "words", "format", "bits", 4), "layers.0.lstm.weight_hh.circulant.words: "),
        (set_at("layers", 0, "input", "bits", "9"), "field 'layers.0.input.bits' must be written as 9, got \"9\""),
        (set_at("layers", 0, "input", "bits", 9.0), "field 'layers.0.input.bits' must be written as 9, got 9.0"),
        (set_at("layers", 0, "output", "fraction", True), "'layers.0.output.fraction' must be written as 1, got true"),
        (set_at("frontend", "window_ms", 25), "field 'frontend.window_ms' must be written as 25.0, got 25"),
        (lambda tree: tree["frontend"].pop("mean"), "field 'frontend.mean' must be written as null, got nothing"),
        (set_at("name", "other"), "field 'digest' is not that of this structure and these arrays"),
        (set_at("digest", "0" * 64), "field 'digest' is not that of this structure and these arrays"),
        (lambda tree: tree.pop("digest"), "field 'digest' is not that of this structure and these arrays"),
    ],
)
def test_a_structure_that_is_none_is_refused_by_field(saved, tmp_path, change, line):
    assert line in refused(edited(saved, tmp_path / "program", change))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, "a safetensors file, but no program; give one that quantize wrote"),
        ("", "its structure is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("[]", "its structure is no mapping but a list"),
        ('{"version": 3, "version": 3}', "its structure is not JSON (key 'version' appears twice)"),
        ('{"version": 3, "name": NaN}', "its structure is not JSON (NaN is no number)"),
        ('{"version": 3, "name": -Infinity}', "its structure is not JSON (-Infinity is no number)"),
        (f'{{"version": 3, "name": 1{"0" * 5000}}}', "its structure is not JSON (Exceeds the limit"),
        ('{"version": 3e0}', "program of version 3.0, this ernn reads version 3; quantize the"),
        (f'{{"version": 1{"0" * 4000}}}', "program of version 1000"),
        (f'{{"version": 3, "name": {"[" * 600}{"]" * 600}}}', "nested too deeply"),
        (f'{{"version": 3, "name": {"[" * 99999}', "its structure is not JSON (maximum recursion depth exceeded"),
    ],
    ids=itertools.count(),
)
def test_text_that_is_no_structure_is_refused_shortly(saved, tmp_path, text, line):
    message = refused(put(tmp_path / "program", text, parts(saved)[1]))
    assert line in message
    assert len(message) < 1000


def test_numbers_beyond_all_floats_are_refused(saved, tmp_path):
    text, arrays = parts(saved)
    infinite = text.replace('"window_ms": 25.0', '"window_ms": 1e999')
    message = refused(put(tmp_path / "program", infinite, arrays))
    assert "frontend: window_ms must be above 0 and finite, got inf" in message


def test_spaces_and_the_order_of_keys_are_free(saved, tmp_path):
    text, arrays = parts(saved)
    backwards = json.dumps(dict(reversed(json.loads(text).items())), indent=3)
    assert files.digest(files.load(put(tmp_path / "program", backwards, arrays))) == files.digest(files.load(saved))


def replaced(saved: Path, path: Path, name: str, array: np.ndarray | None) -> Path:
    """The program with one array replaced, or left out."""
    text, arrays = parts(saved)
    kept = {each: kept for each, kept in arrays.items() if each != name}
    return put(path, text, kept if array is None else kept | {name: array})


@pytest.mark.parametrize(
    ("name", "array", "line"),
    [
        (BIAS, None, f"array '{BIAS}' is missing"),
        (BIAS, np.zeros((4, 8), np.uint8), f"array '{BIAS}' is of type U8, not one of I8, I16, I32, I64, F32"),
        (BIAS, np.zeros((4, 8)), f"array '{BIAS}' is of type F64, not one of"),
        (BIAS, np.zeros((4, 8), np.float16), f"array '{BIAS}' is of type F16, not one of"),
        (BIAS, np.zeros((4, 8), bool), f"array '{BIAS}' is of type BOOL, not one of"),
        (BIAS, np.zeros((4, 7), np.int8), "layers.0.lstm: bias has shape (4, 8), got (4, 7)"),
        (BIAS, np.zeros((), np.int8), "layers.0.lstm: bias has shape (4, 8), got ()"),
        (BIAS, np.zeros((0, 8), np.int8), "layers.0.lstm: bias has shape (4, 8), got (0, 8)"),
        (BIAS, np.zeros((0, 1 << 60), np.int8), f"array '{BIAS}': array is too big"),
        (BIAS, np.full((4, 8), 512, np.int16), "layers.0.lstm.bias: integers of 0..512 do not fit in 10 bits"),
        (BIAS, np.full((4, 8), -(2**63)), "layers.0.lstm.bias: integers of -9223372036854775808..0 do not fit in"),
        (BIAS, np.zeros((4, 8), np.float32), "layers.0.lstm.bias: numbers are int64, got float32"),
        (BIAS, np.ones((4, 8), np.int8), "field 'digest' is not that of this structure and these arrays"),
        ("decoder.log_priors", np.full(3, np.nan, np.float32), "decoder: log_priors of 3 phones is finite float32"),
        ("decoder.bigram", np.full((4, 3), np.inf, np.float32), "decoder: bigram of 3 phones is finite float32"),
        ("decoder.bigram", np.zeros((4, 3), np.int8), "decoder: bigram of 3 phones is finite float32 of shape (4, 3)"),
        ("extra", np.zeros(1, np.int8), "array 'extra' has no place in the structure"),
    ],
    ids=itertools.count(),
)
def test_an_array_that_does_not_fit_is_refused_by_name(saved, tmp_path, name, array, line):
    assert line in refused(replaced(saved, tmp_path / "program", name, array))


def test_wider_arrays_are_read_alike(saved, tmp_path):
    """As other writers may store them; the digest is of the narrow ones in any case."""
    program = files.load(saved)
    wide = replaced(saved, tmp_path / "program", BIAS, program.layers[0].bias.integers)
    assert files.digest(files.load(wide)) == files.digest(program)


def with_header(saved: Path, path: Path, change: Callable[[str], str], more: bytes = b"") -> Path:
    """The program with `change` made in the text of its header, and its length put right."""
    whole = saved.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    before = whole[8 : 8 + length].decode()
    header = change(before).encode()
    assert header != before.encode() or more
    path.write_bytes(len(header).to_bytes(8, "little") + header + whole[8 + length :] + more)
    return path


def entry(name: str, **changes: object) -> Callable[[str], str]:
    """Changes what the header says of an array."""

    def change(text: str) -> str:
        header = json.loads(text)
        header[name] |= changes
        return json.dumps(header)

    return change


def second(name: str) -> Callable[[str], str]:
    """Names an array once more, at the end of the header."""
    return lambda text: f"{text.rstrip()[:-1]},{json.dumps(name)}:{json.dumps(json.loads(text)[name])}}}"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (second(BIAS), f"its header: key '{BIAS}' appears twice"),
        (lambda text: text.replace('{"ernn":', '{"ernn":"","ernn":', 1), "its header: key 'ernn' appears twice"),
        (second("__metadata__"), "not a whole safetensors file ("),
        (entry(BIAS, dtype="BF16"), f"array '{BIAS}' is of type BF16, not one of"),
        (entry(BIAS, dtype="complex"), "not a whole safetensors file ("),
        (entry(BIAS, shape=[1] * 65 + [4, 8]), f"array '{BIAS}': maximum supported dimension"),
        (entry(BIAS, shape=[1 << 60]), "not a whole safetensors file ("),
        (entry(BIAS, shape=[1 << 60, 1 << 60]), "not a whole safetensors file ("),
        (entry(BIAS, shape=[-4, -8]), "not a whole safetensors file ("),
        (entry(BIAS, shape=[1 << 40], data_offsets=[0, 2 << 40]), "not a whole safetensors file ("),
        (entry(BIAS, data_offsets=[0, 1 << 62]), "not a whole safetensors file ("),
        (entry(BIAS, data_offsets=[64, 0]), "not a whole safetensors file ("),
        (lambda text: "", "not a whole safetensors file ("),
        (lambda text: text + "x", "not a whole safetensors file ("),
        (lambda text: "[" * 99999, "not a whole safetensors file ("),
    ],
    ids=itertools.count(),
)
def test_a_header_that_lies_is_refused_and_nothing_of_the_size_it_claims_is_made(saved, tmp_path, change, line):
    path = with_header(saved, tmp_path / "program", change)
    tracemalloc.start()
    message = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert line in message
    assert peak < 1 << 24


@pytest.mark.parametrize("length", [0, 1, 1 << 20, 1 << 40, (1 << 64) - 1])
def test_a_length_of_the_header_that_lies_is_refused(saved, tmp_path, length):
    (tmp_path / "program").write_bytes(length.to_bytes(8, "little") + saved.read_bytes()[8:])
    assert "not a whole safetensors file (" in refused(tmp_path / "program")


def test_bytes_behind_the_arrays_are_refused(saved, tmp_path):
    path = with_header(saved, tmp_path / "program", lambda text: text, more=b"\0")
    assert "not a whole safetensors file (" in refused(path)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "program"
    assert refused(path) == f"{path}: no such file; quantize the network again (in the pipeline: `dvc repro`)"


def test_a_folder_is_no_program(tmp_path):
    assert refused(tmp_path).endswith(": a folder, not a program; give a file that quantize wrote")


def test_a_program_of_version_1_is_refused_with_its_version_and_what_to_run(tmp_path):
    """Which was a folder of two files."""
    (tmp_path / "program.json").write_text('{"version": 1}')
    (tmp_path / "arrays.npz").touch()
    message = (
        "program of version 1, this ernn reads version 3; quantize the network again (in the pipeline: `dvc repro`)"
    )
    assert refused(tmp_path) == f"{tmp_path}: {message}"


def test_a_float_network_is_no_program(tmp_path):
    model_file.save(AcousticModel(toy.network(), toy.DIMENSION, ["a"]), tmp_path / "model")
    assert refused(tmp_path / "model").endswith(": a float network, no program; give a file that quantize wrote")
