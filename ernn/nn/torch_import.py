"""A `torch.nn.LSTM`, `GRU` or `RNN`, or several in a row, and the linear layers behind as a network of ours.

The outputs are torch's within float error; what a `RecurrentModel` cannot express is refused. The model reads
(time, batch, inputs), whatever `batch_first` was. torch's two biases act as their sum, except in the candidate of a
GRU, where r scales one of them. An RNN is one of tanh, which its weights do not say. float64 is rounded to float32.
With phones it becomes an acoustic model, whose class priors and phone bigram are uniform.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ernn.errors import UserError
from ernn.nn.assembly import assembled, finite, labels, layer_tensors, network_of, with_head

if TYPE_CHECKING:  # imported where it is used: --help need not wait for torch
    from torch import Tensor, nn

    from ernn.nn.functions import Function
    from ernn.nn.recurrent import RecurrentModel
    from ernn.params import Network

    Recurrent = nn.LSTM | nn.GRU | nn.RNN


_FIRST = "weight_hh_l0"
_WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
_PICKLED = re.compile(rb"PK\x03\x04|\x80[\x02-\x05]")  # first bytes of what torch.save writes, now and before 1.6
_SAVE = "write the state dict by safetensors.torch.save_file(module.state_dict(), 'weights.safetensors')"


def from_modules(
    recurrent: "Recurrent | Sequence[Recurrent]",
    output: "nn.Linear | nn.Sequential | None",
    phones: Sequence[str] | None = None,
    blank: int | None = None,
    last: bool = False,
    initial: Any = None,
) -> "RecurrentModel":
    """The network that computes `output(recurrent(x)[0])`, or `recurrent(x)[0]` without an output layer.

    `phones`, `blank` and `last` are those of `from_weights`. `initial` is what the recurrent module is called with
    (`ernn.nn.initial_states`), of several a list with an entry for each; None: zeros.

    Several recurrent modules are of one kind, and each takes the outputs of the one before it.

    >>> from torch import nn
    >>> from_modules(nn.GRU(40, 128, num_layers=2), nn.Linear(128, 3), ["sil", "aa", "n"]).network.reset
    'after'

    Raises:
        UserError: other kinds of module, dropout that is active, a hook or a forward of its own, initial states of
            other shapes, or what `from_weights` refuses.
    """
    from torch import nn

    from ernn.nn import initial_states
    from ernn.nn.torch_head import linear_layers, refuse_additions

    row: list[Any] | None = [*recurrent] if isinstance(recurrent, list | tuple | nn.ModuleList) else None
    chain: list[Any] = [recurrent] if row is None else row
    begins = [initial] if row is None else [None] * len(chain) if initial is None else initial
    if not isinstance(begins, list | tuple) or len(begins) != len(chain):
        raise UserError(f"initial: a list with an entry for each of the {len(chain)} modules; None is one of zeros")
    names = ["recurrent"] if len(chain) == 1 else [f"recurrent{number}" for number in range(len(chain))]
    kinds = {type(each) for each in chain}
    # a subclass may compute anything
    if len(kinds) != 1 or not kinds <= {nn.LSTM, nn.GRU, nn.RNN}:
        got = ", ".join(type(each).__name__ for each in chain) or "none"
        raise UserError(
            f"modules must be a torch.nn.LSTM, GRU or RNN, or several of one kind in a row, got {got}; use those"
        )
    for name, module in zip(names, chain, strict=True):
        if module.dropout and module.training:
            raise UserError(f"dropout={module.dropout:g} is active, but an imported model has none; call .eval() first")
        refuse_additions(name, module)
    linears = linear_layers(output)
    nonlinearities = {each.nonlinearity for each in chain if isinstance(each, nn.RNN)}
    prefixes = [f"output{number}" for number in range(len(linears))] if len(linears) != 1 else ["output"]
    modules = dict(zip(names + prefixes, chain + [linear for linear, _ in linears], strict=True))
    weights = nn.ModuleDict(modules).state_dict()
    model = from_weights(
        weights,
        phones,
        prefix=[f"{name}." for name in names],
        output_prefix=[f"{name}." for name in prefixes],
        functions=[function for _, function in linears],
        blank=blank,
        nonlinearity=min(nonlinearities, default=None),  # relu before tanh: one of them is enough to be refused
        last=last,
    )
    number = 0
    for place, (module, given) in enumerate(zip(chain, begins, strict=True)):
        if given is not None:
            where = "initial" if row is None else f"initial[{place}]"
            initial_states.begin(model, number, initial_states.states(model, number, module.num_layers, given, where))
        number += module.num_layers
    return model


def from_weights(
    weights: "dict[str, Tensor]",
    phones: Sequence[str] | None = None,
    *,
    prefix: str | Sequence[str],
    output_prefix: str | Sequence[str],
    functions: "Sequence[str | Function]" = (),
    blank: int | None = None,
    nonlinearity: str | None = None,
    last: bool = False,
) -> "RecurrentModel":
    """The network of a state dict: cell and sizes follow from the shapes, biases that are not there are zeros.

    `module.` and `_orig_mod.`, which torch's wrappers put before every name, are left out where the prefixes lack them.

    Args:
        weights: every tensor of the recurrent layers and of the output layer, and nothing else; without phones there
            need be no output layer.
        phones: labels of the classes, in their order, without the blank; then it is an acoustic model.
        prefix: the part of its name before `weight_ih_l0`; several for modules in a row, in their order.
        output_prefix: the part of its name before the output layer's `weight`; several for linear layers in a row.
        functions: behind each of those, a name of `ernn.nn.functions.FUNCTIONS`; none behind those it does not reach.
        blank: class of CTC's blank, which becomes the last one; None means a class a phone, trained on frames.
        nonlinearity: of an RNN, whose weights do not say it: tanh; None for other cells.
        last: whether the output of a sequence's last step is the result, and not those of every step.

    Raises:
        UserError: names, shapes, kinds of number or values that no such model has, or phones that are not its classes.
    """
    import torch
    from torch import Tensor

    from ernn.nn.functions import Function

    for name, tensor in weights.items():
        if not isinstance(tensor, torch.Tensor):
            raise UserError(f"{name} is a {type(tensor).__name__}, not a tensor; give the state dict itself")
        if name.endswith("_reverse"):
            raise UserError(f"{name}: layers here run forward in time only; train with bidirectional=False")
    prefixes = [prefix] if isinstance(prefix, str) else list(prefix) or [""]
    output_prefixes = [output_prefix] if isinstance(output_prefix, str) else list(output_prefix)
    named = _functions(functions, len(output_prefixes))
    left = _unwrapped(weights, prefixes)
    for each in prefixes:
        _check_prefix(left, each, _FIRST, "prefix")
    weighted = any(f"{each}weight" in left for each in output_prefixes)
    if phones is not None or any(not name.startswith(tuple(prefixes)) for name in left) or weighted:
        for each in output_prefixes:
            _check_prefix(left, each, "weight", "output_prefix")
    network, state = _chain(left, prefixes, nonlinearity)
    linears, width = list[tuple[Tensor, Tensor, Function]](), network.outputs
    if phones is not None or left:
        for each, function in zip(output_prefixes, named, strict=True):
            outputs = _sides(left, f"{each}weight")[0]
            weight = _take(left, f"{each}weight", outputs, width)
            bias = _take(left, f"{each}bias", outputs) if f"{each}bias" in left else torch.zeros(outputs)
            linears.append((weight, bias, function))
            width = outputs
    if left:
        raise _unexpected(left, min(left), "no such tensor")
    head = with_head(state, linears)
    return assembled(network, state, phones, blank, last, head)


def _functions(given: "Sequence[str | Function]", layers: int) -> "list[Function]":
    """One for each linear layer."""
    from ernn.nn.functions import FUNCTIONS, Function

    if len(given) > layers:
        raise UserError(f"functions has {len(given)} entries for {layers} linear layers; give one behind each at most")
    for each in given:
        if isinstance(each, str) and each not in FUNCTIONS:
            raise UserError(f"functions: {each} must be one of {', '.join(FUNCTIONS)}")
    found = [FUNCTIONS[each] if isinstance(each, str) else each for each in given]
    return found + [Function()] * (layers - len(found))


def _unwrapped(weights: "dict[str, Tensor]", prefixes: Sequence[str]) -> "dict[str, Tensor]":
    """A copy without the wrappers' part of all names, if that is what keeps the recurrent weights from being found."""
    left = dict(weights)
    while not any(f"{prefix}{_FIRST}" in left for prefix in prefixes):
        wrapper = next((each for each in _WRAPPERS if all(name.startswith(each) for name in left)), None)
        if wrapper is None or not left:
            return dict(weights)
        left = {name.removeprefix(wrapper): tensor for name, tensor in left.items()}
    return left


def _check_prefix(left: "dict[str, Tensor]", prefix: str, name: str, option: str) -> None:
    """Where no tensor has this prefix, say which ones there are."""
    if f"{prefix}{name}" in left:
        return
    matrices = (each for each, tensor in left.items() if tensor.ndim == 2)
    found = sorted(each.removesuffix(name) for each in matrices if each == name or each.endswith(f".{name}"))
    if found:
        seen = " or ".join(map(repr, found))
        raise UserError(
            f"{prefix}{name}: no such tensor; `{name}` follows {seen}: "
            f"give {option}={found[0]!r} (--{option.replace('_', '-')})"
        )


def _chain(
    left: "dict[str, Tensor]", prefixes: Sequence[str], nonlinearity: str | None
) -> "tuple[Network, dict[str, Tensor]]":
    """Network and tensors, by the names of `ernn.nn.acoustic`, of all recurrent modules, which are taken."""
    parts = [_sizes(left, prefix) for prefix in prefixes]
    first, cells = parts[0], [each["cells"] for each in parts for _ in range(each["layers"])]
    for prefix, each in zip(prefixes, parts, strict=True):
        for key in ("cell", "projection"):
            if each[key] != first[key]:
                raise UserError(
                    f"{prefix}{_FIRST} is of {key}={each[key]}, {prefixes[0]}{_FIRST} of {key}={first[key]}; "
                    "modules in a row are alike in it"
                )
    _check_nonlinearity(nonlinearity, first["cell"], f"{prefixes[0]}{_FIRST}")
    network = _network(first | {"layers": len(cells), "cells": cells[0] if len(set(cells)) == 1 else cells})
    inputs, number = _sides(left, f"{prefixes[0]}weight_ih_l0")[1], 0
    state: dict[str, Tensor] = {}
    for prefix, each in zip(prefixes, parts, strict=True):
        state |= _recurrent(left, prefix, each["layers"], network, number, inputs)
        number += each["layers"]
        inputs = network.widths[number - 1]
    return network, state


def _check_nonlinearity(nonlinearity: str | None, cell: str, name: str) -> None:
    if cell == "rnn" and nonlinearity is None:
        cure = "if that is tanh, give nonlinearity='tanh' (--nonlinearity)"
        raise UserError(f"{name} is of an RNN, whose weights do not say its nonlinearity; {cure}")
    if cell == "rnn" and nonlinearity != "tanh":
        raise UserError(f"nonlinearity={nonlinearity}: an RNN here is one of tanh; train it with nonlinearity='tanh'")
    if cell != "rnn" and nonlinearity is not None:
        raise UserError(f"nonlinearity={nonlinearity} belongs to an RNN, {name} is of cell={cell}; leave it out")


def _recurrent(
    left: "dict[str, Tensor]", prefix: str, layers: int, network: "Network", number: int, inputs: int
) -> "dict[str, Tensor]":
    """Tensors of the layers of a module, the first of which is `number` of the network."""
    import torch

    cells, outputs = network.sizes[number], network.widths[number]
    rows = network.gates * cells
    state: dict[str, Tensor] = {}
    biased = any(name.startswith((f"{prefix}bias_ih_l", f"{prefix}bias_hh_l")) for name in left)
    for layer in range(layers):
        weight_ih = _take(left, f"{prefix}weight_ih_l{layer}", rows, outputs if layer else inputs)
        weight_hh = _take(left, f"{prefix}weight_hh_l{layer}", rows, outputs)
        bias_ih = bias_hh = torch.zeros(rows)
        if biased:
            bias_ih, bias_hh = (_take(left, f"{prefix}bias_{part}_l{layer}", rows) for part in ("ih", "hh"))
        ours = layer_tensors(network, weight_ih, weight_hh, bias_ih, bias_hh)
        if network.projection:
            ours["weight_ym.weight"] = _take(left, f"{prefix}weight_hr_l{layer}", outputs, cells)
        state |= {f"layers.{number + layer}.{name}": tensor for name, tensor in ours.items()}
    return state


def _sizes(left: "dict[str, Tensor]", prefix: str) -> dict[str, Any]:
    """Cell and sizes of a module, as a `Network` takes them."""
    weight_hh, weight_hr = f"{prefix}{_FIRST}", f"{prefix}weight_hr_l0"
    rows, cells = _sides(left, weight_hh)
    projection, cells = _sides(left, weight_hr) if weight_hr in left else (0, cells)
    if projection >= cells:
        raise _unexpected(left, weight_hr, f"fewer than {cells} rows")
    kinds = {4 * cells: "lstm", 3 * cells: "gru", cells: "rnn"}
    if not projection and rows not in kinds:
        raise _unexpected(left, weight_hh, f"{4 * cells} rows (LSTM), {3 * cells} (GRU) or {cells} (RNN)")
    pattern = re.compile(re.escape(prefix) + r"(?:weight|bias)_(?:ih|hh|hr)_l([0-9]+)")
    layers = len({match[1] for match in map(pattern.fullmatch, left) if match})  # l0 and l2 are two: l1 will be missed
    return {"cell": "lstm" if projection else kinds[rows], "layers": layers, "cells": cells, "projection": projection}


def _network(sizes: dict[str, Any]) -> "Network":
    return network_of(**sizes | ({"reset": "after"} if sizes["cell"] == "gru" else {}))


def _take(left: "dict[str, Tensor]", name: str, *shape: int) -> "Tensor":
    if name not in left or left[name].shape != shape:
        raise _unexpected(left, name, f"shape {shape}")
    tensor = left.pop(name)
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise UserError(f"{name} holds {tensor.dtype}, must be float32 or float64; call .float() on the module first")
    if tensor.is_meta or str(tensor.layout) != "torch.strided":
        raise UserError(f"{name} is {tensor.layout} on {tensor.device}, must be dense with values; load them first")
    return finite(name, tensor)


def _sides(left: "dict[str, Tensor]", name: str) -> tuple[int, int]:
    if name not in left or left[name].ndim != 2 or not left[name].numel():
        raise _unexpected(left, name, "a matrix")
    return left[name].shape[0], left[name].shape[1]


def _unexpected(left: "dict[str, Tensor]", name: str, expected: str) -> UserError:
    got = f"shape {tuple(left[name].shape)}" if name in left else "no such tensor"
    cure = "give one LSTM, GRU or RNN, the Linear ones behind it and their prefixes"
    return UserError(f"{name}: expected {expected}, got {got}; {cure}")


def read(file: Path, phones: Path | None, **options: Any) -> "RecurrentModel":
    """The network of a state dict in a safetensors file.

    Args:
        phones: a text with the labels of the classes.
        options: of `from_weights`.

    Raises:
        UserError: a file is missing or another one, or what `from_weights` refuses.
    """
    return from_weights(_tensors(file), labels(phones, options.get("blank")), **options)


def _tensors(file: Path) -> "dict[str, Tensor]":
    """The tensors of a safetensors file.

    Raises:
        UserError: no such file, or another one.
    """
    import safetensors.torch

    if not file.is_file():
        what = "a folder, not a file of weights" if file.is_dir() else "no such file"
        raise UserError(f"{file}: {what}; {_SAVE}")
    try:
        return safetensors.torch.load_file(file)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        with file.open("rb") as opened:
            pickled = _PICKLED.match(opened.read(4))
        if pickled:
            raise UserError(f"{file}: written by torch.save; opening such files can run code, so {_SAVE}") from None
        raise UserError(f"{file}: not a whole safetensors file ({error}); {_SAVE}") from None
