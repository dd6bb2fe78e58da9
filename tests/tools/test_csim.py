"""C simulation: what it finds, and what it says where tools or files are missing."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.hw.hls import network
from ernn.simulate.vectors import hls_vectors
from ernn.tools import csim
from tests import programs
from tests.hw import designs


@pytest.fixture(scope="module")
def vectors() -> dict[str, str]:
    program, x = programs.build(), programs.features(6)
    logits, _ = Golden(program).run(x)
    return hls_vectors([x[:, 0], x[:4, 1]], [logits[:, 0], logits[:4, 1]])


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return csim.build(network.project(programs.build(), designs.HLS), tmp_path_factory.mktemp("csim"), "-O0")


def altered(text: str, line: int, element: int, by: int) -> str:
    """One integer of a file changed."""
    lines = [list(map(int, each.split())) for each in text.splitlines()]
    lines[line][element] += by
    return "".join(" ".join(map(str, each)) + "\n" for each in lines)


def refused(simulation: Path, vectors: dict[str, str]) -> str:
    with pytest.raises(UserError) as error:
        csim.compare(simulation, vectors)
    return str(error.value).removesuffix(f"; all of it is in {simulation.parent / 'csim.log'}")


def test_equal_frames_are_counted_and_the_command_is_kept(simulation, vectors):
    assert csim.compare(simulation, vectors) == "10 frames of 2 utterances equal"
    log = (simulation.parent / "csim.log").read_text()
    assert log == f"$ {simulation} {' '.join(csim.VECTORS)}\n10 frames of 2 utterances equal\n\nexit code 0\n"
    assert "-std=c++17" in (simulation.parent / "compile.log").read_text()


def test_a_logit_that_differs_is_named(simulation, vectors):
    got = int(vectors["tb/logits.txt"].splitlines()[7].split()[2])
    wrong = vectors | {"tb/logits.txt": altered(vectors["tb/logits.txt"], 7, 2, by=1)}
    assert refused(simulation, wrong) == (
        f"csim ended with exit code 1: utterance 1, frame 1, logit 2: expected {got + 1}, got {got}"
    )


def test_a_feature_that_differs_is_found(simulation, vectors):
    wrong = vectors | {"tb/features.txt": altered(vectors["tb/features.txt"], 2, 3, by=60)}
    assert refused(simulation, wrong).startswith("csim ended with exit code 1: utterance 0, frame 2, logit ")


def test_the_state_lives_until_the_next_utterance(simulation, vectors):
    goes_on = vectors | {"tb/features.txt": altered(vectors["tb/features.txt"], 6, 0, by=-1)}
    assert refused(simulation, goes_on).startswith("csim ended with exit code 1: utterance 0, frame 6, logit ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tb/features.txt": ""}, "tb/features.txt: frame 0 is no frame"),
        ({"tb/features.txt": "1 2 3"}, "utterance 0, frame 0: feature 2 is missing"),
        ({"tb/features.txt": "x"}, "tb/features.txt: frame 0 is no frame"),
        ({"tb/logits.txt": "\n"}, "utterance 0, frame 0: logit 0 is missing"),
    ],
)
def test_files_that_are_no_vectors(changes, message, simulation, vectors):
    assert refused(simulation, vectors | changes) == f"csim ended with exit code 1: {message}"


def test_logits_of_more_frames(simulation, vectors):
    more = vectors | {"tb/logits.txt": vectors["tb/logits.txt"] + "1 2 3\n"}
    assert refused(simulation, more).endswith("tb/logits.txt: more than the logits of 10 frames")


def test_sources_that_do_not_compile(tmp_path):
    files = network.project(programs.build(), designs.HLS) | {"src/ernn.cpp": "no C++;\n"}
    with pytest.raises(UserError, match=r"g\+\+ ended with exit code 1: .* all of it is in .*compile\.log"):
        csim.build(files, tmp_path)


def test_a_missing_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("ERNN_GXX", "no-such-compiler")
    message = "ERNN_GXX=no-such-compiler is no executable: install a C\\+\\+ compiler .*, or set ERNN_GXX to its path"
    with pytest.raises(UserError, match=message):
        csim.build({}, tmp_path)


def test_missing_headers(monkeypatch, tmp_path):
    monkeypatch.setenv("ERNN_AP_TYPES", str(tmp_path))
    cure = "install da4ml in the version of the extra hardware, or set ERNN_AP_TYPES to the folder of the header"
    with pytest.raises(UserError) as error:
        csim.headers()
    assert str(error.value) == f"ERNN_AP_TYPES={tmp_path} has no ap_int.h: {cure}"
    monkeypatch.delenv("ERNN_AP_TYPES")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        csim.headers()
    assert str(error.value) == f"ap_int.h was not found: {cure}"


def test_the_installed_package_has_all_headers_under_their_own_licence(monkeypatch):
    monkeypatch.delenv("ERNN_AP_TYPES", raising=False)
    folder, found = csim.headers(), set()
    waiting = {"ap_int.h", "ap_fixed.h"}  # that projects include
    while waiting:
        name = waiting.pop()
        text = (folder / name).read_text()
        assert "Licensed under the Apache License, Version 2.0" in text[:2000], name
        found.add(name)
        named = re.findall(r"^#include [<\"]((?:etc/)?ap_\w+\.h)[>\"]", text, re.MULTILINE)
        waiting |= set(named) - found
    assert {"ap_int_base.h", "ap_common.h"} < found


def test_a_package_without_the_headers_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("ERNN_AP_TYPES", raising=False)
    (tmp_path / "da4ml").mkdir()
    (tmp_path / "da4ml" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "da4ml", raising=False)
    with pytest.raises(UserError, match=r"^ap_int\.h was not found: install da4ml in the version of "):
        csim.headers()


def test_headers_that_are_pointed_at(monkeypatch, tmp_path):
    (tmp_path / "ap_int.h").touch()
    for given in (tmp_path, Path()):  # the compiler runs in another folder
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ERNN_AP_TYPES", str(given))
        assert csim.headers() == tmp_path
