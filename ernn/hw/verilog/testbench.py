"""Self-checking Verilog test bench of a network: sizes for `simulation/ernn_bench.v`, which does the work.

Where states begin with other numbers than zeros, `simulation/ernn_begin.v` writes them before each sequence, as a host
does.

Compiled with ERNN_WAVES, `+from=N` and `+to=N` write those cycles to ernn.vcd; compiled with ERNN_SAIF, a run leaves in
ernn.saif how often each signal toggled.
"""

from collections.abc import Iterator, Sequence
from importlib import resources

from ernn.hw.design import BEGIN, TEST_BENCH
from ernn.hw.verilog.items import BLANK, Directive, Instance, Item, Loop, Process, Wire
from ernn.hw.verilog.module import Module
from ernn.hw.verilog.network import NetworkHardware

_BENCH, _BEGIN = "ernn_bench", "ernn_begin"
_FRAMES = {"tvalid": "frame_valid", "tready": "frame_ready", "tuser": "frame_user"}  # behind ernn_begin
_WRITES = {each: f"host_{each}" for each in ("awaddr", "awvalid", "wdata")}
Writes = Sequence[Sequence[tuple[int, int]]]


def testbench(network: NetworkHardware, begins: Writes) -> dict[str, str]:
    """Files of the test bench by name.

    Args:
        begins: register writes before a sequence, for each stream equally many; none where states begin with zeros.
    """
    doc = "The network, and the bench that feeds it with vectors and compares what comes out."
    writes = len(begins[0])
    top = Module(TEST_BENCH, (), tuple(_items(network, writes)), doc=doc)
    files = {f"{TEST_BENCH}.v": top.render(), f"{_BENCH}.v": _source(_BENCH)}
    if not writes:
        return files
    words = "".join(f"{number << 32 | value:x}\n" for stream in begins for number, value in stream)
    return files | {f"{_BEGIN}.v": _source(_BEGIN), BEGIN: words}


def _source(name: str) -> str:
    return (resources.files("ernn.hw.verilog") / "simulation" / f"{name}.v").read_text()


def _items(network: NetworkHardware, writes: int) -> Iterator[Item]:
    a, t, x, y = network.address_bits, network.tid_bits, network.input, network.output
    yield from map(Wire, ("clk", "resetn", "running"))
    yield Wire("cycle", 32)
    yield from (Wire("tvalid"), Wire("tready"), Wire("tlast"), Wire("tuser"), Wire("tid", t))
    yield from (Wire("tdata", x.count * x.slot), Wire("tkeep", x.count * x.slot // 8))
    yield from (Wire("out_valid"), Wire("out_ready"), Wire("out_last"), Wire("out_id", t))
    every = f"{{{y.slot // 8}{{1'b1}}}}"
    yield Wire("out_data", y.count * y.slot)
    yield Wire("out_keep", y.count * y.slot // 8, "" if y.count > 1 else every)
    yield from (Wire("awaddr", a), Wire("araddr", a), Wire("wdata", 32), Wire("rdata", 32))
    yield from (Wire(f"{each}valid") for each in ("aw", "b", "ar", "r"))
    yield from (Wire(f"{each}ready") for each in ("aw", "w", "ar"))
    yield from (Wire("bresp", 2), Wire("rresp", 2))
    if writes:
        yield from map(Wire, _FRAMES.values())
        yield from (Wire("host_awaddr", a), Wire("host_awvalid"), Wire("host_wdata", 32))
    yield BLANK
    yield _network(network, begins=writes > 0)
    yield _bench(network)
    if writes:
        yield _begin(network, writes)
    yield BLANK
    yield from _recordings()


def _network(network: NetworkHardware, begins: bool) -> Instance:
    ports = {"aclk": "clk", "aresetn": "resetn"}
    ports |= {f"s_axis_{each}": each for each in ("tdata", "tvalid", "tready", "tlast", "tuser", "tid")}
    ports |= {f"m_axis_t{each}": f"out_{each}" for each in ("data", "valid", "ready", "last", "id")}
    ports |= {"s_axis_tkeep": "tkeep"} if network.input.count > 1 else {}
    ports |= {"m_axis_tkeep": "out_keep"} if network.output.count > 1 else {}
    control = {each: each for each in ("awaddr", "awvalid", "awready", "wdata", "wready", "bresp", "bvalid")}
    control |= {each: each for each in ("araddr", "arvalid", "arready", "rdata", "rresp", "rvalid")}
    control |= {"awprot": "3'd0", "wstrb": "4'd15", "wvalid": "awvalid", "bready": "1'b1"}
    control |= {"arprot": "3'd0", "rready": "1'b1"}
    ports |= {f"s_axil_{name}": value for name, value in control.items()}
    if begins:
        behind = _FRAMES | _WRITES
        ports = {name: behind.get(value, value) for name, value in ports.items()}
    return Instance("ernn", "dut", ports)


def _begin(network: NetworkHardware, writes: int) -> Instance:
    sizes = {
        "STREAMS": network.architecture.streams,
        "STREAM": network.tid_bits,
        "ADDRESS": network.address_bits,
        "WRITES": writes,
    }
    names = ["clk", "resetn", "tvalid", "tready", "tlast", "tuser", "tid", *_FRAMES.values(), *_WRITES]
    names += [*_WRITES.values(), "awready", "wready", "bresp", "bvalid"]
    ports = {each: each for each in names} | {"ended": "out_valid && out_ready && out_last"}
    return Instance(_BEGIN, "begins", ports, sizes)


def _bench(network: NetworkHardware) -> Instance:
    x, y = network.input, network.output
    sizes = {
        "INPUTS": x.elements,
        "FEATURES": x.count,
        "FEATURE_SLOT": x.slot,
        "CLASSES": y.elements,
        "LOGITS": y.count,
        "LOGIT_SLOT": y.slot,
        "LOGIT_BITS": y.bits,
        "STREAMS": network.architecture.streams,
        "STREAM": network.tid_bits,
        "ADDRESS": network.address_bits,
        "REGISTERS": len(network.registers),
    }
    names = ["clk", "resetn", "running", "cycle", "tdata", "tkeep", "tvalid", "tready", "tlast", "tuser", "tid"]
    names += [f"out_{each}" for each in ("data", "keep", "valid", "ready", "last")]
    names += ["awaddr", "awvalid", "awready", "wdata", "wready", "bresp", "bvalid"]
    names += ["araddr", "arvalid", "arready", "rdata", "rvalid"]
    return Instance(_BENCH, "bench", {each: each for each in names}, sizes)


def _recordings() -> Iterator[Item]:
    yield Directive("`ifdef ERNN_SAIF")
    yield Process("""    initial begin
        $dumpfile("ernn.saif");
        $dumpvars(0, dut);
    end""")
    yield Directive("`endif")
    yield BLANK
    yield Directive("`ifdef ERNN_WAVES")
    yield from (Loop("wave_from"), Loop("wave_to"))
    yield Process("""    initial begin
        if (!$value$plusargs("from=%d", wave_from)) wave_from = 0;
        if (!$value$plusargs("to=%d", wave_to)) wave_to = 1000;
        $dumpfile("ernn.vcd");
        wait (cycle >= wave_from && running);
        $dumpvars(0, dut);
        wait (cycle > wave_to);
        $dumpflush;
        $finish;
    end""")
    yield Directive("`endif")
