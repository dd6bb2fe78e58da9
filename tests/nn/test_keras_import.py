"""Layers of Keras 3 by their weights: equal to Keras's own equations, written out here, or refused by their names."""

import numpy as np
import pytest

import ernn
from ernn.errors import UserError

INPUTS, CELLS, OUTPUTS = 5, 6, 3
RANDOM = np.random.default_rng(3)
Given = tuple[str, dict, list[np.ndarray]]


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def recurrent(kind: str, inputs: int = INPUTS, cells: int = CELLS, **settings) -> Given:
    rows = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind] * cells
    config = {"name": kind.lower(), "units": cells, "use_bias": True, "activation": "tanh", "return_sequences": True}
    config |= {} if kind == "SimpleRNN" else {"recurrent_activation": "sigmoid"}
    config |= {"reset_after": True} if kind == "GRU" else {}
    config |= settings
    arrays = [weights(inputs, rows), weights(cells, rows)]
    if config["use_bias"]:
        arrays.append(weights(2, rows) if config.get("reset_after") else weights(rows))
    return kind, config, arrays


def dense(inputs: int = CELLS, units: int = OUTPUTS, activation: str = "linear", use_bias: bool = True) -> Given:
    config = {"name": "dense", "units": units, "use_bias": use_bias, "activation": activation}
    return "Dense", config, [weights(inputs, units), *([weights(units)] if use_bias else [])]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


FUNCTIONS = {
    "linear": lambda a: a,
    "relu": lambda a: np.maximum(a, 0),
    "relu6": lambda a: np.clip(a, 0, 6),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "hard_sigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "hard_tanh": lambda a: np.clip(a, -1, 1),
}


def of_keras(layer: Given, x: np.ndarray) -> np.ndarray:
    """Outputs of every step, by the equations of keras/src/layers/rnn."""
    kind, config, (kernel, recurrent_kernel, *bias) = layer
    cells, rows = config["units"], kernel.shape[1]
    both = bias[0].reshape(-1, rows) if bias else np.zeros((1, rows))
    both = both if len(both) == 2 else np.stack([both[0], np.zeros(rows)])
    h, c, found = np.zeros(cells), np.zeros(cells), []
    for row in x.astype(np.float64):
        of_x, of_h = row @ kernel + both[0], h @ recurrent_kernel + both[1]
        if kind == "SimpleRNN":
            h = np.tanh(of_x + of_h)
        elif kind == "LSTM":
            i, f, g, o = np.split(of_x + of_h, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            (xz, xr, xh), (hz, hr, hh) = np.split(of_x, 3), np.split(of_h, 3)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            inner = r * hh if config["reset_after"] else (r * h) @ recurrent_kernel[:, 2 * cells :]
            h = z * h + (1 - z) * np.tanh(xh + inner)
        found.append(h)
    return np.array(found)


CELLS_OF = {
    "LSTM": {}, "GRU": {}, "GRU, before": {"reset_after": False}, "SimpleRNN": {}, "LSTM, no bias": {"use_bias": False},
    "GRU, no bias": {"use_bias": False}, "GRU, before, no bias": {"reset_after": False, "use_bias": False},
}  # fmt: skip


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("name", CELLS_OF)
def test_floats_are_those_of_the_equations_of_keras(name, last):
    kind, x = name.split(",")[0], weights(9, INPUTS)
    first = recurrent(kind, **CELLS_OF[name])
    second = recurrent(kind, CELLS, 4, return_sequences=not last, **CELLS_OF[name])
    head = dense(4)
    model = ernn.from_keras([first, ("Dropout", {"name": "dropout"}, []), second, head])
    wanted = of_keras(second, of_keras(first, x)) @ head[2][0] + head[2][1]
    assert model.last == last
    np.testing.assert_allclose(model.predict(x), wanted[-1] if last else wanted, atol=1e-5)
    assert ernn.from_keras([first, second]).outputs == 4


@pytest.mark.parametrize("form", ["inside", "behind", "without bias", "at every step"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_heads_of_dense_layers(function, form):
    layer, x = recurrent("GRU"), weights(9, INPUTS)
    hidden = dense(CELLS, 7, function if form != "behind" else "linear", use_bias=form != "without bias")
    bias = hidden[2][1] if len(hidden[2]) > 1 else 0
    given = [layer, hidden]
    if form == "behind":
        given.append(("Activation", {"name": "activation", "activation": function}, []))
    if form == "at every step":
        inner = {"class_name": "Dense", "config": hidden[1]}
        given[1] = ("TimeDistributed", {"name": "steps", "layer": inner}, hidden[2])
    output = dense(7)
    wanted = FUNCTIONS[function](of_keras(layer, x) @ hidden[2][0] + bias) @ output[2][0] + output[2][1]
    np.testing.assert_allclose(ernn.from_keras([*given, output]).predict(x), wanted, atol=1e-5)


def test_a_model_of_layers_as_keras_has_them():
    class LSTM:  # named as Keras's
        def __init__(self, layer: Given) -> None:
            self.get_config, self.get_weights = lambda: layer[1], lambda: layer[2]

    class Sequential:
        def __init__(self) -> None:
            self.layers = [LSTM(recurrent("LSTM"))]

        def get_config(self) -> dict:
            return {"layers": [{"class_name": "LSTM", "config": each.get_config()} for each in self.layers]}

    given = Sequential()
    model, x = ernn.from_keras(given), weights(4, INPUTS)
    parts = [("LSTM", layer.get_config(), layer.get_weights()) for layer in given.layers]
    np.testing.assert_array_equal(model.predict(x), ernn.from_keras(parts).predict(x))


def test_a_relu_layer_with_a_limit():
    layer, head, x = recurrent("GRU"), dense(), weights(4, INPUTS)
    relu = ("ReLU", {"name": "relu", "max_value": 0.5, "negative_slope": 0.0, "threshold": 0.0}, [])
    wanted = np.clip(of_keras(layer, x) @ head[2][0] + head[2][1], 0, 0.5)
    np.testing.assert_allclose(ernn.from_keras([layer, head, relu]).predict(x), wanted, atol=1e-5)


REFUSED = [
    ([recurrent("LSTM", activation="relu")], r"lstm \(LSTM\): activation=relu: must be tanh; cells here have no other"),
    ([recurrent("GRU", recurrent_activation="hard_sigmoid")], "recurrent_activation=hard_sigmoid: must be sigmoid"),
    ([recurrent("LSTM", go_backwards=True)], "go_backwards=True: must be False"),
    ([recurrent("LSTM", return_state=True)], "return_state=True: must be False"),
    ([recurrent("LSTM", stateful=True)], "stateful=True: must be False"),
    ([recurrent("LSTM", return_sequences=False), recurrent("LSTM", CELLS)], "return_sequences=False before another"),
    ([recurrent("LSTM"), recurrent("GRU", CELLS)], r"gru \(GRU\): must be a LSTM as lstm \(LSTM\)"),
    ([recurrent("GRU"), recurrent("GRU", CELLS, reset_after=False)], r"reset_after must be that of gru \(GRU\)"),
    (
        [("Bidirectional", {"name": "both"}, []), recurrent("LSTM")],
        r"both \(Bidirectional\): stands before a recurrent",
    ),
    ([dense(INPUTS, INPUTS), recurrent("LSTM")], r"dense \(Dense\): stands before a recurrent layer; read are LSTM"),
    ([recurrent("LSTM"), dense(activation="softmax")], "activation=softmax: must be one of linear, relu, "),
    ([recurrent("LSTM"), ("LayerNormalization", {"name": "norm"}, [])], r"norm \(LayerNormalization\): not read"),
    ([recurrent("LSTM"), ("Activation", {"name": "a", "activation": "relu"}, [])], "follows no linear layer"),
    ([recurrent("LSTM"), ("ReLU", {"name": "a"}, [])], "follows no linear layer"),
    ([recurrent("LSTM"), dense(), ("ReLU", {"name": "a", "negative_slope": 0.1}, [])], "negative_slope=0.1: must be 0"),
    ([recurrent("LSTM"), dense(CELLS + 1)], r"dense \(Dense\): kernel: expected shape \(6, 3\), got \(7, 3\)"),
    ([("LSTM", {"name": "new", "units": 3}, [])], r"new \(LSTM\): no weights; build the model first"),
    ([("LSTM", {"name": "l", "units": 6, "use_bias": False}, recurrent("LSTM")[2])], "2 arrays with use_bias=False, g"),
    ([("GRU", {"name": "g", "units": 6}, recurrent("GRU", reset_after=False)[2])], r"bias: expected shape \(2, 18\)"),
    ([], "no recurrent layer among none"),
    ([dense()], r"no recurrent layer among dense \(Dense\)"),
    (5, "layers: a int; give layers of Keras"),
    (None, "layers: a NoneType; give layers of Keras"),
    ([("LSTM", None, [])], "layers: a tuple; give layers of Keras, or tuples of"),
    ([("LSTM", {"name": "l"}, recurrent("LSTM")[2])], r"l \(LSTM\): no setting units; give the whole dictionary"),
    ([recurrent("LSTM"), dense(), ("Activation", {"name": "a"}, [])], r"a \(Activation\): no setting activation"),
    ([recurrent("LSTM"), dense(activation={"class_name": "Own"})], "activation={'class_name': 'Own'}: must be one of"),
    ([recurrent("LSTM"), dense(), ("ReLU", {"name": "a", "max_value": 0}, [])], "linear layer 0 cannot be expressed: "),
    ([5], "layers: a int; give layers of Keras, or tuples of"),
]


@pytest.mark.parametrize(("layers", "message"), REFUSED)
def test_what_is_refused_is_named(layers, message):
    with pytest.raises(UserError, match=message) as error:
        ernn.from_keras(layers)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "holds values that are not finite"), (1e39, "not finite or")])
def test_values_that_are_not_finite_are_refused(value, message):
    kind, config, arrays = recurrent("LSTM")
    broken = arrays[0].astype(np.float64)
    broken[0, 0] = value
    with pytest.raises(UserError, match=message):
        ernn.from_keras([(kind, config, [broken, *arrays[1:]])])
    with pytest.raises(UserError, match="kernel holds int64, must be float32 or float64"):
        ernn.from_keras([(kind, config, [arrays[0].astype(int), *arrays[1:]])])
