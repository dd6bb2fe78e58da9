"""Models and layers as Keras 3.15 has them, by their parts: Keras is not installed."""

Given = tuple[str, dict, list]  # class, get_config(), get_weights()
NUMBERS = {"class_name": "__numpy__", "config": {"value": [[0.5] * 6], "dtype": "float32"}}  # of a call's argument


def tensor(layer: str) -> dict:
    """The output of a layer, as a call takes it."""
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 9, 6], "keras_history": [layer, 0, 0]}}


def call(*read: str, **options) -> dict:
    return {"args": [tensor(each) for each in read], "kwargs": {"training": False, "mask": None} | options}


class Layer:
    """A layer by its parts."""

    def __new__(cls, given: Given):
        kind, config, arrays = given
        made = type(kind, (), {"get_config": lambda self: config, "get_weights": lambda self: arrays})
        return made()


class Functional:
    """A model as Keras has it: its layers, in the order of their depth, and its configuration."""

    def __init__(self, layers: dict[str, Given], calls: dict[str, list[dict]], outputs: object) -> None:
        self.layers = [Layer(each) for each in layers.values()]
        listed = [
            {"class_name": kind, "name": name, "inbound_nodes": calls.get(name, [])}
            for name, (kind, *_) in layers.items()
        ]
        self.config = {"layers": listed, "input_layers": [["x", 0, 0]], "output_layers": outputs}

    def get_config(self) -> dict:
        return self.config
