"""Which signals of an accelerator a simulation records, to count how often its registers toggle."""

from collections.abc import Iterator, Mapping, Sequence

from ernn.hw.verilog.module import Module


def registers_alone(files: Mapping[str, Sequence[Module]]) -> str:
    """A control file by which Verilator does not trace lines that declare something, but no register.

    Tracing every signal doubles the time of compilation. Of the library's modules it traces all signals but memories.

    Args:
        files: modules by the files that they are in.
    """
    lines = ["`verilator_config"]
    for file, modules in files.items():
        quiet = [each for module in modules for _, each in module.lines()]
        lines += (f'tracing_off -file "*/{file}" -lines {first}-{last}' for first, last in _runs(quiet))
    return "\n".join([*lines, ""])


def _runs(quiet: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last numbers of lines that follow each other."""
    first = 0
    for number, each in enumerate([*quiet, False], 1):
        if each and not first:
            first = number
        elif first and not each:
            yield first, number - 1
            first = 0
