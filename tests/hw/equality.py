"""What every accelerator keeps: its logits and counters are the integer model's, whatever comes when."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ernn.estimate import cycles
from ernn.hw import design as hw_design
from ernn.hw.verilog.network import NetworkHardware
from ernn.program.network import Program
from ernn.simulate import bench as simulation
from ernn.simulate.bench import Bench
from ernn.simulate.vectors import rtl_vectors
from ernn.tools import verilator
from tests.hw import designs, states

LENGTHS = (5, 1, 7, 3, 1, 1, 4)  # an utterance of one frame between others, and two of them in a row


@dataclass(frozen=True)
class Built:
    """A design and its compiled test bench."""

    program: Program
    design: NetworkHardware
    bench: Bench
    project: Path

    @property
    def streams(self) -> int:
        """That take turns."""
        return self.design.architecture.streams


def build(folder: Path, program: Program, **sizes: object) -> Built:
    """Compile the test bench of a program's accelerator."""
    design = designs.network(program, **sizes)  # type: ignore[arg-type]
    return Built(program, design, designs.bench(design, folder), folder / "project")


class Equality:
    """Laws of a fixture `built`."""

    def test_logits_and_counters_are_those_of_the_integer_model(self, built: Built) -> None:
        x = designs.utterances(built.program, LENGTHS)
        outcome = built.bench.run(rtl_vectors(built.program, x, built.streams))
        simulation.check_overflows(built.program, x, outcome)
        found = outcome.registers
        assert found["frames_in"] == found["frames_out"] == len(outcome.begun) == len(outcome.ended) == sum(LENGTHS)
        assert (found["identity"], found["protocol_errors"]) == (0x45524E4E, 0)
        assert (outcome.begun < outcome.ended).all()

    @pytest.mark.parametrize("lengths", [LENGTHS, (1,), (1,) * 20], ids=["utterances", "alone", "opening"])
    def test_every_frame_takes_the_cycles_of_the_model(self, built: Built, lengths: tuple[int, ...]) -> None:
        vectors = rtl_vectors(built.program, designs.utterances(built.program, lengths), built.streams)
        order = list(zip(vectors.first.tolist(), vectors.stream.tolist(), strict=True))
        found = built.bench.run(vectors)
        assert cycles.frames(built.design, order) == (found.begun.tolist(), found.ended.tolist())
        if len(order) == 1:
            assert cycles.cycles(built.design).latency == found.registers["latency"]

    @pytest.mark.parametrize(("gaps", "stalls"), [(200, 0), (0, 230), (100, 100)])
    def test_pauses_change_no_logit_and_no_counter(self, built: Built, gaps: int, stalls: int) -> None:
        x = designs.utterances(built.program, LENGTHS, seed=2)
        outcome = built.bench.run(rtl_vectors(built.program, x, built.streams), gaps, stalls)
        simulation.check_overflows(built.program, x, outcome)

    def test_every_frame_may_open_an_utterance(self, built: Built) -> None:
        x = designs.utterances(built.program, [1] * 9, seed=3)
        built.bench.run(rtl_vectors(built.program, x, built.streams))

    def test_one_stream_alone_and_a_reset_before_it_change_nothing(self, built: Built) -> None:
        x = designs.utterances(built.program, [6, 2], seed=4)
        built.bench.run(rtl_vectors(built.program, x, 1), writes=[(0, 1), (1, 0)])

    def test_an_utterance_goes_on_from_states_that_are_written_back(self, built: Built) -> None:
        accelerator = hw_design.read(built.project)
        vectors, before, _ = states.rest(built.program, built.streams - 1)
        built.bench.run(vectors, writes=states.restored(accelerator, built.streams - 1, before))

    def test_sources_are_lint_clean(self, built: Built) -> None:
        sources = [f"rtl/{each.name}" for each in sorted((built.project / "rtl").iterdir())]
        verilator.lint(built.project, "ernn", sources)
