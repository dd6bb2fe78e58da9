"""Registers in Verilog sources: what a process on a clock edge assigns, without memories.

A name is a register if it is declared `reg` and a process `always @(posedge ..)` assigns it with `<=`. An array is one
if its elements are addressed by numbers and loop variables alone, as in a chain of delays; any other array is a memory.
What takes a word of a memory as it is belongs to the memory: it is the register of its read port.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+(\w+)(.*?)\bendmodule\b", re.DOTALL)
_DECLARED = re.compile(r"\breg\b(?:\s+signed\b)?(?:\s*\[[^\]]*\])?\s*([^;()]*?)\s*(?:;|\)|,\s*(?=input|output))")
_NAME = re.compile(r"(\w+)((?:\s*\[[^\]]*\])*)(?:\s*=[^,]*)?")  # with an array's dimensions
_LOOP = re.compile(r"\b(?:integer|genvar)\b\s*([^;]*);")
_INDEX = r"\s*\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"
_BEFORE = (
    r"(?:[;)]|\b(?:begin(?:\s*:\s*\w+)?|end|endcase|else)\b|(?:\bdefault|'[bdh]\w+)\s*:)"  # `<=` behind these assigns
)
_ASSIGNED = re.compile(rf"{_BEFORE}\s*(?:\{{([^{{}};]*)\}}|(\w+)(?:{_INDEX})?)\s*<=")
_READ = re.compile(rf"\b(\w+)\s*<=\s*(\w+){_INDEX}\s*;")
_DECLARATION = re.compile(r"\s*(?:\(\*.*?\*\)\s*)?(?:input|output|wire|reg|integer)\b")


@dataclass(frozen=True)
class Module:
    """Registers of a module, and the modules of its instances by the instances' names."""

    registers: frozenset[str]
    instances: Mapping[str, str]


def modules(sources: Iterable[str]) -> dict[str, Module]:
    """Modules by name."""
    bodies = {name: body for text in sources for name, body in _MODULE.findall(_COMMENT.sub("", text))}
    return {name: Module(_registers(body), dict(_instances(body, bodies))) for name, body in bodies.items()}


def module_of(scopes: Iterable[str], top: str, known: Mapping[str, Module]) -> str:
    """Name of the module in which a scope lies; generate blocks belong to the module around them.

    Args:
        scopes: names of instances and generate blocks below an instance of `top`.
        top: the module of that instance.
        known: see `modules`.
    """
    found = top
    for scope in scopes:
        found = known[found].instances.get(scope, found)
    return found


def untraced(files: Mapping[str, str]) -> str:
    """A control file by which Verilator does not trace lines that declare something, but no register.

    Args:
        files: sources by file name.
    """
    lines = ["`verilator_config"]
    for file, text in files.items():
        names = {name for module in modules([text]).values() for name in module.registers}
        for number, line in enumerate(text.splitlines(), 1):
            words = set(re.findall(r"\w+", line.partition("//")[0]))
            if _DECLARATION.match(line) and not ("reg" in words and names & words):
                lines.append(f'tracing_off -file "*/{file}" -lines {number}')
    return "\n".join(lines) + "\n"


def _registers(body: str) -> frozenset[str]:
    declared = dict(each for names in _DECLARED.findall(body) for each in _NAME.findall(names))  # name to dimensions
    loops = {name for group in _LOOP.findall(body) for name in re.findall(r"\w+", group)}
    assigned, memories = set[str](), set[str]()
    for process in re.split(r"\balways\b", body)[1:]:
        if not process.lstrip().startswith("@(posedge"):
            continue
        for together, name, index in _ASSIGNED.findall(process):
            assigned |= set(re.findall(r"[A-Za-z_]\w*", together or name))
            if declared.get(name) and not (index.strip().isdigit() or index.strip() in loops):
                memories.add(name)
    ports = {name for name, source, _ in _READ.findall(body) if source in memories}
    return frozenset(declared.keys() & assigned - memories - ports)


def _instances(body: str, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of instances and their modules."""
    for found in re.finditer(rf"\b({'|'.join(known)})\b\s*", body):
        place = found.end()
        if body[place : place + 1] == "#":
            place = _behind_parentheses(body, body.index("(", place))
        if name := re.match(r"\s*(\w+)\s*\(", body[place:]):
            yield name[1], found[1]


def _behind_parentheses(text: str, place: int) -> int:
    """The place behind the parenthesis that closes the one at `place`."""
    depth = 0
    for each in re.finditer(r"[()]", text[place:]):
        depth += 1 if each[0] == "(" else -1
        if depth == 0:
            return place + each.end()
    raise ValueError("a parenthesis is not closed")
