"""Programs on disk: the same integers after a round trip, the same bytes each time, and damage never gets through."""

import io
import json
import random
import shutil
import zipfile

import numpy as np
import pytest

from ernn import program_file
from ernn.errors import UserError
from ernn.golden.model import Golden
from tests import programs

STRUCTURES = sorted(programs.STRUCTURES)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("programs") / "program"
    program_file.save(programs.build(**programs.STRUCTURES["lstm fourier"]), path)
    return path


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "program")


@pytest.mark.parametrize("name", STRUCTURES)
def test_saved_and_loaded_it_computes_the_same_integers(name, tmp_path):
    program = programs.build(**programs.STRUCTURES[name])
    program_file.save(program, tmp_path / "program")
    loaded = program_file.load(tmp_path / "program")
    assert program_file.digest(loaded) == program_file.digest(program)
    x = programs.features()
    (ours, state), (theirs, other) = (Golden(each).run(x) for each in (program, loaded))
    assert (ours == theirs).all()
    assert all((a[key] == b[key]).all() for a, b in zip(state, other, strict=True) for key in a)


def test_two_saves_give_the_same_bytes_and_any_change_another_digest(tmp_path):
    for folder in ("one", "two"):
        program_file.save(programs.build(seed=3), tmp_path / folder)
    for file in (program_file.STRUCTURE, program_file.ARRAYS):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    digests = {
        program_file.digest(programs.build(seed=seed, **kind)) for seed in (1, 2) for kind in ({}, {"layers": 2})
    }
    assert len(digests) == 4


@pytest.mark.parametrize("file", [program_file.STRUCTURE, program_file.ARRAYS])
def test_damage_anywhere_is_refused_or_harmless(saved, tmp_path, file):
    """Bits flipped, ends cut off, bytes left out or repeated: one line, or the same program."""
    whole = (saved / file).read_bytes()
    digest = program_file.digest(program_file.load(saved))
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
            assert program_file.digest(program_file.load(copy)) == digest
        except UserError as error:
            refusals.append(str(error))
    assert len(refusals) > 200
    assert all(len(line.splitlines()) == 1 and str(copy) in line for line in refusals)


def edited(folder, change):
    """The JSON with `change` made, the digest left as it was."""
    path = folder / program_file.STRUCTURE
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
        (set_at("name", "other"), "field 'digest' is not that of what stands in the files"),
        (set_at("digest", "0" * 64), "field 'digest' is not that of what stands in the files"),
    ],
)
def test_a_structure_that_is_none_is_refused_by_field(copy, change, line):
    with pytest.raises(UserError) as refused:
        program_file.load(edited(copy, change))
    assert line in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def replaced(folder, name: str, npy: bytes | None):
    """The arrays with one replaced, or left out."""
    path = folder / program_file.ARRAYS
    with zipfile.ZipFile(path) as file:
        members = {each: file.read(each) for each in file.namelist() if each != f"{name}.npy"}
    if npy is not None:
        members[f"{name}.npy"] = npy
    with zipfile.ZipFile(path, "w") as file:
        for each, content in members.items():
            file.writestr(each, content)
    return folder


def npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


HUGE = npy(np.zeros(1, np.int64), version=(1, 0)).replace(b"(1,)", b"(9" + b"0" * 12 + b",)")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "field 'layers.0.bias.integers' is missing in arrays.npz"),
        (npy(np.array([[None]])), "field 'layers.0.bias.integers' holds object"),
        (npy(np.zeros((4, 8), np.uint8)), "field 'layers.0.bias.integers' holds uint8"),
        (npy(np.zeros((4, 7), np.int8)), "bias has shape (4, 8), got (4, 7)"),
        (npy(np.full((4, 8), 512, np.int16)), "integers of 0..512 do not fit in 10 bits"),
        (npy(np.zeros((4, 8), np.float32)), "numbers are int64, got float32"),
        (HUGE, "does not fill its"),
        (b"no array at all", "not a whole file of arrays"),
    ],
)
def test_an_array_that_does_not_belong_is_refused_by_field(copy, content, line):
    with pytest.raises(UserError) as refused:
        program_file.load(replaced(copy, "layers.0.bias.integers", content))
    assert line in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_an_array_without_a_place_is_refused(copy):
    with pytest.raises(UserError, match=r"field 'extra' has no place in program\.json"):
        program_file.load(replaced(copy, "extra", npy(np.zeros(1, np.int8))))


@pytest.mark.parametrize("file", [program_file.STRUCTURE, program_file.ARRAYS])
def test_a_missing_file_is_named(copy, file):
    (copy / file).unlink()
    with pytest.raises(UserError, match=f"{file}: no such file; run the stage that makes it again"):
        program_file.load(copy)
