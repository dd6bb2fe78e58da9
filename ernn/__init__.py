"""Block-circulant recurrent networks, from a trained network to FPGA (E-RNN, arXiv:1812.07106).

model       = ernn.from_torch(lstm, head)                       # or from_onnx("file"), from_keras(layers), load("file")
model       = ernn.compress(model, train=(x, y), block_size=8)  # optional: ADMM with your loss and data
program     = ernn.quantize(model, calibration=x, bits=12)
accelerator = ernn.generate(program)                            # or device="..", of ernn/devices/catalogue.py
result      = accelerator.simulate(x)                           # the Verilog, equal to program.predict(x)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ernn.api.accelerators import Accelerator, Estimate, Simulation, Synthesis, generate
    from ernn.api.models import Model, compress, from_keras, from_onnx, from_torch, load
    from ernn.api.programs import Comparison, Profile, Program, quantize
    from ernn.errors import UserError

_PLACES = {
    "accelerators": ("Accelerator", "Estimate", "Simulation", "Synthesis", "generate"),
    "models": ("Model", "compress", "from_keras", "from_onnx", "from_torch", "load"),
    "programs": ("Comparison", "Profile", "Program", "quantize"),
}
_MODULES = {name: f"ernn.api.{module}" for module, names in _PLACES.items() for name in names}
_MODULES["UserError"] = "ernn.errors"

__all__ = [
    "Accelerator",
    "Comparison",
    "Estimate",
    "Model",
    "Profile",
    "Program",
    "Simulation",
    "Synthesis",
    "UserError",
    "compress",
    "from_keras",
    "from_onnx",
    "from_torch",
    "generate",
    "load",
    "quantize",
]


def __getattr__(name: str) -> Any:
    """A name of the face, imported when it is used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'ernn' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
