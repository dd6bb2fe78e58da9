"""The stage by its command line: what it chooses is what the cost model says, and nothing that was asked for."""

import dataclasses
import json

import pytest
import yaml

from components import stage
from components.choose import choose
from ernn.dataflow.formats import Format
from ernn.devices.catalogue import DEVICES
from ernn.estimate import cost
from ernn.hw.verilog.network import NetworkHardware
from ernn.program import files
from tests import programs
from tests.components import accelerators
from tests.components.accelerators import PARAMS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    accelerators.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(accelerator="small"):
    paths = {"program-file": "program", "choice": "out/choice.json", "metrics": "out/metrics.json"}
    arguments = ["--accelerator", accelerator, *(part for name, path in paths.items() for part in (f"--{name}", path))]
    stage.main(choose, arguments)


def read(folder, name):
    return json.loads((folder / f"out/{name}.json").read_text())


@pytest.mark.parametrize("wanted", ["words", "transformed"])
def test_what_is_asked_for_is_chosen(folder, wanted):
    small = PARAMS["accelerators"]["small"] | {"weights": wanted}
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"accelerators": {"small": small}}))
    run()
    assert read(folder, "choice") == {"weights": wanted, "version": 1}


def test_metrics_are_the_estimates_of_what_was_chosen_on_the_first_device(folder, monkeypatch):
    seen = []
    whole = cost.estimate
    monkeypatch.setattr(
        cost, "estimate", lambda network, device: seen.append((network, device)) or whole(network, device)
    )
    run()
    network, device = seen[-1]
    assert isinstance(network, NetworkHardware)
    assert device is DEVICES["xcku060"]
    assert network.architecture.weights == read(folder, "choice")["weights"]
    total = whole(network, device).total
    assert read(folder, "metrics") == {
        f"{name}_estimate": pytest.approx(getattr(total, name), abs=0.06) for name in ("lut", "ff", "dsp", "bram")
    }


def test_sizes_that_do_not_fit_are_one_line_before_anything_is_written(folder, capsys):
    with pytest.raises(SystemExit) as left:
        run("odd")
    assert left.value.code == 2
    assert (
        capsys.readouterr().err.splitlines()[-1] == "choose: layer 0: lanes=6 must be a multiple of 4, an LSTM's gates"
    )
    assert not (folder / "out").exists()


def test_formats_that_no_accelerator_has_are_one_line(folder, capsys):
    program = programs.build(**accelerators.STRUCTURE)
    wide = dataclasses.replace(program, output=dataclasses.replace(program.output, logits=Format(40, 6)))
    files.save(wide, folder / "program")
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "choose: small: an accelerator's logits have up to 32 bits, got 40; give the program a narrower format"
    )
    assert not (folder / "out").exists()
