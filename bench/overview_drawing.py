"""`python -m bench.overview_drawing`: docs/images/overview.svg, from a network to an FPGA and what a step reports."""

from pathlib import Path

from bench.drawing import Box, Row, svg

PICTURE = Path("docs/images/overview.svg")
TITLE = "From a recurrent network to an FPGA"
ROWS = (
    Row(
        "",
        (
            Box(
                "network",
                "LSTM, GRU or RNN of\ntorch, ONNX or Keras,\nor trained here",
                tells="errors of the dense\nnetwork",
            ),
            Box(
                "compress",
                "ADMM: k times fewer\nweights, in circulant\nblocks",
                tells="errors added, with\n95 % interval",
            ),
            Box(
                "quantize",
                "integers of 4 to 18 bits:\nthe model that hardware\nmust equal",
                tells="errors added;\nsaturated values",
            ),
            Box(
                "generate",
                "Verilog, HLS C++, test\nbench and driver for\na device",
                tells="LUT, FF, DSP, RAM, time\n(estimates)",
            ),
            Box(
                "simulate",
                "Verilog and C++: every\noutput equal to the\ninteger model",
                tells="cycles of a frame, alone\nand in a sequence",
            ),
            Box("synthesize", "Yosys and nextpnr, or\nVivado", tells="resources; the clock:\nrouted or estimated"),
        ),
    ),
)


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg(TITLE, ROWS))


if __name__ == "__main__":
    main()
