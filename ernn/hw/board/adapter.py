"""What a board needs around an accelerator: an adapter between DMA packets and frames, and scripts.

    board/ernn_board.v      the top module: 32-bit streams (ernn_adapter.v), registers handed through
    board/package_ip.tcl    makes an IP of it
    board/block_design.tcl  processing system, DMA, IP and bitstream for a board

The driver is in `ernn.hw.board.driver`, since no source depends on it.
A packet is rows of whole words, one for each frame; see ernn_unpack.v and ernn_pack.v. It comes back as rows of logits.
"""

from collections.abc import Iterator
from importlib import resources

from ernn.hw.layout.registers import CONTROL, PROTOCOL, register_number
from ernn.hw.verilog.frames import control_ports
from ernn.hw.verilog.items import Assign, Directive, Instance, Item, Note, Process, Register, Wire
from ernn.hw.verilog.module import Module, Port
from ernn.hw.verilog.network import NetworkHardware

STATIC = ("ernn_adapter.v", "ernn_pack.v", "ernn_unpack.v", "block_design.tcl", "package_ip.tcl")
SLOTS = (8, 16, 32)
_ADDRESSES = ("s_axil_awaddr", "s_axil_araddr")


def slot(bits: int) -> int:
    """Bits that a number of up to 32 bits takes in a word.

    >>> slot(8), slot(9), slot(24)
    (8, 16, 32)
    """
    return next(each for each in SLOTS if bits <= each)


def board_project(network: NetworkHardware) -> dict[str, str]:
    """Files of the board's project by path."""
    folder = resources.files("ernn.hw.board") / "files"
    files = {name: (folder / name).read_text() for name in STATIC}
    files["ernn_board.v"] = top(network).render()
    files["settings.tcl"] = f"set clock_mhz {network.architecture.clock.mhz:g}\n"
    return dict(sorted(files.items()))


def top(network: NetworkHardware) -> Module:
    """Module `ernn_board`."""
    doc = f"{network.program.name} behind a DMA: packets of 32-bit words; registers are those of `ernn`."
    return Module("ernn_board", tuple(_ports(network)), tuple(_items(network)), doc=doc)


def _ports(network: NetworkHardware) -> Iterator[Port]:
    buses = "ASSOCIATED_BUSIF s_axis:m_axis:s_axil, ASSOCIATED_RESET aresetn"
    yield Port("input", "aclk", attribute=f'X_INTERFACE_PARAMETER = "{buses}"')
    yield Port("input", "aresetn")
    yield from (Port("input", "s_axis_tdata", 32), Port("input", "s_axis_tkeep", 4))
    yield from (Port("input", "s_axis_tvalid"), Port("output", "s_axis_tready"), Port("input", "s_axis_tlast"))
    yield from (Port("output", "m_axis_tdata", 32), Port("output", "m_axis_tkeep", 4))
    yield from (Port("output", "m_axis_tvalid"), Port("input", "m_axis_tready"), Port("output", "m_axis_tlast"))
    yield from control_ports(_address_bits(network))


def _address_bits(network: NetworkHardware) -> int:
    return max(12, network.address_bits)  # a range of addresses is 4 KiB at least


def _items(network: NetworkHardware) -> Iterator[Item]:
    t, x, y = network.tid_bits, network.input, network.output
    number, bit = register_number(CONTROL), PROTOCOL.reset.bit_length() - 1
    yield Note(
        "A reset by the register `control` is one of the adapter too. Address and word of a write come apart: both\n"
        "are there, and no other can come, while neither is asked for."
    )
    yield from map(Register, ("to_control", "of_reset"))
    yield Process(f"""    always @(posedge aclk) begin
        if (s_axil_awvalid && s_axil_awready) to_control <= s_axil_awaddr == {_address_bits(network)}'d{4 * number};
        if (s_axil_wvalid && s_axil_wready) of_reset <= s_axil_wstrb == 4'd15 && s_axil_wdata[{bit}];
    end""")
    yield Wire("reset_written", value="!s_axil_awready && !s_axil_wready && to_control && of_reset")
    for name in ("beat", "logits"):
        yield from (Wire(f"{name}_{each}") for each in ("valid", "ready", "last"))
    yield from (Wire("beat_user"), Wire("beat_id", t), Wire("logits_id", t))
    yield from (Wire("beat", x.count * x.slot), Wire("beat_keep", x.count * x.slot // 8))
    yield Wire("logits", y.count * y.slot)
    yield _adapter(network)
    yield Assign("m_axis_tkeep", "4'd15")
    unused = "&{1'b0, s_axis_tkeep, s_axil_awaddr, s_axil_araddr, beat_keep, logits_id}"
    yield Wire("unused", value=unused, unchecked="UNUSEDSIGNAL")
    yield Directive("/* verilator lint_off PINCONNECTEMPTY */")
    yield _network(network)
    yield Directive("/* verilator lint_on PINCONNECTEMPTY */")


def _adapter(network: NetworkHardware) -> Instance:
    x, y = network.input, network.output
    sizes = {
        "INPUTS": x.elements,
        "FEATURES": x.count,
        "FEATURE_SLOT": slot(x.slot),
        "FEATURE_BITS": x.slot,
        "CLASSES": y.elements,
        "LOGITS": y.count,
        "LOGIT_SLOT": slot(y.slot),
        "LOGIT_BITS": y.slot,
        "STREAMS": network.architecture.streams,
        "STREAM": network.tid_bits,
        "FRAMES": 1 << network.frame_bits,
        "FRAME": network.frame_bits,
    }
    ports = {"clk": "aclk", "aresetn": "aresetn", "resets": "reset_written"}
    for side, name in (("s", "in"), ("m", "out")):
        ports |= {f"{name}_{each}": f"{side}_axis_t{each}" for each in ("valid", "ready", "data", "last")}
    names = [f"beat_{each}" for each in ("valid", "ready", "keep", "last", "user", "id")]
    names += [f"logits_{each}" for each in ("valid", "ready", "last")]
    return Instance("ernn_adapter", "adapter", ports | {each: each for each in ("beat", "logits", *names)}, sizes)


def _network(network: NetworkHardware) -> Instance:
    ports = {"aclk": "aclk", "aresetn": "aresetn", "s_axis_tdata": "beat", "m_axis_tdata": "logits"}
    ports |= {f"s_axis_t{each}": f"beat_{each}" for each in ("valid", "ready", "last", "user", "id")}
    ports |= {f"m_axis_t{each}": f"logits_{each}" for each in ("valid", "ready", "last", "id")}
    ports |= {"s_axis_tkeep": "beat_keep"} if network.input.count > 1 else {}
    ports |= {"m_axis_tkeep": ""} if network.output.count > 1 else {}
    ports |= {port.name: port.name for port in control_ports(0)}
    return Instance("ernn", "network", ports | {name: _address(network, name) for name in _ADDRESSES})


def _address(network: NetworkHardware, port: str) -> str:
    """An address for the network: one beyond its own range becomes the last, which is no register's."""
    own, all_bits = network.address_bits, _address_bits(network)
    return f"{port}[{own - 1}:0] | {{{own}{{|{port}[{all_bits - 1}:{own}]}}}}" if own < all_bits else port
