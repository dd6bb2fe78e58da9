"""What a host does with the driver: frames, streams, weights, states, speed, the command; run by test_board.py."""

import json
import os
import sys
from dataclasses import replace

import numpy as np
from cocotb.task import resume

from ernn.golden.model import Golden
from ernn.hw import design
from ernn.hw.project import rtl_project
from tests import programs
from tests.hw import axi_bus, designs
from tests.hw.axi_bench import mixed
from tests.hw.axi_bus import STREAMS, Rules, program
from tests.hw.board_bench import CLOCK_MHZ, LENGTHS, Bench, on_board


@on_board(pauses=0.4)
def logits_equal_golden_with_pauses(bench: Bench) -> None:
    bench.driver.check(bench.accelerator(), bench.vectors())


@on_board()
def long_sequences_go_in_several_packets(bench: Bench) -> None:
    wanted = bench.vectors((7, 6))
    for frames in (256, 4, 1):
        before = bench.pynq.dma.sendchannel.packets
        bench.driver.check(bench.accelerator(frames), wanted)
        assert bench.pynq.dma.sendchannel.packets - before == -(-13 // frames)


@on_board()
def a_wrong_logit_is_named(bench: Bench) -> None:
    wanted, accelerator = bench.vectors(), bench.accelerator()
    for frame, logit in ((0, 0), (5, 2)):
        logits = wanted.logits.copy()
        logits[frame, logit] ^= 1
        refusal = bench.refusal(bench.driver.check, accelerator, replace(wanted, logits=logits))
        expected, got = logits[frame, logit], wanted.logits[frame, logit]
        assert refusal == f"frame {frame}, logit {logit}: expected {expected}, got {got} (1 of 30 differ)"
        accelerator.reset()


@on_board()
def utterances_open_where_they_are_said_to(bench: Bench) -> None:
    wanted, accelerator = bench.vectors((3, 3, 3, 3)), bench.accelerator()
    first = wanted.first.copy()
    place = np.flatnonzero(first)[2]  # the second utterance of its stream
    first[place] = False
    assert f"frame {place}, " in bench.refusal(bench.driver.check, accelerator, replace(wanted, first=first))
    single = wanted.stream == 0
    rows = wanted.x[single][:3], wanted.logits[single][:3]
    for _ in range(2):  # by default, a run is an utterance
        assert (accelerator.run(rows[0]) == rows[1]).all()


@on_board()
def the_first_frame_after_a_reset_opens_an_utterance(bench: Bench) -> None:
    wanted, accelerator = bench.vectors((3, 3)), bench.accelerator()
    unsaid = np.zeros(len(wanted.x), bool)

    def by_its_pin() -> None:
        resume(bench.pynq.reset)()

    for reset in (by_its_pin, accelerator.reset):
        bench.driver.check(accelerator, bench.vectors((2, 2), seed=3))
        reset()
        assert (accelerator.run(wanted.x, unsaid, wanted.stream) == wanted.logits).all()


@on_board()
def frames_of_a_stream_that_does_not_exist_are_dropped(bench: Bench) -> None:
    """Rows of others in the same packet are answered."""
    wanted, accelerator = bench.vectors((2,)), bench.accelerator()
    slot, size = accelerator.description["input"]["slot_bits"], accelerator.description["logits"]["size"]
    features = bench.driver._words(np.repeat(wanted.x, 2, axis=0), slot)
    width = -(-size * accelerator.description["logits"]["slot_bits"] // 32)
    for count, stranger in enumerate((STREAMS, 3, 4, 0x8000), start=1):
        headers = np.array([1 | stranger << 16, 1, stranger << 16, 0], np.uint32)
        words = np.column_stack([headers, features]).reshape(-1)
        found = accelerator.board.exchange(words, 2 * width).reshape(2, width)
        logits = bench.driver._integers(found, accelerator.description["logits"]["slot_bits"], size)
        assert (logits == wanted.logits).all()
        assert accelerator.read("stream_errors") == 2 * count
        assert accelerator.read("protocol_errors") == 0


@on_board(pauses=0.2)
def weights_of_another_network(bench: Bench) -> None:
    own, other = program(), mixed(program(), program(seed=1))
    accelerator, wanted = bench.accelerator(), bench.vectors(of=other)
    bench.refusal(bench.driver.check, accelerator, wanted)
    files = rtl_project(axi_bus.design(other))
    images = {path: text for path, text in files.items() if "_weights_" in path or path == design.WEIGHTS}
    folder = designs.write(images, bench.folder / "other") / "memory"
    words = sum(len(text.split()) for path, text in images.items() if path.endswith(".hex"))
    assert accelerator.load_weights(folder) == words
    accelerator.reset()
    bench.driver.check(accelerator, wanted)
    assert accelerator.load_weights(bench.folder / "memory") == words
    accelerator.reset()
    bench.driver.check(accelerator, bench.vectors(of=own))
    (folder / "layer0_weights_1.hex").unlink()
    assert "layer0_weights_1.hex is missing: copy the folder" in bench.refusal(accelerator.load_weights, folder)


@on_board()
def an_utterance_goes_on_from_states_that_were_saved(bench: Bench) -> None:
    accelerator, golden = bench.accelerator(), Golden(program())
    x = designs.utterances(program(), (8,), seed=5)[0]
    logits = golden.run(x[:, None])[0][:, 0]
    _, states = golden.run(x[:5, None])
    stream = STREAMS - 1
    assert (accelerator.run(x[:5], stream=stream) == logits[:5]).all()
    saved = accelerator.save(stream)
    for kind in "cy":
        count = states[0][kind].shape[0]
        assert saved[0][kind][:count].tolist() == states[0][kind][:, 0].tolist()
    accelerator.run(designs.utterances(program(), (4,), seed=6)[0], stream=stream)
    going_on = np.zeros(3, bool)
    assert (accelerator.run(x[5:], going_on, stream) != logits[5:]).any()
    accelerator.restore(stream, saved)
    assert (accelerator.run(x[5:], going_on, stream) == logits[5:]).all()


@on_board(pauses=0.2)
def sequences_begin_with_the_initial_states_of_the_network(bench: Bench) -> None:
    begun = programs.begun(program(), seed=3)
    described = json.loads(rtl_project(axi_bus.design(begun))[design.ACCELERATOR])
    accelerator, wanted = bench.accelerator(initial=described["initial"]), bench.vectors(of=begun)
    bench.driver.check(accelerator, wanted)
    bench.driver.check(accelerator, wanted)
    assert bench.refusal(bench.driver.check, bench.accelerator(), wanted).startswith("frame 0, logit ")


@on_board()
def speed_is_that_of_the_counters(bench: Bench) -> None:
    accelerator, wanted = bench.accelerator(), bench.vectors()
    network, described = bench.pynq.dut.network, accelerator.description
    features, logits = (Rules(network, f"{side}_axis_tvalid", f"{side}_axis_tready") for side in "sm")
    found = accelerator.measure(wanted)
    beats, last = (-(-described[side]["size"] // described[side]["per_beat"]) for side in ("input", "logits"))
    frames = sum(LENGTHS)
    begun, ended = features.passed[::beats], logits.passed[last - 1 :: last]
    assert found["frames"] == len(begun) == len(ended) == frames
    assert found["cycles_per_frame"] == (ended[-1] - begun[0] + 1) / frames
    assert found["latency_us"] == (ended[-1] - begun[-1] + 1) / CLOCK_MHZ
    assert np.isclose(found["frames_per_s"], 1e6 * CLOCK_MHZ / found["cycles_per_frame"], rtol=1e-12)
    assert 0 < found["frames_per_s_with_host"] < found["frames_per_s"]
    counted = accelerator.counters()
    assert counted["layer0_busy"] > 0
    assert {"cycles", "protocol_errors", "layer0_overflow_c"} <= set(counted)
    assert not {"control", "load_place", "state_0", "identity", "cycles_low"} & set(counted)


@on_board()
def the_command_checks_and_measures(bench: Bench) -> None:
    bench.vectors()
    os.chdir(bench.folder)
    try:
        arguments = ["--weights", "memory"]
        assert "10 frames, every logit as expected" in said(bench, arguments)
        path = bench.folder / "vectors" / "want.hex"
        lines = path.read_text().split()
        path.write_text("\n".join([*lines[:7], f"{int(lines[7], 16) ^ 1:x}", *lines[8:]]))
        assert said(bench, []).startswith("error: frame 2, logit 1: expected ")
        path.write_text("\n".join(lines[:-1]))
        assert "vectors is of another network: 10 frames want 6 features and 3 logits each" in said(bench, [])
        path.unlink()
        assert "No such file or directory" in said(bench, [])
    finally:
        os.chdir(bench.folder / "memory")


def said(bench: Bench, arguments: list[str]) -> str:
    """What `python3 ernn_driver.py` prints, or leaves with."""
    lines: list[str] = []
    with_lines = {"print": lambda *words: lines.append(" ".join(map(str, words)))}
    bench.driver.__dict__.update(with_lines)
    sys.argv = ["ernn_driver.py", *arguments]
    try:
        bench.driver.main()
    except SystemExit as left:
        return str(left)
    assert any(line.startswith("frames_per_s: ") for line in lines)
    return "\n".join(lines)
