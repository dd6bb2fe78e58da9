"""What may come in: networks by what they have, each as the libraries say it, taken or refused with a reason.

`python -m tests.nn.forms` prints the table of docs/your-network.md, which a test compares.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from torch import nn

import ernn
from ernn.nn.onnx_import import from_graph
from tests.nn.keras_models import NUMBERS, Functional, call
from tests.nn.onnx_graphs import CELLS, INPUTS, Graph, exported

SOURCES = ("torch", "torch.export", "ONNX", "Keras 3")
Make = Callable[[], ernn.Model]


@dataclass(frozen=True)
class Form:
    """A network in the ways of the libraries that have it.

    Args:
        made: by source, what takes it.
        refused: by source, a part of what is said.
    """

    name: str
    made: dict[str, Make]
    refused: dict[str, str] = field(default_factory=dict)

    def row(self) -> str:
        """Of the table."""
        words = [("refused" if each in self.refused else "taken") if each in self.made else "" for each in SOURCES]
        said = next((f"`{each}`" for each in self.refused.values()), "")
        return f"| {self.name} | {' | '.join(words)} | {said} |"


def table() -> str:
    """The table in Markdown."""
    head = ["| network | " + " | ".join(SOURCES) + " | as refused |", "|---" * (len(SOURCES) + 2) + "|"]
    return "\n".join([*head, *(each.row() for each in FORMS)])


class Module(nn.Module):
    """A recurrent module and a head, as a user has them; `act` computes the outputs."""

    def __init__(
        self, recurrent: nn.Module, head: nn.Module | None, act: Callable[["Module", torch.Tensor], torch.Tensor]
    ):
        super().__init__()
        self.recurrent, self.head, self.act = recurrent, head or nn.Identity(), act

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What `act` makes of it."""
        return self.act(self, x)


def every(module: Module, x: torch.Tensor) -> torch.Tensor:
    """Outputs of every step."""
    return module.head(module.recurrent(x)[0])


def last(module: Module, x: torch.Tensor) -> torch.Tensor:
    """The output of the last step."""
    return module.head(module.recurrent(x)[0][-1])


def written(module: nn.Module) -> torch.export.ExportedProgram:
    """By torch.export."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(module.eval(), (torch.randn(7, 3, INPUTS),))


def of_modules(
    recurrent: Callable[[], nn.Module], head: Callable[[], nn.Module | None] = lambda: None, act=every
) -> dict[str, Make]:
    """Of torch, by torch.export and as torch.onnx.export writes it."""

    return {
        "torch": lambda: ernn.from_torch(recurrent(), head(), last=act is last),
        "torch.export": lambda: ernn.from_torch(written(Module(recurrent(), head(), act))),
        "ONNX": lambda: _exported(Module(recurrent(), head(), act)),
    }


def _exported(module: nn.Module) -> ernn.Model:
    """As torch.onnx.export writes it."""
    return ernn.Model(from_graph(onnx.load_model_from_string(exported(module, torch.randn(7, 3, INPUTS)))))


def of_node(
    operator: str, function: str = "", output: int = 0, given: dict[int, float] | None = None, **attributes
) -> Make:
    """A node of ONNX, and perhaps a function behind it.

    Args:
        given: further inputs by their place, all elements alike.
    """

    def made() -> ernn.Model:
        graph = Graph()
        states = {n: graph.constant(np.full((1, 3, CELLS), each, np.float32)) for n, each in (given or {}).items()}
        outputs = 3 if operator == "LSTM" else 2
        graph.recurrent(operator, graph.input("x", 7, 3, INPUTS), given=states, outputs=outputs, **attributes)
        y = f"node0_{output}"
        return ernn.Model(from_graph(graph.model(graph.node(function, y) if function else y)))

    return made


def of_keras(kind: str, *behind: tuple, **settings) -> Make:
    """A recurrent layer of Keras, and others behind it."""
    return lambda: ernn.from_keras([keras_layer(kind, **settings), *behind])


def keras_layer(kind: str, inputs: int = INPUTS, cells: int = CELLS, **settings) -> tuple:
    """A recurrent layer of Keras: its class, settings and weights."""
    rows = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind] * cells
    config = {"name": "layer", "units": cells, "return_sequences": True, "reset_after": kind == "GRU"} | settings
    biased = [np.zeros((2, rows) if config["reset_after"] else rows, np.float32)] * config.get("use_bias", True)
    return kind, config, [np.ones((inputs, rows), np.float32), np.ones((cells, rows), np.float32), *biased]


def dense(activation: str = "linear", inputs: int = CELLS) -> tuple:
    """A Dense layer of Keras."""
    config = {"name": "dense", "units": 2, "activation": activation}
    return "Dense", config, [np.ones((inputs, 2), np.float32), np.zeros(2, np.float32)]


def linear() -> nn.Module:
    """One linear layer of torch."""
    return nn.Linear(CELLS, 2)


def headed(*between: nn.Module) -> Callable[[], nn.Module]:
    """Two linear layers of torch."""
    return lambda: nn.Sequential(nn.Linear(CELLS, CELLS), *between, nn.Linear(CELLS, 2)).eval()


def lstm(layers: int = 1, **options) -> Callable[[], nn.Module]:
    """Of torch."""
    return lambda: nn.LSTM(INPUTS, CELLS, layers, **options)


def _with_states(module: Module, x: torch.Tensor) -> torch.Tensor:
    return module.recurrent(x, (torch.ones(1, 3, CELLS), torch.ones(1, 3, CELLS)))[0]


def _changed(module: Module, x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[..., 0] = 0
    return module.recurrent(x)[0]


def _begun_by_its_input() -> Module:
    return Module(nn.GRU(INPUTS, INPUTS), None, lambda module, x: module.recurrent(x, x[:1])[0])


def _in_a_row(module: Module, x: torch.Tensor) -> torch.Tensor:
    for each in module.recurrent:
        x = each(x)[0]
    return x


def _sizes() -> list[nn.Module]:
    return [nn.GRU(INPUTS, CELLS), nn.GRU(CELLS, 4)]


def _residual(module: Module, x: torch.Tensor) -> torch.Tensor:
    """Outputs of two layers, summed."""
    y = module.recurrent[0](x)[0]
    return y + module.recurrent[1](y)[0]


def _two() -> Module:
    return Module(nn.ModuleList([nn.GRU(INPUTS, CELLS), nn.GRU(CELLS, CELLS)]), None, _residual)


def _branches() -> ernn.Model:
    """A functional model of Keras: two layers read the same one."""
    layers = {"lstm": keras_layer("LSTM"), "one": dense(), "other": dense()}
    calls = {"one": [call("lstm")], "other": [call("lstm")]}
    return ernn.from_keras(Functional(layers, calls, [["one", 0, 0], ["other", 0, 0]]))


def _begun_by_constants() -> ernn.Model:
    """A functional model of Keras."""
    calls = {"lstm": [call("x", initial_state=[NUMBERS, NUMBERS])]}
    layers = {"x": ("InputLayer", {"name": "x"}, []), "lstm": keras_layer("LSTM")}
    return ernn.from_keras(Functional(layers, calls, [["lstm", 0, 0]]))


_NORM = ("LayerNormalization", {"name": "norm"}, [])
FORMS = (
    Form("LSTM", {**of_modules(lstm(2), linear), "Keras 3": of_keras("LSTM", dense())}),
    Form(
        "GRU that resets after the product",
        {**of_modules(lambda: nn.GRU(INPUTS, CELLS), linear), "Keras 3": of_keras("GRU", dense())},
    ),
    Form(
        "GRU that resets before the product",
        {"ONNX": of_node("GRU"), "Keras 3": of_keras("GRU", dense(), reset_after=False)},
    ),
    Form(
        "RNN of tanh", {**of_modules(lambda: nn.RNN(INPUTS, CELLS), linear), "Keras 3": of_keras("SimpleRNN", dense())}
    ),
    Form(
        "RNN of relu",
        {
            **of_modules(lambda: nn.RNN(INPUTS, CELLS, nonlinearity="relu"), linear),
            "Keras 3": of_keras("SimpleRNN", activation="relu"),
        },
        {
            "torch": "nonlinearity=relu: an RNN here is one of tanh",
            "torch.export": "nonlinearity=relu: an RNN here is one of tanh",
            "ONNX": "activations=Relu: must be as if it were left out",
            "Keras 3": "activation=relu: must be tanh",
        },
    ),
    Form("no bias", {**of_modules(lstm(bias=False)), "Keras 3": of_keras("LSTM", use_bias=False)}),
    Form("peepholes", {"ONNX": of_node("LSTM", peepholes=True)}),
    Form(
        "a projection (`proj_size`)",
        {name: make for name, make in of_modules(lstm(proj_size=3)).items() if name != "ONNX"},
    ),
    Form(
        "layers of different sizes",
        {
            "torch": lambda: ernn.from_torch(_sizes()),
            "torch.export": lambda: ernn.from_torch(written(Module(nn.ModuleList(_sizes()), None, _in_a_row))),
            "ONNX": lambda: _exported(Module(nn.ModuleList(_sizes()), None, _in_a_row)),
            "Keras 3": lambda: ernn.from_keras([keras_layer("GRU"), keras_layer("GRU", CELLS, 4)]),
        },
    ),
    Form(
        "both directions at once, or backwards",
        {
            **of_modules(lstm(bidirectional=True)),
            "Keras 3": of_keras("LSTM", go_backwards=True),
        },
        {
            "torch": "train with bidirectional=False",
            "torch.export": "bidirectional: layers here run forward in time only",
            "ONNX": "direction=bidirectional: must be forward",
            "Keras 3": "go_backwards=True: must be False",
        },
    ),
    Form(
        "other functions in the cells (hard sigmoid, hard tanh), `clip`",
        {
            "ONNX": of_node("GRU", activations=["HardSigmoid", "Tanh"]),
            "Keras 3": of_keras("LSTM", recurrent_activation="hard_sigmoid"),
        },
        {
            "ONNX": "activations=HardSigmoid, Tanh: must be",
            "Keras 3": "recurrent_activation=hard_sigmoid: must be sigmoid",
        },
    ),
    Form(
        "branches, sums of outputs, several outputs",
        {
            "torch.export": lambda: ernn.from_torch(written(_two())),
            "ONNX": lambda: _exported(_two()),
            "Keras 3": _branches,
        },
        {
            "torch.export": "add (add.Tensor): not read",
            "ONNX": "(Add): may add a bias to a linear layer, and nothing else",
            "Keras 3": "other (Dense): reads lstm, must read one alone",
        },
    ),
    Form("no head", {**of_modules(lstm()), "Keras 3": of_keras("LSTM")}),
    Form(
        "several linear layers, with relu, sigmoid or tanh behind each (a file of weights names none: `--function`)",
        {
            **of_modules(lstm(), headed(nn.ReLU(), nn.Linear(CELLS, CELLS), nn.Tanh())),
            "Keras 3": of_keras("LSTM", dense("relu"), dense("tanh", 2), dense("sigmoid", 2)),
        },
    ),
    Form(
        "hard sigmoid, hard tanh or relu6 behind a linear layer",
        {
            **of_modules(lstm(), headed(nn.Hardsigmoid(), nn.Linear(CELLS, CELLS), nn.Hardtanh())),
            "Keras 3": of_keras("LSTM", dense("hard_sigmoid"), dense("hard_tanh", 2), dense("relu6", 2)),
        },
    ),
    Form(
        "softmax and other functions, normalisation",
        {**of_modules(lstm(), headed(nn.Softmax(-1))), "Keras 3": of_keras("LSTM", _NORM)},
        {
            "torch": "output.1 is a Softmax",
            "torch.export": "softmax (softmax.int): not read",
            "ONNX": "(Softmax): not read",
            "Keras 3": "norm (LayerNormalization): not read",
        },
    ),
    Form(
        "a function right behind the recurrent layers",
        {
            **of_modules(lstm(), lambda: nn.Sequential(nn.ReLU(), linear())),
            "Keras 3": of_keras("LSTM", ("ReLU", {"name": "relu"}, [])),
        },
        {
            "torch": "output.0 (ReLU) follows no linear layer",
            "torch.export": "a function follows a linear layer, and here is none",
            "ONNX": "a function follows a linear layer, and here is none",
            "Keras 3": "relu (ReLU): follows no linear layer",
        },
    ),
    Form(
        "the last step alone",
        {**of_modules(lstm(), linear, last), "Keras 3": of_keras("LSTM", dense(), return_sequences=False)},
    ),
    Form(
        "the last state (`h_n`, Y_h)",
        {
            "torch.export": lambda: ernn.from_torch(
                written(Module(lstm(2)(), None, lambda m, x: m.recurrent(x)[1][0][-1]))
            ),
            "ONNX": of_node("LSTM", output=1),
        },
    ),
    Form(
        "the cell states (`c_n`, Y_c)",
        {
            "torch.export": lambda: ernn.from_torch(written(Module(lstm()(), None, lambda m, x: m.recurrent(x)[1][1]))),
            "ONNX": of_node("LSTM", output=2),
            "Keras 3": of_keras("LSTM", return_state=True),
        },
        {
            "torch.export": "cell states are no results here",
            "ONNX": "Y_c goes on (node0_2), must be Y or Y_h",
            "Keras 3": "return_state=True: must be False",
        },
    ),
    Form(
        "initial states that are constants",
        {
            "torch": lambda: ernn.from_torch(lstm()(), initial=(torch.ones(1, CELLS), torch.ones(1, CELLS))),
            "torch.export": lambda: ernn.from_torch(written(Module(lstm()(), None, _with_states))),
            "ONNX": of_node("LSTM", given={5: 0.5}),
            "Keras 3": _begun_by_constants,
        },
        {"Keras 3": "is called with more than its input, such as initial_state"},
    ),
    Form(
        "initial states that follow from the input, or from the sequence before",
        {
            "torch.export": lambda: ernn.from_torch(written(_begun_by_its_input())),
            "ONNX": lambda: _exported(_begun_by_its_input()),
            "Keras 3": of_keras("LSTM", stateful=True),
        },
        {
            "torch.export": "initial states must be constants of the module",
            "ONNX": "must be constants of the graph",
            "Keras 3": "stateful=True: must be False",
        },
    ),
    Form(
        "functions in place behind a linear layer (`nn.ReLU(inplace=True)`)",
        of_modules(lstm(), headed(nn.ReLU(inplace=True))),
    ),
    Form(
        "other writes into tensors (`x[..., 0] = 0`, `self.h.copy_(h_n)`)",
        {
            "torch.export": lambda: ernn.from_torch(written(Module(lstm()(), None, _changed))),
            "ONNX": lambda: _exported(Module(lstm()(), None, _changed)),
        },
        {"torch.export": "writes into a tensor in place", "ONNX": "not read"},
    ),
    Form(
        "active dropout",
        {"torch": lambda: ernn.from_torch(nn.LSTM(INPUTS, CELLS, 2, dropout=0.3))},
        {"torch": "dropout=0.3 is active"},
    ),
)

if __name__ == "__main__":
    print(table())
