"""Linear layers of torch with functions between them, as a head of ours."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from ernn.errors import UserError
from ernn.nn.functions import FUNCTIONS, Function

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_FUNCTIONS: dict[type[nn.Module], Callable[[Any], Function]] = {
    nn.ReLU: lambda _: FUNCTIONS["relu"],
    nn.ReLU6: lambda _: FUNCTIONS["relu6"],
    nn.Sigmoid: lambda _: FUNCTIONS["sigmoid"],
    nn.Tanh: lambda _: FUNCTIONS["tanh"],
    nn.Hardtanh: lambda module: Function("clip", float(module.min_val), float(module.max_val)),
    nn.Hardsigmoid: lambda _: FUNCTIONS["hardsigmoid"],
}


def linear_layers(module: nn.Module | None) -> list[tuple[nn.Linear, Function]]:
    """The linear layers of a `Linear` or a `Sequential`, each with the function behind it.

    Raises:
        UserError: modules of another kind, a function that does not follow a linear layer, active dropout, hooks or a
            forward of its own.
    """
    found: list[tuple[nn.Linear, Function]] = []
    for name, each in _in_row("output", module):
        refuse_additions(name, each)
        if type(each) is nn.Linear:
            found.append((each, Function()))
        elif type(each) in _FUNCTIONS:
            if not found or found[-1][1] != Function():
                raise UserError(f"{name} ({type(each).__name__}) follows no linear layer; put one before it")
            found[-1] = found[-1][0], _FUNCTIONS[type(each)](each)
        elif type(each) is nn.Dropout and (each.training and each.p):
            raise UserError(f"{name}: dropout={each.p:g} is active, an imported model has none; call .eval() first")
        elif type(each) not in (nn.Identity, nn.Dropout):
            known = ", ".join(kind.__name__ for kind in _FUNCTIONS)
            raise UserError(
                f"{name} is a {type(each).__name__}, and a head has Linear, {known} and Sequential ones of them alone; "
                "compute the rest yourself, behind the network"
            )
    return found


def refuse_additions(name: str, module: nn.Module) -> None:
    """Refuse what a module does beside its own equations: none of it stands in the state dict."""
    hooks = [kind.strip("_").removesuffix("_hooks") for kind in _HOOKS if getattr(module, kind, None)]
    if hooks:
        raise UserError(
            f"the {name} module has hooks ({', '.join(hooks)}), which an imported model would not run; "
            "remove them first, by remove() of the handles that registering them gave"
        )
    if "forward" in vars(module):
        raise UserError(f"the {name} module has a forward of its own, which would not be imported; use torch's")


def _in_row(name: str, module: nn.Module | None) -> Iterator[tuple[str, nn.Module]]:
    """Modules in the order in which they run, with their names."""
    if type(module) is nn.Sequential:
        refuse_additions(name, module)
        for inner, each in module.named_children():
            yield from _in_row(f"{name}.{inner}", each)
    elif module is not None:
        yield name, module
