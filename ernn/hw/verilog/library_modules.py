"""What the modules in `library/` consist of; a test compares it with what pyslang reads in the files."""

from collections.abc import Mapping

from ernn.hw.design import ModuleContents


def _parts(registers: str, instances: Mapping[str, str] | None = None) -> ModuleContents:
    return ModuleContents(tuple(sorted(registers.split())), instances or {})


LIBRARY = {
    "ernn_accumulate": _parts(
        "added from_before from_nothing from_total ready row_before second total total_before", {"copy": "ernn_copy"}
    ),
    "ernn_ahead": _parts("any filled full ready"),
    "ernn_available": _parts("available ended new_blocks slack"),
    "ernn_control": _parts(
        "clear clears load_value loads places resets resetting rst settled settling state_step",
        {"registers": "ernn_registers", "loader": "ernn_loader"},
    ),
    "ernn_copy": _parts("q"),
    "ernn_count": _parts("carry sum total", {"tree": "ernn_ones"}),
    "ernn_delay": _parts("line"),
    "ernn_drain": _parts("beat heads held left next shift tag_out waiting", {"copy": "ernn_copy"}),
    "ernn_elements": _parts("element ends written"),
    "ernn_fifo": _parts("count fetched_valid head out_data out_valid tail"),
    "ernn_gearbox": _parts("full in_word last_out out_word part word"),
    "ernn_link": _parts("reserved reserves room word", {"fifo": "ernn_fifo"}),
    "ernn_loader": _parts("address data layer load loaded memory number"),
    "ernn_multiply": _parts("a_register b_register product"),
    "ernn_multiply_add": _parts("p", {"multiply": "ernn_multiply"}),
    "ernn_ones": _parts("ones", {"first": "ernn_ones", "second": "ernn_ones"}),
    "ernn_operands": _parts(
        "ends fills left mine offset page port row step taken written", {"skewed": "ernn_delay", "memory": "ernn_ram"}
    ),
    "ernn_queue": _parts("head second second_valid valid"),
    "ernn_ram": _parts("q"),
    "ernn_registers": _parts(
        "address_there announced asked bresp bvalid control_write data data_there few found guarded_write "
        "known_read known_write narrowed number rdata rresp rvalid settled settling value whole write write_data "
        "write_number write_to"
    ),
    "ernn_serial": _parts("left", {"waiting": "ernn_delay"}),
    "ernn_thread": _parts("address before_last first_group group_now last_group last_step starts step_now"),
}
