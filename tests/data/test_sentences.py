from itertools import islice

import numpy as np
import pytest

from ernn.data import vocabulary
from ernn.data.sentences import SPLITS, sentence, sentences, split_of


def drawn(split, seed, count=600):
    return list(islice(sentences(split, seed), count))


def test_the_vocabulary_has_some_1500_words_and_no_word_twice_in_a_list():
    assert 1500 <= len(vocabulary.all_words()) <= 1800
    for name, text in vars(vocabulary).items():
        if name.isupper():
            assert len(set(text.split())) == len(text.split()), name


def test_sentences_are_distinct_and_no_split_shares_one():
    texts = {split: drawn(split, seed=1) for split in SPLITS}
    assert all(len(set(found)) == 600 for found in texts.values())
    for split, found in texts.items():
        assert {split_of(text) for text in found} == {split}


@pytest.mark.parametrize("split", SPLITS)
def test_more_sentences_begin_with_the_same_ones(split):
    assert drawn(split, 3, 20) == drawn(split, 3, 50)[:20]
    assert drawn(split, 3, 20) != drawn(split, 4, 20)


def test_sentences_are_made_of_words_alone():
    rng = np.random.default_rng(0)
    for _ in range(300):
        text = sentence(rng)
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert not any(len(word) > 3 and word.isupper() for word in text.split())
        assert 3 <= len(text.split()) <= 25
