"""Whether the layers of a Keras 3 model run in a row, by its configuration; Keras is not imported."""

from collections.abc import Iterator, Mapping
from typing import Any

from ernn.errors import UserError

_ROW = "read are layers in a row, each of which takes the outputs of the one before it and nothing else"


def check_row(model: Any) -> None:
    """Refuse a model whose `layers` do not say what it computes.

    Raises:
        UserError: branches, several inputs or outputs, layers that are called twice, initial states or training mode of
            a functional model, whose layer is named; or a model with a `call` of its own.
    """
    config = model.get_config() if hasattr(model, "get_config") else {}
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(layers, list):
        raise UserError(
            f"{type(model).__name__}: a model with a call of its own, which may compute anything; "
            "give its layers as a list, in their order"
        )
    if any("inbound_nodes" in each for each in layers):  # else a Sequential, whose layers run in a row
        _check_functional(layers, config.get("output_layers"))


def _check_functional(layers: list[Mapping[str, Any]], outputs: Any) -> None:
    before: str | None = None
    for each in layers:
        name, calls = each["name"], each["inbound_nodes"]
        shown = f"{name} ({each.get('class_name')})"
        if len(calls) > 1:
            raise UserError(f"{shown}: is called {len(calls)} times; {_ROW}")
        if not calls and before is not None:
            raise UserError(f"{shown}: is another input than the first one; {_ROW}")
        read = [*_read(calls)]
        if calls and read != [before]:
            raise UserError(f"{shown}: reads {' and '.join(read)}, must read {before} alone; {_ROW}")
        for call in (each for each in calls if isinstance(each, Mapping)):
            more = [call["kwargs"].get("initial_state"), *call["args"][1:]]
            if any(each not in (None, False) for each in more):
                raise UserError(f"{shown}: is called with more than its input, such as initial_state; leave it out")
        if any(call["kwargs"].get("training") for call in calls if isinstance(call, Mapping)):
            raise UserError(f"{shown}: is called with training=True; an imported network is not trained, leave it out")
        before = name
    if [*_named(outputs)] != [before]:
        raise UserError(f"outputs are those of {' and '.join(_named(outputs))}, must be those of {before}; {_ROW}")


def _read(value: Any) -> Iterator[str]:
    """Names of the layers whose outputs a call takes."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]["keras_history"][0]
        else:
            yield from _read([*value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _read(each)


def _named(value: Any) -> Iterator[str]:
    """Names of layers in a structure of [layer, call, output]."""
    if isinstance(value, Mapping):
        value = [*value.values()]
    if not isinstance(value, list | tuple):
        return
    if len(value) == 3 and isinstance(value[0], str):
        yield value[0]
        return
    for each in value:
        yield from _named(each)
