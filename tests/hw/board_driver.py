"""The driver as a module, from wherever it was copied to."""

import sys
from importlib import util
from pathlib import Path
from types import ModuleType

from ernn.hw import board
from ernn.hw.board.driver import NAME

FILES = Path(board.__path__[0]) / "files"
SOURCE = FILES.parent / "driver" / NAME


def driver(path: Path = SOURCE) -> ModuleType:
    """Of a file."""
    spec = util.spec_from_file_location("ernn_driver", path)
    module = util.module_from_spec(spec)
    sys.modules["ernn_driver"] = module
    spec.loader.exec_module(module)
    return module
