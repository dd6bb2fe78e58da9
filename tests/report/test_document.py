"""What the report says of a network, and the search with it."""

from dataclasses import replace

import pytest

from ernn.explore import search
from ernn.params import Compression, Corpus, Design, Network, NetworkSpec, Training
from ernn.params.methods import DENSE, METHODS
from ernn.report import document, figures
from ernn.report.results import Result, block_label


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
        (
            NetworkSpec(head=[{"outputs": 32, "low": 0.0}]),
            "2 x 128 LSTM cells, linear layer of 32 (relu)",
            "2 LSTM layers of 128 cells, linear layer of 32 (relu)",
        ),
    ],
)
def test_words_for_a_network(network, report, explored):
    assert document._network(NetworkSpec.model_validate(network.model_dump())) == report
    assert search._dense("name", network, 20.0, 1).text == explored


def result(design: Design, compression: float) -> Result:
    metrics = {"per": 20.0, "per_low": 19.0, "per_high": 21.0, "compression": compression}
    return Result("name", "lstm", design.family, block_label(design, layers=2), metrics, ())


@pytest.mark.parametrize(
    ("changes", "label", "place"),
    [
        ({"block_size": 8}, "8", 8.0),
        ({"block_size": 4, "density": 0.5}, "4, 50 % kept", 7.5),
        ({"block_size": {"input": 4, "recurrent": 8}, "density": {"input": 0.5}}, "4/8/1, some kept", 7.5),
        ({"density": 0.125}, "1, 12.5 % kept", 7.5),
    ],
)
def test_designs_with_a_density_stand_at_times_fewer_weights(changes, label, place):
    found = result(Design(network="lstm", **changes), 7.5)
    assert (found.block_size, found.effective_block_size) == (label, place)
    dense = replace(result(Design(network="lstm"), 1.0), method=DENSE)
    (legend,) = figures.per_over_block_size([dense, found]).legends
    assert f"LSTM, {METHODS[found.method].title}" in [text.get_text() for text in legend.texts]


def designs(*losses: tuple[float, float, float]) -> list[Result]:
    """Designs with these losses and the ends of their intervals, the first with fewest times fewer weights."""
    found = []
    for place, (loss, low, high) in enumerate(losses):
        made = replace(result(Design(network="lstm", block_size=2 << place), 2.0 * (place + 1)), name=f"d{place}")
        found.append(
            replace(
                made,
                metrics=made.metrics | {"degradation": loss, "degradation_low": low, "degradation_high": high},
            )
        )
    return found


def test_the_headline_calls_level_what_cannot_be_told_apart():
    text = document._headline(designs((1.0, 0.6, 1.4), (1.2, 0.8, 1.6), (3.0, 2.5, 3.5)))
    assert text.startswith("Least is lost by **d0**")
    assert "Level with it, since their intervals overlap: d1." in text
    assert "Most is saved by **d2**" in text
    assert "Level" not in document._headline(designs((1.0, 0.6, 1.4), (3.0, 2.5, 3.5)))


def test_a_difference_that_is_none_is_a_tie():
    ties = [document._loss(each.metrics)[0] for each in designs((0.0, -0.2, 0.2), (-0.004, -0.2, 0.2), (0.01, 0, 1))]
    assert ties == ["0.00 (a tie)", "0.00 (a tie)", "+0.01"]


@pytest.mark.parametrize(("speakers", "toy"), [(48, True), (231, False)])
def test_a_small_corpus_is_called_a_toy(speakers, toy):
    assert ("A toy run: 48 training speakers" in document._toy(Corpus(train_speakers=speakers))) == toy
    assert document._toy(Corpus(kind="kaldi", path="/folder", train_speakers=speakers)) == ""


@pytest.mark.parametrize(
    ("dense", "compressed", "text"),
    [
        (0.0, None, ""),
        (0.0, 0.0, ""),
        (0.2, None, " They train with dropout 0.2."),
        (0.2, 0.0, " Dense networks train with dropout 0.2, compressed ones with 0."),
        (0.0, 0.1, " Dense networks train with dropout 0, compressed ones with 0.1."),
    ],
)
def test_dropout_of_dense_and_of_compressed_networks(dense, compressed, text):
    assert document._dropouts(Training(dropout=dense), Compression(dropout=compressed)) == text
