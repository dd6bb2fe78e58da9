"""HLS projects: their C simulation equals the integer model, whatever the structure of the network."""

from pathlib import Path

import numpy as np
import pytest

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.hw.hls import network
from ernn.hw.hls.parallel import Parallel
from ernn.program.network import Program
from ernn.simulate.vectors import hls_vectors
from ernn.tools import csim
from tests import programs
from tests.golden.programs import RandomPrograms
from tests.hw import designs


def vectors(program: Program, x: np.ndarray, streams: int = 1) -> dict[str, str]:
    """Of utterances side by side, (frames, utterances, inputs), each a frame shorter than the one before."""
    logits, _ = Golden(program).run(x)
    cuts = [(slice(len(x) - n), n) for n in range(x.shape[1])]
    return hls_vectors([x[cut] for cut in cuts], [logits[cut] for cut in cuts], streams)


def simulated(program: Program, x: np.ndarray, folder: Path) -> str:
    return csim.compare(csim.build(network.project(program, designs.HLS), folder, "-O0"), vectors(program, x))


@pytest.mark.parametrize("name", programs.STRUCTURES)
def test_c_simulation_equals_the_integer_model(name, tmp_path):
    program = programs.build(**programs.STRUCTURES[name])
    assert simulated(program, programs.features(8), tmp_path) == "15 frames of 2 utterances equal"


# Pruned inputs beside a dense recurrent matrix, in an LSTM with a sparse projection and a GRU that resets after its
# product; some blocks beside all of equal size, by Fourier transforms; a pruned recurrent matrix that waits for r.
SYSTEM = (11, 13, 21, 23)
SEEDS = [pytest.param(seed, marks=[pytest.mark.system if seed in SYSTEM else pytest.mark.slow]) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_c_simulation_of_random_networks(seed, tmp_path):
    random = RandomPrograms(seed)
    program = random.program()
    assert simulated(program, random.features(program, 4, 2), tmp_path) == "7 frames of 2 utterances equal"


@pytest.mark.system
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_c_simulation_of_networks_without_an_output_layer(seed, tmp_path):
    random = RandomPrograms(seed)
    program = random.program(head=False)
    assert simulated(program, random.features(program, 4, 2), tmp_path) == "7 frames of 2 utterances equal"


@pytest.mark.system
@pytest.mark.parametrize("name", ["lstm projected", "gru", "rnn"])
def test_c_simulation_begins_with_initial_states(name, tmp_path):
    """Of all layers or of the last one alone, in several streams."""
    structure = programs.STRUCTURES.get(name, {"cell": "rnn", "layers": 2, "block_sizes": (4, 4)})
    plain = programs.build(**structure)
    program = programs.begun(plain, layers=[len(plain.layers) - 1])
    files = network.project(program, network.Target("part", 200.0, streams=2))
    x = np.concatenate([programs.features(4, seed) for seed in (1, 2)], axis=1)
    assert csim.compare(csim.build(files, tmp_path, "-O0"), vectors(program, x, 2)) == "10 frames of 4 utterances equal"
    zeros = network.project(plain, network.Target("part", 200.0, streams=2))
    changed = [path for path, text in files.items() if text != zeros[path]]
    assert changed == [f"src/layer{len(plain.layers) - 1}.h"]
    with pytest.raises(UserError, match="frame 0"):
        csim.compare(csim.build(zeros, tmp_path / "zeros", "-O0"), vectors(program, x, 2))


SIZES = {  # lanes, columns, streams: rows and columns that do not divide, fewer lanes than gates, several streams
    "lstm": (8, 3, 1),
    "lstm projected": (12, 2, 3),
    "lstm fourier": (2, 3, 1),
    "gru": (3, 2, 2),
    "gru reset after": (9, 4, 1),
    "gru pruned": (4, 2, 2),
    "lstm head, fourier": (16, 2, 2),
    "gru sparse": (7, 2, 1),
}


@pytest.mark.parametrize("name", SIZES)
def test_c_simulation_with_the_sizes_of_an_accelerator(name, tmp_path):
    """Block rows, gates and columns at a time, and streams whose frames take turns."""
    lanes, columns, streams = SIZES[name]
    program = programs.build(**programs.STRUCTURES[name])
    names = [f"layer{number}{part}" for number in range(2) for part in ("", "_x", "_y")]
    arrays = dict.fromkeys([*names, "head0", "head1", "output_layer"], Parallel(lanes, columns))
    files = network.project(program, network.Target("part", 200.0, arrays, streams))
    x = np.concatenate([programs.features(5, seed) for seed in (1, 2)], axis=1)
    assert (
        csim.compare(csim.build(files, tmp_path, "-O0"), vectors(program, x, streams))
        == "14 frames of 4 utterances equal"
    )


def test_loops_have_the_sizes_of_the_accelerator():
    program = programs.build(**programs.STRUCTURES["lstm projected"])
    text = network.project(program, network.Target("part", 200.0, {"layer0": Parallel(8, 2)}))["src/layer0.h"]
    assert "for (int row = 0; row < 4; row += 2) {" in text
    for pragma in ("cyclic factor=2 dim=2", "cyclic factor=2 dim=3", "complete dim=4"):
        assert f"layer0_hh_words {pragma}" in text
    single = {"layer0": Parallel(4, 1), "layer0_y": Parallel(1, 1)}  # a row of each gate, and of the projection
    other = network.project(program, network.Target("part", 200.0, single))["src/layer0.h"]
    assert other == network.project(program, designs.HLS)["src/layer0.h"] != text


def test_a_stream_that_does_not_exist_is_named(tmp_path):
    program = programs.build(**programs.STRUCTURES["lstm"])
    simulation = csim.build(network.project(program, network.Target("part", 200.0, streams=2)), tmp_path, "-O0")
    with pytest.raises(UserError, match="frame 2 is of stream 2, there are 2"):
        csim.compare(simulation, vectors(program, np.concatenate([programs.features(3)] * 2, axis=1), 3))


@pytest.mark.parametrize("name", programs.STRUCTURES)
def test_text_is_the_same_every_time(name):
    first, second = (network.project(programs.build(**programs.STRUCTURES[name]), designs.HLS) for _ in range(2))
    assert first == second
    assert list(first) == sorted(first)


def test_files_of_a_project():
    layers = [f"src/layer{n}.h" for n in range(2)]
    assert list(network.project(programs.build(**programs.STRUCTURES["gru"]), designs.HLS)) == [
        "run.tcl",
        "settings.tcl",
        "sim/ap_axi_sdata.h",
        "sim/hls_stream.h",
        "src/ernn.cpp",
        "src/ernn.h",
        "src/ernn_blocks.h",
        *layers,
        "src/output.h",
        "tb/ernn_tb.cpp",
    ]


def test_the_target_is_a_setting_of_the_script():
    files = network.project(programs.build(), network.Target("xc7vx485tffg1761-2", 125.0))
    assert files["settings.tcl"] == "set part xc7vx485tffg1761-2\nset period_ns 8.000\n"
    others = network.project(programs.build(), designs.HLS)
    assert [path for path, text in files.items() if others[path] != text] == ["settings.tcl", "src/ernn.cpp"]
    with_cycles, other = (each["src/ernn.cpp"].split("\n", 1) for each in (files, others))
    assert with_cycles[1] == other[1]  # but for the line with the estimate of cycles


TCL_COMMANDS = [
    "open_project",
    "set_top",
    "add_files",
    "open_solution",
    "set_part",
    "create_clock",
    "csim_design",
    "csynth_design",
    "cosim_design",
    "export_design",
    "exit",
]


def scripted(folder: Path, steps: str | None) -> list[str]:
    """The tool's commands that the script calls."""
    tcl = pytest.importorskip("tkinter").Tcl()
    for command in TCL_COMMANDS:
        tcl.eval(f"proc {command} args {{ lappend ::called [concat {command} $args] }}")
    tcl.eval("unset -nocomplain ::env(ERNN_HLS_STEPS)" if steps is None else f"set ::env(ERNN_HLS_STEPS) {{{steps}}}")
    before = Path.cwd()
    try:
        tcl.call("source", str(folder / "run.tcl"))
    finally:
        tcl.call("cd", str(before))
        tcl.eval("unset -nocomplain ::env(ERNN_HLS_STEPS)")
    return [" ".join(tcl.splitlist(call)) for call in tcl.splitlist(tcl.eval("set ::called"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with its vectors, written."""
    program = programs.build()
    for path, text in (network.project(program, designs.HLS) | vectors(program, programs.features(2))).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_script_runs_all_steps(folder):
    assert scripted(folder, None) == [
        "open_project -reset ernn_hls",
        "set_top ernn",
        "add_files src/ernn.cpp",
        f"add_files -tb tb/ernn_tb.cpp -cflags -I{folder}/src",
        "add_files -tb tb/features.txt",
        "add_files -tb tb/logits.txt",
        "open_solution -reset -flow_target vivado solution1",
        "set_part xczu9eg-ffvb1156-2-e",
        "create_clock -period 5.000 -name default",
        "csim_design",
        "csynth_design",
        "cosim_design",
        "export_design -format ip_catalog -ipname ernn",
        "exit",
    ]


def test_the_script_runs_chosen_steps(folder):
    assert scripted(folder, "csynth cosim")[-3:] == ["csynth_design", "cosim_design", "exit"]
    with pytest.raises(Exception, match="unknown step csyn: choose among csim csynth cosim export"):
        scripted(folder, "csyn")


def test_constants_of_synthesis_are_as_narrow_as_their_format(tmp_path):
    program = programs.build(**programs.STRUCTURES["gru pruned"])
    files = network.project(program, designs.HLS)
    files["src/ernn_blocks.h"] = files["src/ernn_blocks.h"].replace("#ifdef __SYNTHESIS__", "#if 1")
    simulation = csim.build(files, tmp_path, "-O0")
    assert csim.compare(simulation, vectors(program, programs.features(3))) == "5 frames of 2 utterances equal"


def test_stored_words_stand_in_the_header_as_they_are():
    program = programs.build(**programs.STRUCTURES["lstm projected"])
    text = network.project(program, designs.HLS)["src/layer0.h"]
    declared = text.split("layer0_hh_words[4][4][2][2] = {")[1].split("}")[0]
    assert [int(word) for word in declared.split(",")] == program.layers[0].weight_hh.words.integers.ravel().tolist()


@pytest.mark.parametrize(
    ("name", "path", "lines"),
    [
        ("lstm projected", "src/ernn.cpp", ["mode=axis port=features", "mode=s_axilite port=return"]),
        ("lstm projected", "src/layer0.h", ["variable=layer0_bias cyclic factor=4 dim=2", "PIPELINE II=1"]),
        ("lstm projected", "src/layer0.h", ["variable=layer0_hh_words complete dim=4", "variable=f_m complete dim=2"]),
        ("gru pruned", "src/layer0.h", ["LOOP_TRIPCOUNT min=0 max=8"]),
        ("gru sparse", "src/layer0.h", ["LOOP_TRIPCOUNT min=0 max=2", "variable=layer0_hh_words complete dim=2"]),
    ],
)
def test_pragmas(name, path, lines):
    text = network.project(programs.build(**programs.STRUCTURES[name]), designs.HLS)[path]
    assert all(line in text for line in lines)


def test_vectors_mark_the_first_frame_of_an_utterance():
    features = [np.array([[1, -2], [3, 4]]), np.array([[5, 6]])]
    logits = [np.array([[7], [8]]), np.array([[9]])]
    assert hls_vectors(features, logits) == {
        "tb/features.txt": "1 1 -2\n0 3 4\n1 5 6\n",
        "tb/logits.txt": "7\n8\n9\n",
    }
    with pytest.raises(ValueError, match="every utterance has logits for each of its frames"):
        hls_vectors(features, logits[:1])


@pytest.mark.parametrize("name", ["lstm projected", "gru", "lstm head, fourier", "gru sparse"])
def test_more_lanes_and_columns_take_no_more_cycles(name):
    """By the estimate; a sparse matrix takes as many whatever the array."""
    program = programs.build(**programs.STRUCTURES[name])
    names = ["layer0", "layer0_x", "layer0_y", "layer1", "layer1_x", "head0", "output_layer"]

    def cycles(lanes: int, columns: int) -> int:
        arrays = dict.fromkeys(names, Parallel(lanes, columns))
        return network.estimated_cycles(program, network.Target("part", 200.0, arrays))

    found = [cycles(*size) for size in ((1, 1), (4, 1), (8, 1), (8, 2), (16, 4))]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]
    text = network.project(program, network.Target("part", 200.0))["src/ernn.cpp"]
    assert f"about {network.estimated_cycles(program, network.Target('part', 200.0)):,} cycles" in text
