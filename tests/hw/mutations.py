"""Small mistakes in accelerators, one for each mechanism: what is changed, and the run that shows it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ernn.hw import design as hw_design
from ernn.hw.board import host
from ernn.hw.verilog.network import NetworkHardware
from ernn.program.matrices import Circulant, Matrix, Numbers
from ernn.program.network import Program
from ernn.simulate import bench as simulation
from ernn.simulate.vectors import rtl_vectors
from tests.hw import designs, states
from tests.hw.equality import Built

ALONE = 16  # frames of the utterance of `one_utterance`
LSTM, GRU = {"layers": (4, 1, 0), "output": (1, 1, 0)}, {"layers": (1, 1, 0), "output": (1, 1, 0)}
DESIGNS = {
    "lstm": ({"block_sizes": (2, 2), "peepholes": True}, LSTM),
    "lstm, columns": ({"block_sizes": (2, 2)}, {**LSTM, "layers": (4, 3, 0)}),
    "lstm, gates in turns": ({"block_sizes": (4, 4)}, {**LSTM, "layers": (4, 1, 0, 1)}),
    "lstm, projection": ({"block_sizes": (1, 1), "projection": 6}, LSTM),
    "lstm, padded": ({"block_sizes": (2, 2), "projection": 3}, LSTM),
    "lstm, projection apart": (
        {"block_sizes": (2, 2), "projection": 4, "projection_block": 4},
        {"each": [(4, 1, 0), (1, 1, 0), (1, 1, 0)]},
    ),
    "pruned": ({"block_sizes": (0, 0)}, LSTM),
    "sparse": ({"block_sizes": (-2, -2), "alike": True}, {**LSTM, "layers": (8, 1, 0)}),
    "gru": ({"cell": "gru", "block_sizes": (2, 2)}, GRU),
    "gru, lanes": ({"cell": "gru", "block_sizes": (2, 2)}, {**GRU, "layers": (2, 4, 1)}),
    "gru, head": ({"cell": "gru", "block_sizes": (2, 2), "head": (("relu", 2), ("tanh", 1))}, GRU),
    "gru, streams": ({"cell": "gru", "block_sizes": (2, 2)}, {**GRU, "streams": 2}),
    "gru, wide words": ({"cell": "gru", "block_sizes": (4, 4)}, GRU),
    "gru, reset after": ({"cell": "gru", "block_sizes": (2, 2), "reset": "after"}, GRU),
    "gru, fourier": ({"cell": "gru", "block_sizes": (8, 8), "transform": "fourier"}, GRU),
}


def one_utterance(built: Built) -> None:
    """An utterance from a reset on."""
    built.bench.run(rtl_vectors(built.program, designs.utterances(built.program, [ALONE]), 1))


def utterances(built: Built) -> None:
    """Utterances one after the other."""
    built.bench.run(rtl_vectors(built.program, designs.utterances(built.program, [4, 1, 4]), 1))


def counters(built: Built) -> None:
    """Counters of saturated values."""
    x = designs.utterances(built.program, [4, 4, 4])
    simulation.check_overflows(built.program, x, built.bench.run(rtl_vectors(built.program, x, 1)))


def pauses(built: Built) -> None:
    """Features that do not come, and logits that are not taken."""
    built.bench.run(rtl_vectors(built.program, designs.utterances(built.program, [6, 6]), 1), gaps=60, stalls=252)


def streams(built: Built) -> None:
    """Utterances side by side."""
    built.bench.run(rtl_vectors(built.program, designs.utterances(built.program, [5, 5, 5]), built.streams))


def restored(built: Built) -> None:
    """States that are written back."""
    accelerator = hw_design.read(built.project)
    vectors, before, _ = states.rest(built.program, 0)
    built.bench.run(vectors, writes=states.restored(accelerator, 0, before))


def loaded(built: Built) -> None:
    """Other weights that are written before the first frame."""
    program = negated(built.program)
    given = [
        write
        for number, layer in enumerate(NetworkHardware(program, built.design.architecture).layers)
        for memory, image in enumerate(layer.array.layout.images())
        for write in host.weights(number, memory, image, layer.array.layout.load_bits)
    ]
    built.bench.run(rtl_vectors(program, designs.utterances(program, [4]), 1), writes=given)


def negated(program: Program) -> Program:
    """The same with the negatives of all weights."""

    def of(matrix: Matrix) -> Matrix:
        assert isinstance(matrix, Circulant)
        return replace(matrix, words=Numbers(matrix.words.format, -matrix.words.integers))

    layers = (replace(layer, **{name: of(each) for name, each in layer.matrices.items()}) for layer in program.layers)
    output = replace(program.output, weight=of(program.output.weight))
    return replace(program, layers=tuple(layers), output=output)


RUNS: list[Callable[[Built], None]] = [one_utterance, utterances, counters, pauses, streams, restored, loaded]


@dataclass(frozen=True)
class Mutation:
    """An expression of a file, what it becomes, and what the report must name.

    Args:
        found: the value, or what the mismatch says where no value of an utterance alone differs.
        run: that fails; those before it in `RUNS` pass.
    """

    design: str
    path: str
    old: str
    new: str
    found: str
    run: Callable[[Built], None] = one_utterance


TOP, LAYER, R_GATE = "rtl/ernn.v", "rtl/layer0.v", "rtl/layer0_gate_r.v"
MUTATIONS: dict[str, Mutation] = {
    # Numbers.
    "rounding": Mutation("gru", R_GATE, "+ 19'sd64;", "+ 19'sd0;", "layers.0.rc"),
    "rounding by a table": Mutation("gru", R_GATE, "8'sd91 : 8'sd65", "8'sd91 : 8'sd64", "layers.0.r"),
    "saturation": Mutation(
        "gru", R_GATE, "{n3_d1[13], {8{!n3_d1[13]}}}", "{n3_d1[13], {8{n3_d1[13]}}}", "layers.0.a_r"
    ),
    "bound of a table": Mutation("gru", R_GATE, "11'sd257 : 11'sd32", "11'sd257 : 11'sd48", "layers.0.r"),
    "slope of a table": Mutation("gru", R_GATE, "6'sd8 : 6'sd16", "6'sd9 : 6'sd16", "layers.0.r"),
    "twiddle factor": Mutation(
        "gru, fourier", "rtl/layer0_points_x.v", "= n56 <<< 5;", "= n56 <<< 4;", "layers.0.sums_zr.2"
    ),
    "peephole of a gate": Mutation(
        "lstm", LAYER, ".p_i(cell_peephole_read[6:0])", ".p_i(cell_peephole_read[13:7])", "layers.0.a_i"
    ),
    "peephole of the old state": Mutation(
        "lstm", "rtl/layer0_cell.v", ".a(in_11), .b(c)", ".a(in_11), .b(in_2_d8)", "layers.0.a_o"
    ),
    "word of a bias": Mutation("gru", "memory/layer0_z_bias.hex", "327\n", "227\n", "layers.0.a_z"),
    "relu of a head": Mutation(
        "gru, head", "rtl/head0_dense.v", "n3 < 15'sd0 ? 15'sd0 : n3", "n3 < 15'sd0 ? 15'sd1 : n3", "head.0.y"
    ),
    "word of a head's bias": Mutation("gru, head", "memory/head1_dense_bias.hex", "d1\n", "91\n", "head.1.a_d"),
    # Products and sums.
    "sums begin at zero": Mutation(
        "gru", "rtl/ernn_accumulate.v", "previous = start ?", "previous = 1'b0 ?", "layers.0.a_z"
    ),
    "binary point of x": Mutation(
        "gru", LAYER, "{x_factors[19:10], 2'd0,", "{1'b0, x_factors[19:10], 1'b0,", "layers.0.a_z"
    ),
    "columns follow each other": Mutation(
        "lstm, columns", "rtl/layer0_lane.v", ".CYCLES(1)) delay_words_2", ".CYCLES(0)) delay_words_2", "layers.0.a_i"
    ),
    "weights of a gate": Mutation("gru", LAYER, ".BASE(16)", ".BASE(0)", "layers.0.a_z"),
    "walk through the weights": Mutation(
        "gru",
        "rtl/ernn_thread.v",
        "address <= ends ? BASE[ADDRESS-1:0] :",
        "address <= ends ? BASE[ADDRESS-1:0] + 1'b1 :",
        "layers.0.a_z",
    ),
    "order of a projection": Mutation(
        "lstm, projection", LAYER, ".BY_STEP(1), .BASE", ".BY_STEP(0), .BASE", "layers.0.y"
    ),
    "column of a pruned weight": Mutation(
        "pruned",
        "rtl/layer0_lane.v",
        "{y_read_page_0, column_0[2:0]}",
        "{y_read_page_0, ~column_0[2:0]}",
        "layers.0.a_i",
    ),
    "column of a block that lanes share": Mutation(
        "sparse",
        "rtl/layer0_fetch.v",
        "{y_read_page_0, column_0[1:0]}",
        "{y_read_page_0, ~column_0[1:0]}",
        "layers.0.a_i",
    ),
    "steps of a pruned group": Mutation(
        "pruned", LAYER, "16'd6: hh_steps_here = 16'd4", "16'd6: hh_steps_here = 16'd3", "layers.0.a_i"
    ),
    "vector of a thread": Mutation(
        "gru", LAYER, "assign rc_chosen = chosen_thread[2]", "assign rc_chosen = chosen_thread[3]", "layers.0.a_n"
    ),
    # Units.
    "order of a GRU's gates": Mutation(
        "gru",
        LAYER,
        "(hz_taken && hz_taken_drains), (hr_taken && hr_taken_drains)",
        "(hr_taken && hr_taken_drains), (hz_taken && hz_taken_drains)",
        "layers.0.a_z",
    ),
    "reset gate of the same frame": Mutation(
        "gru, reset after",
        LAYER,
        ".d({drained_frame, n_step[2:0]}), .q(n_r_address)",
        ".d({!drained_frame, n_step[2:0]}), .q(n_r_address)",
        "layers.0.a_n",
    ),
    "update gate of the same frame": Mutation(
        "gru",
        LAYER,
        ".d({drained_frame, n_step[2:0]}), .q(n_z_address)",
        ".d({!drained_frame, n_step[2:0]}), .q(n_z_address)",
        "layers.0.c",
    ),
    "lanes of a head": Mutation(
        "gru, lanes", "rtl/ernn_drain.v", "waiting[place*BITS+:BITS]", "waiting[0+:BITS]", "layers.0.a_z"
    ),
    "heads are taken": Mutation(
        "gru, lanes",
        LAYER,
        "hr_ready = hr_waits && (drain_free || !hr_head_drains)",
        "hr_ready = hr_waits",
        "layers.0.a_r",
    ),
    "share of a block": Mutation(
        "lstm", LAYER, "1'd1: cell_beat <= cell_rows[175:88]", "1'd1: cell_beat <= cell_rows[87:0]", "layers.0.a_i"
    ),
    "gates in turns": Mutation(
        "lstm, gates in turns",
        LAYER,
        "8'd1: cell_turn <= heads[239:120]",
        "8'd1: cell_turn <= heads[119:0]",
        "layers.0.a_f",
    ),
    "elements behind the last": Mutation("lstm, padded", LAYER, "projection_mask[1] ?", "1'b1 ?", "layers.0.a_i"),
    "words of a projection apart": Mutation(
        "lstm, projection apart",
        LAYER,
        "projection_out = back_data;",
        "projection_out = {back_data[9:0], back_data[19:10]};",
        "output.logits",
    ),
    # Who waits for what.
    "one thread at a time": Mutation(
        "gru", LAYER, "assign ih_take = ih_ready && !hr_ready", "assign ih_take = ih_ready", "layers.0.a_z"
    ),
    "blocks of y are there": Mutation("gru", LAYER, "hr_room && (hr_fed)", "hr_room && (hr_complete)", "layers.0.a_r"),
    "sums of x are there": Mutation(
        "gru",
        LAYER,
        "(!hr_starts || (hr_any))",
        "(!hr_starts || (1'b1))",
        r"^saturated values of layers\.0\.a_r: expected",
        counters,
    ),
    "sums of x are taken over": Mutation("gru", LAYER, "!(for_r && hr_full)", "1'b1", "layers.0.a_r"),
    "x is still needed": Mutation("gru", LAYER, "x_open <= rst || x_next != 2'd2", "x_open <= 1'b1", "layers.0.a_z"),
    "page of x": Mutation("gru", LAYER, "x_turns[1'b0] <= !x_place", "x_turns[1'b0] <= x_place", "layers.0.a_z"),
    "page of y": Mutation(
        "gru", LAYER, "hr_parity[hr_stream] <= !hr_turn", "hr_parity[hr_stream] <= hr_turn", "layers.0.a_r"
    ),
    "gearbox that collects": Mutation(
        "gru, wide words", "rtl/ernn_gearbox.v", "<= {IN * WIDTH{1'b0}};", "<= {IN * WIDTH{1'b1}};", "layers.0.a_z"
    ),
    "gearbox that splits": Mutation(
        "gru", "rtl/ernn_gearbox.v", "in_data[part*OUT*WIDTH+:OUT*WIDTH]", "in_data[0+:OUT*WIDTH]", "output.logits"
    ),
    "states open as zeros": Mutation(
        "gru", LAYER, "n_c_read = n_c_first ?", "n_c_read = 1'b0 ?", r"frame 4, logit \d", utterances
    ),
    "saturations are counted": Mutation(
        "gru",
        LAYER,
        "r_0_over_a_r[0])}",
        "r_0_over_rc[0])}",
        r"^saturated values of layers\.0\.a_r: expected",
        counters,
    ),
    "saturations of a cycle": Mutation(
        "gru, wide words",
        "rtl/ernn_count.v",
        "{{33 - COUNT{1'b0}}, ones}",
        "{32'd0, ones[0]}",
        r"^saturated values of layers\.0\.a_",
        counters,
    ),
    "logits wait": Mutation("gru", TOP, ".out_ready(m_axis_tready)", ".out_ready(1'b1)", r"^frame \d+, logit", pauses),
    "room for a frame": Mutation(
        "gru", "rtl/ernn_link.v", "room <= !now[1]", "room <= 1'b1", r"^frame \d+, logit", pauses
    ),
    "cell states of a stream": Mutation(
        "gru, streams",
        LAYER,
        ".d({drained_stream, n_step[2:0]}), .q(n_c_address)",
        ".d({1'b0, n_step[2:0]}), .q(n_c_address)",
        r"^frame \d+, logit",
        streams,
    ),
    "y of a stream": Mutation(
        "gru, streams",
        LAYER,
        ".read_page({read_stream, read_turn})",
        ".read_page({1'b0, read_turn})",
        r"^frame \d+, logit",
        streams,
    ),
    "c is written back": Mutation(
        "gru",
        LAYER,
        "memory_n_c (.clk(clk),\n        .write(n_done || (state_write && !state_is_y))",
        "memory_n_c (.clk(clk),\n        .write(n_done)",
        r"^frame 0, logit",
        restored,
    ),
    "y is written back": Mutation(
        "gru", LAYER, "else if (idle && y_last) hr_parity", "else if (1'b0) hr_parity", r"^frame 0, logit", restored
    ),
    "a frame waits for states": Mutation("gru", TOP, ".SETTLE(17)", ".SETTLE(0)", r"^frame \d, logit", restored),
    "address of a written word": Mutation(
        "gru", "rtl/ernn_loader.v", "if (loaded[1]) address", "if (part) address", r"^frame 0, logit", restored
    ),
    "weights are loaded": Mutation(
        "gru", "rtl/layer0_lane.v", ".write(load_here[0])", ".write(1'b0)", r"^frame 0, logit", loaded
    ),
}
