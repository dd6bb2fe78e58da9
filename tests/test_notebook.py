"""docs/tutorial.ipynb: what it shows is what it gives, and it runs."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PAGE = Path(__file__).parents[1] / "docs/tutorial.ipynb"


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(cell) -> str:
    """What a cell has printed or given, as text."""
    texts = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return "".join(texts)


def test_every_cell_was_run_in_order_without_an_error():
    cells = code(nbformat.read(PAGE, as_version=4))
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"stream", "execute_result"}
    streams = {output.name for cell in cells for output in cell.outputs if output.output_type == "stream"}
    assert streams == {"stdout"}  # no warnings


def test_it_names_no_place_of_the_machine_that_ran_it():
    assert str(Path.home()) not in PAGE.read_text()
    assert os.sep + "tmp" + os.sep not in PAGE.read_text()


@pytest.mark.system
@pytest.mark.timeout(900)
def test_it_runs_and_ends_in_integers_equal_to_the_hardware(tmp_path):
    notebook = nbformat.read(PAGE, as_version=4)
    shown = {cell.id: said(cell) for cell in code(notebook)}
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    found = {cell.id: said(cell) for cell in code(notebook)}
    assert found.keys() == shown.keys()
    assert "equal in every bit: True" in "".join(found.values())
    assert found[code(notebook)[-1].id] == "True"
    assert {name for name, text in found.items() if text} == {name for name, text in shown.items() if text}
    assert (tmp_path / "sensor/rtl/ernn.v").exists()
