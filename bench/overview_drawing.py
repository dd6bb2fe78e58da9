"""`python -m bench.overview_drawing`: docs/images/overview.svg, the way of a network and what each step tells."""

from pathlib import Path

from bench.drawing import Box, Row, svg

PICTURE = Path("docs/images/overview.svg")
ROWS = (
    Row(
        "The way of a network",
        (
            Box("network", "LSTM, GRU or RNN, of\ntorch, ONNX, Keras; or\nspeech, trained here"),
            Box("compress", "by ADMM: k times\nfewer weights in\ncirculant blocks"),
            Box("quantize", "integers of 4 to 18\nbits: the model that\nhardware must equal"),
            Box("generate", "Verilog, HLS C++, test\nbench, driver, for a\ndevice and a latency"),
            Box("simulate", "every output of every\nstep equal to the\ninteger model"),
            Box("synthesize", "by Yosys and nextpnr,\nor Vivado"),
        ),
    ),
    Row(
        "What each step tells",
        (
            Box("errors", "over the whole test\nset, with their 95 %\ninterval"),
            Box("errors lost", "to the dense network,\non the same data"),
            Box("errors lost", "to integers; the range\nand saturations of\nevery value"),
            Box("estimate", "of LUT, FF, DSP, block\nRAM and latency,\nbefore any tool runs"),
            Box("cycles", "of a frame alone, and\nof frames that follow\neach other"),
            Box("resources", "and the clock: routed,\nestimated or assumed"),
        ),
        arrows=False,
    ),
)


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg("From a recurrent network to an FPGA", ROWS))


if __name__ == "__main__":
    main()
