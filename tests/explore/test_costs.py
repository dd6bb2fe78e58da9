"""Costs of designs before any training: networks of every cell, and of layers that differ."""

import pytest

from ernn.data.phones import PHONES48
from ernn.explore.costs import Costs, designs
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import Network
from ernn.params.requirement import Requirement

NETWORKS = {
    "rnn": Network(cell="rnn", layers=1, cells=8),
    "stack": Network(cell="gru", cells=(8, 4)),
}


@pytest.fixture(scope="module")
def costs() -> Costs:
    requirement = Requirement(per=20.0, devices=("xc7z020",), methods=("admm", "prune"))
    return Costs(NETWORKS, requirement, inputs=6, classes=len(PHONES48))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_candidate_has_the_words_of_its_network_and_hardware_that_keeps_the_requirement(costs, name):
    shape = NETWORKS[name]
    design = next(designs(name, shape, "admm", 80))
    model = AcousticModel(shape, 6, PHONES48)
    make_circulant(model, design.blocks(shape.layers))
    candidate = costs.candidate(design)
    assert candidate.stored_weights == model.stored_words
    assert candidate.price.value > 0
    assert costs.hardware(design).device == "xc7z020"


@pytest.mark.parametrize(
    ("family", "found"),
    [("sparse", [(1, 0.5), (2, 0.5)]), ("admm-pruned", [(1, 0.5), (1, 0.25)])],
)
def test_sparse_families_have_a_block_in_every_row(costs, family, found):
    made = list(designs("stack", NETWORKS["stack"], family, 6))
    assert [(each.block_size, each.density) for each in made] == found
    for each in made:
        for layer, columns in enumerate((6, 8)):
            each.check_densities(layer, "input", columns, 2)
    assert len(list(designs("stack", NETWORKS["stack"], family, 3))) == 1
    assert costs.candidate(made[1]).price.value > 0


def test_no_block_is_larger_than_the_smallest_layer():
    assert [design.block_size for design in designs("stack", NETWORKS["stack"], "admm", 80)] == [2, 4]
