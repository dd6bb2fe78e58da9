"""Models of Keras 3 whose layers do not run in a row are refused; the configurations are as 3.15 has them."""

import pytest

import ernn
from ernn.errors import UserError
from tests.nn.keras_models import NUMBERS, Functional, Layer, call, tensor
from tests.nn.test_keras_import import INPUTS, dense, recurrent, weights

X, LSTM, DENSE = ("InputLayer", {"name": "x"}, []), recurrent("LSTM"), dense()
ROW = {"x": X, "lstm": LSTM, "dense": DENSE}
CALLED = {"lstm": [call("x")], "dense": [call("lstm")]}
DROPOUT = ("Dropout", {"name": "drop"}, [])
READ = "read are layers in a row, each of which takes the outputs of the one before it and nothing else"


@pytest.mark.parametrize("outputs", [["dense", 0, 0], [["dense", 0, 0]], {"name": ["dense", 0, 0]}])
def test_layers_in_a_row_are_those_of_a_list(outputs):
    x = weights(9, INPUTS)
    found = ernn.from_keras(Functional(ROW, CALLED, outputs)).predict(x)
    assert (found == ernn.from_keras([LSTM, DENSE]).predict(x)).all()


@pytest.mark.parametrize(
    ("layers", "calls", "outputs", "message"),
    [
        (
            ROW | {"other": DENSE},
            CALLED | {"other": [call("lstm")]},
            [["dense", 0, 0], ["other", 0, 0]],
            f"other (Dense): reads lstm, must read dense alone; {READ}",
        ),
        (
            ROW | {"add": ("Add", {"name": "add"}, [])},
            CALLED | {"add": [{"args": [[tensor("lstm"), tensor("dense")]], "kwargs": {}}]},
            ["add", 0, 0],
            f"add (Add): reads lstm and dense, must read dense alone; {READ}",
        ),
        (
            ROW,
            CALLED | {"dense": [call("x")]},
            ["dense", 0, 0],
            f"dense (Dense): reads x, must read lstm alone; {READ}",
        ),
        (ROW, CALLED, {"a": ["dense", 0, 0], "y": ["lstm", 0, 0]}, "outputs are those of dense and lstm, must be tho"),
        (ROW, CALLED | {"lstm": [call("x"), call("lstm")]}, ["dense", 0, 0], "lstm (LSTM): is called 2 times; read a"),
        (
            {"x": X, "h": ("InputLayer", {"name": "h"}, []), "lstm": LSTM},
            {"lstm": [call("x", initial_state=[tensor("h"), tensor("h")])]},
            ["lstm", 0, 0],
            "h (InputLayer): is another input than the first one; ",
        ),
        (
            {"x": X, "lstm": LSTM},
            {"lstm": [call("x", initial_state=[tensor("x"), tensor("x")])]},
            ["lstm", 0, 0],
            "lstm (LSTM): reads x and x and x, must read x alone; ",
        ),
        (
            {"x": X, "lstm": LSTM},
            {"lstm": [call("x", initial_state=[NUMBERS, NUMBERS])]},
            ["lstm", 0, 0],
            "lstm (LSTM): is called with more than its input, such as initial_state; leave it out",
        ),
        (
            {"x": X, "lstm": LSTM},
            {"lstm": [call("x") | {"args": [tensor("x"), [NUMBERS, NUMBERS]]}]},
            ["lstm", 0, 0],
            "lstm (LSTM): is called with more than its input, such as initial_state; leave it out",
        ),
        (
            ROW | {"drop": DROPOUT},
            CALLED | {"drop": [call("dense", training=True)]},
            ["drop", 0, 0],
            "drop (Dropout): is called with training=True; an imported network is not trained, leave it out",
        ),
    ],
)
def test_what_does_not_run_in_a_row_is_named(layers, calls, outputs, message):
    with pytest.raises(UserError) as error:
        ernn.from_keras(Functional(layers, calls, outputs))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_model_with_a_call_of_its_own_gives_its_layers_as_a_list():
    class Own:
        layers = (Layer(LSTM),)

        def get_config(self) -> dict:
            return {"trainable": True}

    with pytest.raises(UserError, match=r"^Own: a model with a call of its own, .*; give its layers as a list"):
        ernn.from_keras(Own())
    assert ernn.from_keras([*Own.layers]).outputs == 6
