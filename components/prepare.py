"""Corpus and features, in shards: from audio and labels to the vectors that the networks see."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from components.stage import OutputFolder, main
from ernn.params import Corpus, Features, Training

if TYPE_CHECKING:
    from ernn.data.preparation import Relabel

log = logging.getLogger(__name__)


def prepare(*, corpus: Corpus, features: Features, training: Training, dataset: OutputFolder) -> dict[str, float]:
    """Read or synthesise the corpus and write its features, labels and transcripts.

    Of `training` the criterion alone is read: a corpus that cannot serve it is refused.
    """
    from ernn import artifacts
    from ernn.data import preparation

    if corpus.alignment_model:
        model = Path(corpus.alignment_model)
        aligned = {"alignment_model_sha256": artifacts.sha256(model)}
        align = _aligner(model, features)
        manifest = preparation.prepare(corpus, features, dataset, align, training.criterion, **aligned)
    else:
        manifest = preparation.prepare(corpus, features, dataset, criterion=training.criterion)
    metrics: dict[str, float] = {}
    for split, found in manifest["splits"].items():
        metrics |= {f"{split}_hours": found["seconds"] / 3600, f"{split}_utterances": found["utterances"]}
        labels = "frame labels" if found["aligned"] else "no frame labels"
        hours = f"{found['utterances']} utterances, {found['seconds'] / 3600:.2f} h"
        log.info("%s: %s, %d speakers, %d vectors, %s", split, hours, found["speakers"], found["frames"], labels)
    return metrics


def _aligner(path: Path, features: Features) -> "Relabel":
    """Forced alignment of the examples that have no labels, by the model in `path`.

    Utterances begin and end in silence, so transcripts get a `sil` at each end that has none.
    """
    from dataclasses import replace

    import numpy as np
    import torch

    from ernn.data.dataset import Example
    from ernn.data.features import dimension
    from ernn.data.phones import PHONES48, SILENCE
    from ernn.nn import model_file
    from ernn.records import speech
    from ernn.records.speech import Speech
    from ernn.scoring.alignment import force_align, force_align_ctc

    model = model_file.load(path).eval()
    made = Speech("the corpus by `features`", dimension(features), PHONES48)
    cure = "set `features` to what the model was trained on, or corpus.alignment_model to another one"
    speech.check(Speech(path, model.dimension, model.phones), made, cure)
    force = force_align_ctc if model.criterion == "ctc" else force_align

    def align(example: Example) -> Example:
        if (example.labels >= 0).all():
            return example
        with torch.no_grad():
            posteriors = model(torch.from_numpy(example.features)[:, None]).log_softmax(-1)[:, 0]
        phones = np.array([SILENCE, *example.phones, SILENCE])
        phones = phones[np.append(True, (phones[1:] != SILENCE) | (phones[:-1] != SILENCE))]
        return replace(example, phones=phones, labels=force(posteriors, phones, example.utterance))

    return lambda examples: [align(example) for example in examples]


if __name__ == "__main__":
    main(prepare)
