"""Accelerators of a user's networks: the Verilog gives what the program predicts."""

from pathlib import Path

import numpy as np
import pytest
import torch

import ernn
from ernn.api.accelerators import synthesize_project
from ernn.errors import Unmet, UserError
from tests.api.networks import KINDS, begun, data, headed, network, stack

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.mark.system
@pytest.mark.parametrize("block_size", [1, 4])
def test_a_density_keeps_some_blocks_down_to_the_simulated_accelerator(tmp_path, block_size):
    model, x = network(), data(6, 4)
    small = ernn.compress(model, (x, data(3, 4)), block_size, density=0.5, epochs=2, progress=False)
    assert f"sparse, k = {block_size}, 50 % of the blocks" in repr(small)
    small.save(tmp_path / "model")
    np.testing.assert_array_equal(ernn.load(tmp_path / "model").predict(x), small.predict(x))
    program = ernn.quantize(small, x)
    assert f"sparse, k = {block_size}, 50 % of the blocks" in repr(program)
    program.save(tmp_path / "program")
    np.testing.assert_array_equal(ernn.load(tmp_path / "program").predict(x), program.predict(x))
    assert program.compare(small, x).worst < 0.05
    result = ernn.generate(program, minimise="share").simulate(x)
    np.testing.assert_array_equal(result.outputs, program.predict(x))


def test_an_accelerator_that_does_not_exist_is_an_answer():
    with pytest.raises(Unmet, match=r"^no accelerator of network on xc7z020 will do: latency: "):
        ernn.generate(ernn.quantize(network(), data(6)), latency_us=0.01)


def test_a_project_for_another_family_is_not_synthesized(tmp_path):
    accelerator = ernn.generate(ernn.quantize(network(), data(6)), "xc7z020", minimise="share")
    project = accelerator.write(tmp_path / "project")
    with pytest.raises(UserError) as refused:
        synthesize_project(project, "ecp5-85f")
    said = str(refused.value)
    assert said.startswith(f"{project}: its pipelines are scheduled with the delays of xc7 (xc7vx690t, ")
    assert said.endswith("), and ecp5-85f is another family; generate it for ecp5-85f")


def test_a_project_replaces_its_own_kind_alone(tmp_path):
    accelerator = ernn.generate(ernn.quantize(network(), data(6)), minimise="share")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(UserError, match="holds files that are no accelerator's; name another folder"):
        accelerator.write(tmp_path / "mine")
    first = accelerator.write(tmp_path / "project")
    assert accelerator.write(tmp_path / "project") == first
    assert (first / "rtl" / "ernn.v").exists()
    assert Path(first / "digest.txt").read_text()


@pytest.mark.system
def test_states_come_out_of_an_accelerator_without_an_output_layer():
    torch.manual_seed(2)
    x = data(6, 5)
    program = ernn.quantize(ernn.from_torch(torch.nn.LSTM(6, 10, 2)), x)
    np.testing.assert_array_equal(ernn.generate(program, minimise="share").simulate(x).outputs, program.predict(x))


@pytest.mark.system
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_accelerator_gives_what_the_program_predicts(kind, options):
    layers = options.get("num_layers", 1)
    rest = {name: value for name, value in options.items() if name != "num_layers"}
    model, x = network(kind, layers=layers, **rest), [data(6, steps)[0] for steps in (4, 7)]
    if not rest:
        model = ernn.compress(model, (x, [data(3, len(each))[0] for each in x]), 4, epochs=2, progress=False)
    program = ernn.quantize(model, x)
    result = ernn.generate(program, minimise="share").simulate(x)
    assert result.steps == 11
    for found, wanted in zip(result.outputs, program.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.system
@pytest.mark.parametrize(
    ("kind", "options"),
    [(torch.nn.LSTM, {}), (torch.nn.LSTM, {"proj_size": 4}), (torch.nn.GRU, {}), (torch.nn.RNN, {"layers": 1})],
)
def test_the_accelerator_begins_with_the_initial_states(kind, options):
    model, x = begun(kind, **options), [data(6, steps)[0] for steps in (4, 7, 1)]
    program = ernn.quantize(model, x)
    result = ernn.generate(program, minimise="share").simulate(x)
    assert result.steps == 12
    for found, wanted in zip(result.outputs, program.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.system
def test_the_accelerator_of_a_head_whose_last_step_counts():
    x = data(6, 5)
    model = headed(torch.nn.ReLU(), torch.nn.Sigmoid(), torch.nn.Hardtanh(), last=True)
    model = ernn.compress(model, (x, data(3, 3)[:, 0]), 4, epochs=2, progress=False)
    program = ernn.quantize(model, x)
    result = ernn.generate(program, minimise="share").simulate(x)
    assert result.outputs.shape == (3, 3)
    np.testing.assert_array_equal(result.outputs, program.predict(x))


@pytest.mark.system
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.RNN])
def test_the_accelerator_of_layers_of_different_sizes(kind):
    model, x = stack(kind), [data(6, steps)[0] for steps in (4, 7)]
    program = ernn.quantize(ernn.compress(model, (x, [data(3, len(each))[0] for each in x]), 4, epochs=2), x)
    result = ernn.generate(program, minimise="share").simulate(x)
    for found, wanted in zip(result.outputs, program.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)
