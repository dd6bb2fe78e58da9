"""Integer programs over a split: decoded as their float networks are."""

import pytest
import torch

from ernn.data import phones
from ernn.golden.model import Golden
from ernn.params import Scoring, Training
from ernn.quantization import evaluate
from ernn.records.decoding import Decoding
from ernn.scoring import decoding, phone_errors
from ernn.training import session
from tests import toy
from tests.quantization.test_freeze import frozen


@pytest.mark.parametrize("settings", [None, Decoding(bigram_scale=0.25, insertion_penalty=-4.0)])
def test_ctc_programs_are_decoded_by_the_settings_of_their_network(data, settings):
    model = session.fresh_model(toy.network(layers=1, cells=32), data, Training(criterion="ctc"))
    model.decoding, split = settings, data.split("dev")
    program = frozen(model, data)
    golden, hypotheses = Golden(program), []
    for index in range(len(split)):
        logits, _ = golden.run(golden.quantize(split.feature(index))[:, None])
        posteriors = torch.from_numpy(logits[:, 0] * program.output.logits.resolution).log_softmax(-1)
        if settings is None:
            hypotheses += decoding.ctc_greedy([posteriors])
        else:
            hypotheses += decoding.ctc_viterbi([posteriors], model.bigram, settings)
    references = [split.transcript(index) for index in range(len(split))]
    wanted = phone_errors.score(references, hypotheses, phones.to_39, phones.SILENCE)
    found, _ = evaluate.score(program, split, Scoring(bigram_scale=5.0))
    assert found.to_json() == wanted.to_json()
