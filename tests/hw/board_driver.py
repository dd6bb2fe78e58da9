"""The driver as a module, from wherever it was copied to."""

import sys
from importlib import util
from pathlib import Path
from types import ModuleType

from ernn.hw.board.driver import NAME, __path__

SOURCE = Path(__path__[0]) / NAME


def driver(path: Path = SOURCE) -> ModuleType:
    """Of a file."""
    spec = util.spec_from_file_location("ernn_driver", path)
    module = util.module_from_spec(spec)
    sys.modules["ernn_driver"] = module
    spec.loader.exec_module(module)
    return module
