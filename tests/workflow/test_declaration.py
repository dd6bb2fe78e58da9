"""dvc.yaml read as a graph: the same one that DVC sees."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from ernn.errors import UserError
from tests.workflow import toy
from workflow import declaration

ROOT = Path(__file__).parents[2]


def test_entries_become_tasks_and_files_edges(tmp_path):
    found = declaration.load(toy.write(tmp_path))
    assert [task.name for task in found.tasks] == ["prepare", "compress@k2", "compress@k4", "report"]
    assert found.graph == {
        "prepare": set(),
        "compress@k2": {"prepare"},
        "compress@k4": {"prepare"},
        "report": {"prepare", "compress@k2", "compress@k4"},
    }
    k4 = found.tasks[2]
    assert k4.outs == ("models/gru-k4", "metrics/compress/k4.json")
    assert k4.deps == ("data",)
    assert k4.flag("models/gru-k4") == "model"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500k", 5e5), ("2M", 2e6), ("1.5G", 1.5e9), ("2Ki", 2048), ("1.5Mi", 1.5 * 2**20), ("4Gi", 2**32)],
)
def test_memory_in_every_unit_that_is_taken(text, expected):
    assert declaration.Meta(image="train", memory=text).memory_bytes == expected


def test_the_graph_is_the_one_of_dvc():
    command = [sys.executable, "-c", GRAPH]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    theirs = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines() if line}
    assert declaration.load(ROOT).graph == theirs


GRAPH = """
from dvc.repo import Repo
graph = Repo(".").index.graph
for stage in graph:
    print(stage.addressing, *(before.addressing for before in graph.successors(stage)))
"""


def test_a_matrix_has_a_task_for_each_combination(tmp_path):
    dvc = {
        "stages": {
            "sweep": {
                "matrix": {"k": [2, 4], "cell": ["lstm", "gru"]},
                "cmd": "python -m components.sweep --model models/${key} --cell ${item.cell}",
                "meta": {"image": "train"},
                "outs": ["models/${key}"],
            }
        }
    }
    found = declaration.load(toy.write(tmp_path, dvc))
    assert [task.name for task in found.tasks] == ["sweep@2-lstm", "sweep@2-gru", "sweep@4-lstm", "sweep@4-gru"]
    assert found.tasks[1].flags == {"model": "models/2-gru", "cell": "gru"}


def test_every_task_comes_after_those_that_it_waits_for():
    found = declaration.load(ROOT)
    places = {task.name: place for place, task in enumerate(found.ordered())}
    assert all(places[before] < places[name] for name, waits in found.graph.items() for before in waits)


def edited(path: tuple[str, ...], value: object) -> dict:
    dvc = copy.deepcopy(toy.DVC)
    place = dvc["stages"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return dvc


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("prepare", "cmd"), "make data", "prepare: cmd is `python -m MODULE --flag value ..`"),
        (("prepare", "meta"), {"image": "train", "memmory": "4G"}, "prepare: meta: memmory: "),
        (("prepare", "meta"), {}, "prepare: meta: image: "),
        (("prepare", "meta"), {"image": "train", "nodes": 0}, "prepare: meta: nodes: .*equal to 1, got 0"),
        (
            ("compress", "foreach"),
            None,
            "compress: foreach is a mapping or a list, got None; write {} for an empty one",
        ),
        (("compress", "foreach"), "${networks}", r"compress: foreach is a mapping, a list, or \$\{SECTION\}"),
        (("compress", "do", "outs"), ["${item.size}"], r"compress@k2: \$\{item.size\} is not known here"),
        (("compress", "do", "outs"), ["models"], "models is written by compress@k2 and by compress@k4"),
        (("prepare", "deps"), ["report"], "wait for each other"),
    ],
)
def test_what_is_not_understood_is_one_line(tmp_path, path, value, message):
    with pytest.raises(UserError, match=f"^dvc.yaml: .*{message}"):
        declaration.load(toy.write(tmp_path, edited(path, value))).ordered()


def test_a_folder_without_a_declaration_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml: no such file"):
        declaration.load(tmp_path)
