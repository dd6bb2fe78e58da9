"""Small mistakes in an accelerator never pass: one for each mechanism, and the report says where it is.

A mutation changes one expression of one file of a small design that has the mechanism. Runs of the test bench must pass
up to the one that is named, and that one must end in a mismatch. Where one utterance shows it, the traced run names the
value: its layer and its gate.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ernn.artifacts import Texts
from ernn.hw import design as hw_design
from ernn.hw.project import rtl_project
from ernn.simulate import compare
from ernn.simulate.bench import Bench, Mismatch
from ernn.simulate.vectors import Vectors, rtl_vectors
from tests import programs
from tests.hw import designs
from tests.hw.equality import Built
from tests.hw.mutations import ALONE, DESIGNS, MUTATIONS, RUNS, TOP, Mutation, one_utterance

pytestmark = pytest.mark.system


class Impatient(Bench):
    """A traced test bench that soon gives up where nothing comes or goes."""

    def __init__(self, project: Path, work: Path, registers: Sequence[str]) -> None:
        super().__init__(project, work, registers, ["ERNN_TRACE"], "-O0")

    def printed(
        self,
        vectors: Vectors,
        gaps: int = 0,
        stalls: int = 0,
        writes: Sequence[tuple[int, int]] = (),
        arguments: Sequence[str] = ("+limit=20000",),
    ) -> str:
        """What the test bench prints."""
        return super().printed(vectors, gaps, stalls, writes, arguments)


def build(name: str, folder: Path, mutation: Mutation | None = None) -> Built:
    """A test bench of a design, or of a changed one."""
    structure, sizes = DESIGNS[name]
    program = programs.build(**structure)
    design = designs.network(program, **sizes)
    files = rtl_project(design) if mutation is None else replaced(rtl_project(design), mutation)
    project, work = files.write(folder / "project"), folder / "work"
    work.mkdir()
    return Built(program, design, Impatient(project, work, designs.registers(design)), project)


def replaced(files: Texts, mutation: Mutation) -> Texts:
    """The files with the mutation; a text to replace must be in its file once."""
    text = files[mutation.path]
    assert text.count(mutation.old) == 1, f"{mutation.old} is {text.count(mutation.old)} times in {mutation.path}"
    return files.merged({mutation.path: text.replace(mutation.old, mutation.new)})


def place(built: Built) -> str:
    """The first inner value of `one_utterance` that differs."""
    [x] = designs.utterances(built.program, [ALONE])
    accelerator = hw_design.read(built.project)
    printed = built.bench.printed(rtl_vectors(built.program, [x], 1))
    return str(compare.first_difference(built.program, accelerator, printed, x))


@pytest.mark.parametrize("name", DESIGNS)
def test_without_a_mutation_every_run_passes(name: str, tmp_path: Path):
    runs = [RUNS.index(each.run) for each in MUTATIONS.values() if each.design == name]
    built = build(name, tmp_path)
    for run in RUNS[: max(runs) + 1]:
        run(built)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_is_a_mismatch(name: str, tmp_path: Path):
    mutation = MUTATIONS[name]
    built = build(mutation.design, tmp_path, mutation)
    for run in RUNS[: RUNS.index(mutation.run)]:
        run(built)
    with pytest.raises(Mismatch) as error:
        mutation.run(built)
    if mutation.run is one_utterance:
        assert f", {mutation.found}[" in place(built)
    else:
        assert re.search(mutation.found, str(error.value))


def test_a_text_that_is_not_there_is_no_mutation():
    files = rtl_project(designs.network(programs.build()))
    with pytest.raises(AssertionError, match=r"no such text is 0 times in rtl/ernn\.v"):
        replaced(files, Mutation("lstm", TOP, "no such text", "", ""))
