"""Self-checking Verilog test bench of a network: sizes for `simulation/ernn_bench.v`, which does the work.

Compiled with ERNN_WAVES, `+from=N` and `+to=N` write those cycles to ernn.vcd; compiled with ERNN_SAIF, a run leaves in
ernn.saif how often each signal toggled.
"""

from collections.abc import Iterator
from importlib import resources

from ernn.hw.design import TEST_BENCH
from ernn.hw.verilog.items import BLANK, Directive, Instance, Item, Loop, Process, Wire
from ernn.hw.verilog.module import Module
from ernn.hw.verilog.network import NetworkHardware

_BENCH = "ernn_bench"


def testbench(network: NetworkHardware) -> dict[str, str]:
    """Files of the test bench by name."""
    doc = "The network, and the bench that feeds it with vectors and compares what comes out."
    top = Module(TEST_BENCH, (), tuple(_items(network)), doc=doc)
    bench = resources.files("ernn.hw.verilog") / "simulation" / f"{_BENCH}.v"
    return {f"{TEST_BENCH}.v": top.render(), f"{_BENCH}.v": bench.read_text()}


def _items(network: NetworkHardware) -> Iterator[Item]:
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
    yield BLANK
    yield _network(network)
    yield _bench(network)
    yield BLANK
    yield from _recordings()


def _network(network: NetworkHardware) -> Instance:
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
    return Instance("ernn", "dut", ports)


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
