"""Which Python function wrote a line of generated Verilog: found by watching the generator."""

import re
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from ernn.hw.verilog.items import Item

_PACKAGE = "/ernn/hw/"


class Watched:
    """Items of modules that the functions of the generator returned or yielded, while it ran.

    Args:
        generate: makes the sources, {path: text}; it is called once.
    """

    def __init__(self, generate: Callable[[], dict[str, str]]) -> None:
        self._items: list[tuple[Item, CodeType]] = []
        sys.setprofile(self._returned)
        try:
            self.files = generate()
        finally:
            sys.setprofile(None)
        self._pieces = [("\n".join(item.render()), code) for item, code in self._items]
        self._pieces.sort(key=lambda piece: len(piece[0]))

    def _returned(self, frame: FrameType, event: str, value: Any) -> None:
        if event == "return" and isinstance(value, Item) and _PACKAGE in frame.f_code.co_filename:
            self._items.append((value, frame.f_code))

    def function(self, place: str, signal: str) -> str:
        """The function whose item, of those that hold a line, is the smallest; a file of the library names itself.

        Args:
            place: FILE:LINE.COLUMN-LINE.COLUMN, as Yosys has it.
            signal: that the line is for; in a block, its own assignment is looked for.
        """
        file, _, lines = place.partition(":")
        text = self.files.get(f"rtl/{file}")
        if text is None or not lines:
            return ""
        if re.fullmatch(r"ernn_\w+\.v", file):
            return f"ernn/hw/verilog/library/{file}"
        first, last = (int(end.split(".")[0]) for end in (lines.split("-") * 2)[:2])
        name = re.escape(re.sub(r"\[\d+\]$", "", signal).rpartition(".")[2])
        block = text.splitlines()[first - 1 : last]
        line = next((each for each in block if re.search(rf"(?<!\w){name}\W.*<=|(?<!\w){name} <=", each)), block[0])
        for piece, code in self._pieces:
            if line.strip() in piece:
                module = code.co_filename.rpartition(_PACKAGE)[2]
                return f"ernn/hw/{module}:{code.co_qualname}"
        return ""
