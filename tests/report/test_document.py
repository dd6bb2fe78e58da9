"""What the report says of a network, and the search with it."""

import pytest

from ernn.explore import search
from ernn.params import Network
from ernn.report import document


@pytest.mark.parametrize(
    ("network", "report", "explored"),
    [
        (Network(), "2 x 128 LSTM cells", "2 LSTM layers of 128 cells"),
        (Network(cell="rnn", layers=1, cells=64), "1 x 64 RNN cells", "1 RNN layer of 64 cells"),
        (Network(cell="gru", cells=(64, 32)), "64 + 32 GRU cells", "2 GRU layers of 64 + 32 cells"),
        (
            Network(cells=(64, 32), projection=16, peepholes=True),
            "64 + 32 LSTM cells, projection to 16, peepholes",
            "2 LSTM layers of 64 + 32 cells, projected to 16",
        ),
    ],
)
def test_words_for_a_network(network, report, explored):
    assert document._network(network) == report
    assert search._dense("name", network, 20.0, 1).text == explored
