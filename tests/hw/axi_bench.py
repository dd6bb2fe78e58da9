"""Protocol tests of an accelerator, run inside the simulator by test_axi.py."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge
from cocotbext.axi import AxiResp

from ernn.hw.layout.registers import PROTOCOL, WRITTEN, part_count, parts
from ernn.program.network import Lstm, Program
from tests.hw import axi_bus
from tests.hw.axi_bus import Buses, loads, program, vectors

RESET, CLEAR = 1, 2  # writes to control
COUNTERS = (
    "frames_in",
    "frames_out",
    "cycles_low",
    "cycles_high",
    "latency",
    "protocol_errors",
    "stream_errors",
    "layer0_busy",
)


def protocol(pauses: float = 0.0) -> Callable[[Callable[[Buses], Awaitable[None]]], object]:
    """A test on buses that come out of reset; at its end no rule may have been broken."""

    def decorate(body: Callable[[Buses], Awaitable[None]]) -> object:
        @cocotb.test(timeout_time=1, timeout_unit="ms", name=body.__name__)
        @wraps(body)
        async def test(dut: object) -> None:
            buses = Buses(dut, pauses)
            await buses.reset(300)  # longer than anything that a failed test may have left takes
            await body(buses)
            buses.check()

        return test

    return decorate


@protocol(pauses=0.4)
async def streams_with_pauses(buses: Buses) -> None:
    lengths = (4, 1, 3, 2, 1, 3)
    running = cocotb.start_soon(buses.run(vectors(program(), lengths)))
    seen = [0]
    while not running.done():
        seen.append(await buses.read("frames_in"))
    running.result()
    assert seen == sorted(seen)
    await buses.expect_counters(program(), lengths, seed=1)
    assert buses.logits.held > 10
    assert buses.reads.held > 10


@protocol()
async def streams_without_pauses(buses: Buses) -> None:
    await buses.run(vectors(program(), (3, 2, 1), seed=2))


@protocol()
async def logits_that_nobody_takes_hold_everything(buses: Buses) -> None:
    wanted = vectors(program(), (12, 12), seed=3)
    buses.sink.pause = True
    buses.send(wanted)
    await ClockCycles(buses.dut.aclk, 1500)
    assert not buses.source.idle(), "features were taken without end"
    taken = len(buses.features.passed)
    await ClockCycles(buses.dut.aclk, 200)
    assert len(buses.features.passed) == taken
    buses.sink.pause = False
    await buses.expect(wanted)


@protocol(pauses=0.3)
async def known_registers(buses: Buses) -> None:
    assert (await buses.read("identity")).to_bytes(4, "big") == b"ERNN"
    assert await buses.read("interface_version") == 2
    assert [await buses.read(name) for name in COUNTERS] == [0] * len(COUNTERS)
    assert await buses.read("load_place") == 0
    await buses.write("load_place", 0x0001_0002)
    assert await buses.read("load_place") == 0x0001_0002


@protocol(pauses=0.3)
async def unknown_registers(buses: Buses) -> None:
    end, whole = 4 * len(buses.design.registers), 1 << buses.design.address_bits
    for address in (end, end + 4, whole - 4):
        response = await buses.registers.read(address, 4)
        assert (response.resp, response.data) == (AxiResp.SLVERR, bytes(4))
    for address in (4 * len(WRITTEN), 4 * len(WRITTEN) + 4, end, whole - 4):
        assert (await buses.registers.write(address, bytes(4))).resp == AxiResp.SLVERR
    assert (await buses.registers.read(end - 4, 4)).resp == AxiResp.OKAY


@protocol(pauses=0.3)
async def parts_of_registers(buses: Buses) -> None:
    await buses.write("load_place", 7)
    for address, length in ((4, 1), (4, 2), (5, 3), (6, 2), (7, 1), (1, 3)):
        response = await buses.registers.write(address, b"\xff" * length)
        assert response.resp == AxiResp.SLVERR, (address, length)
    assert (await buses.registers.read(13, 2)).resp == AxiResp.SLVERR
    assert await buses.read("load_place") == 7
    assert await buses.read("frames_in") == 0


@protocol(pauses=0.2)
async def counters_of_frames(buses: Buses) -> None:
    wanted = vectors(program(), (2, 2), seed=4)
    inputs, classes = wanted.x.shape[1], wanted.logits.shape[1]
    await buses.run(wanted)
    begun, ended = buses.features.passed[::inputs], buses.logits.passed[classes - 1 :: classes]
    assert (await buses.read("frames_in"), await buses.read("frames_out")) == (4, 4)
    assert await buses.read("latency") == ended[-1] - begun[-1] + 1
    assert await buses.read("cycles_low") == ended[-1] - begun[0] + 1
    assert await buses.read("protocol_errors") == 0
    assert await buses.read("layer0_busy") > 0


@protocol()
async def cleared_counters(buses: Buses) -> None:
    wanted = vectors(program(), (3, 3), seed=5)
    buses.send(wanted, slice(3))
    await buses.expect(wanted, slice(3))
    await buses.write("control", CLEAR)
    assert [await buses.read(name) for name in COUNTERS] == [0] * len(COUNTERS)
    buses.send(wanted, slice(3, None))  # the utterances go on: only counters were cleared
    await buses.expect(wanted, slice(3, None))
    assert (await buses.read("frames_in"), await buses.read("frames_out")) == (3, 3)


@protocol()
async def counters_cleared_in_a_frame(buses: Buses) -> None:
    wanted, others = vectors(program(), (1,), seed=6), vectors(program(), (1, 1), seed=7)
    await buses.run(others)
    buses.send(wanted)
    await buses.wait(lambda: len(buses.features.passed) == 3 * wanted.x.shape[1])
    await buses.write("control", CLEAR)
    await buses.expect(wanted)
    begun = buses.features.passed[-wanted.x.shape[1]]
    assert await buses.read("latency") == buses.logits.passed[-1] - begun + 1


@protocol()
async def reset_by_control_at_any_time(buses: Buses) -> None:
    async def reset() -> None:
        await buses.write("control", RESET)
        assert [await buses.read(name) for name in COUNTERS] == [0] * len(COUNTERS)

    await interrupted(buses, reset)


@protocol()
async def reset_by_its_pin_at_any_time(buses: Buses) -> None:
    await interrupted(buses, buses.reset)


async def interrupted(buses: Buses, reset: Callable[[], Awaitable[None]]) -> None:
    """Reset while frames are in every state that they can be in; what follows must be as after power-up."""
    for cycles in range(1, 150, 7):
        buses.send(vectors(program(), (4, 3), seed=8))
        await ClockCycles(buses.dut.aclk, cycles)
        buses.logits.excused = True  # what waits may be withdrawn
        buses.drop()
        await reset()
        buses.drop()
        buses.logits.excused = False
        await buses.run(vectors(program(), (2, 1), seed=9))
        await buses.expect_counters(program(), (2, 1), seed=9)


@protocol()
async def the_first_frame_after_a_reset_opens_an_utterance(buses: Buses) -> None:
    """Of every stream, by its pin and by `control`; later ones go on."""
    wanted = vectors(program(), (3, 3), seed=10)
    unsaid = replace(wanted, first=np.zeros(len(wanted.x), bool))

    async def by_control() -> None:
        await buses.write("control", RESET)

    for reset in (buses.reset, by_control):
        await buses.run(vectors(program(), (2, 2), seed=11))
        await reset()
        await buses.run(unsaid)


@protocol()
async def weights_and_states_are_not_written_while_a_frame_is_under_way(buses: Buses) -> None:
    """Neither within its features nor behind them; afterwards the same write goes to the same place."""
    own, other = program(), program(seed=1)
    new, wanted = list(loads(mixed(own, other))), vectors(own, (2, 2), seed=13)
    places = [PROTOCOL.memory(0, 0), PROTOCOL.state(0, 0, "c")]
    for beats in (1, 3, wanted.x.size):
        for place in places:
            before = len(buses.features.passed)
            await buses.write("load_place", place)
            buses.send(wanted)
            await buses.passed(before + beats)
            assert await buses.answer("load_part", 0x5A5A5A5A) == AxiResp.SLVERR
            assert await buses.read("load_part") == 0
            await buses.expect(wanted)
    for register, value in new:
        assert await buses.answer(register, value) == AxiResp.OKAY
    await buses.run(vectors(mixed(own, other), (3, 2), seed=13))
    await buses.load(own)


@protocol()
async def places_that_do_not_exist_are_not_written(buses: Buses) -> None:
    """Unknown layers, memories and streams: refused, and nothing else is changed."""
    layers, wanted = [each.controlled for each in buses.design.layers], vectors(program(), (2, 2), seed=16)
    await buses.run(wanted)
    unknown = [PROTOCOL.memory(len(layers), 0), PROTOCOL.memory(0xFFFF, 0), PROTOCOL.state(len(layers), 0, "c")]
    for number, layer in enumerate(layers):
        unknown += [PROTOCOL.memory(number, place) for place in (layer.memories, layer.memories + 1, 0x3FFF)]
        missing = [name for name in ("c", "y") if name not in layer.states]
        unknown += [PROTOCOL.state(number, 0, name) for name in missing]
        unknown += [PROTOCOL.state(number, stream, name) for name in layer.states for stream in (2, 3, 0x3FFF)]
    for place in unknown:
        await buses.write("load_place", place)
        for _ in range(8):  # more than a word has parts
            assert await buses.answer("load_part", 0x5A5A5A5A) == AxiResp.SLVERR, hex(place)
        assert await buses.read("load_part") == 0
    await buses.run(wanted)


@protocol()
async def words_behind_the_last_of_a_place_are_not_written(buses: Buses) -> None:
    """Of every memory and state: refused in all their parts, and its first words are as before."""
    layers, own = [each.controlled for each in buses.design.layers], program()
    images = [layer.array.layout.images() for layer in buses.design.layers]
    places = [
        (PROTOCOL.memory(number, memory), [int(word, 16) for word in image.split()], layer.weight_bits)
        for number, layer in enumerate(layers)
        for memory, image in enumerate(images[number])
    ]
    places += [
        (PROTOCOL.state(number, stream, name), [0] * state.words, state.bits)
        for number, layer in enumerate(layers)
        for name, state in layer.states.items()
        for stream in range(axi_bus.STREAMS)
    ]
    for place, words, bits in places:
        await buses.write("load_place", place)
        for part in parts(words, bits):
            assert await buses.answer("load_part", part) == AxiResp.OKAY, hex(place)
        for _ in range(2 * part_count(bits)):
            assert await buses.answer("load_part", 0x5A5A5A5A) == AxiResp.SLVERR, hex(place)
        assert await buses.read("load_part") == len(words)
    await buses.run(vectors(own, (2, 2), seed=17))


@protocol()
async def harmless_accesses_do_not_hold_frames_back(buses: Buses) -> None:
    """Features pass in the same cycles with reads and writes of all other registers as without."""

    async def passed(busy: bool) -> list[int]:
        before = len(buses.features.passed)
        running = cocotb.start_soon(buses.run(vectors(program(), (6, 6), seed=14)))
        count = 0
        while busy and not running.done():
            for register, value in (("load_place", 3), ("state_step", 1), ("control", CLEAR)):
                await buses.write(register, value)
                await buses.read("frames_in")
                count += 1
        assert not busy or count > 12
        await running
        cycles = buses.features.passed[before:]
        return [cycle - cycles[0] for cycle in cycles]

    assert await passed(busy=True) == await passed(busy=False)


@protocol(pauses=0.3)
async def no_output_follows_an_input_within_a_cycle(buses: Buses) -> None:
    """All outputs of all buses, while frames and accesses are under way (IHI 0022: no combinational paths)."""
    running = cocotb.start_soon(buses.run(vectors(program(), (4, 3), seed=15)))
    while not running.done():
        access = cocotb.start_soon(buses.write("load_place", 3))
        await buses.read("frames_in")
        while not access.done():
            await FallingEdge(buses.dut.aclk)
            assert await buses.followed() == set()
    await running


@protocol(pauses=0.2)
async def tlast_in_a_wrong_place(buses: Buses) -> None:
    wanted = vectors(program(), (5,), seed=12)
    x = wanted.x
    buses.send(wanted, slice(1))
    buses.send_beats(x[1][:2], 0, 0)  # too early, and none at the end
    buses.send_beats(x[1:3].reshape(-1)[2:], 0, 0)
    buses.send_beats(x[3:5], 0, 0)  # none at the end
    await buses.expect(wanted)
    assert await buses.read("frames_out") == 5
    assert await buses.read("protocol_errors") == 2


@protocol(pauses=0.1)
async def weights_of_another_network(buses: Buses) -> None:
    own, other = program(), program(seed=1)
    await buses.load(mixed(own, other))
    await buses.run(vectors(mixed(own, other), (3, 2, 2), seed=13))
    await buses.load(own)
    await buses.run(vectors(own, (3, 2, 2), seed=13))


def mixed(own: Program, other: Program) -> Program:
    """Weights of the other in `own`: biases and tables are not written."""
    (layer,), (new,) = own.layers, other.layers
    assert isinstance(layer, Lstm)
    changed = replace(layer, weight_ih=new.weight_ih, weight_hh=new.weight_hh)
    return replace(own, layers=(changed,), output=replace(own.output, weight=other.output.weight))
