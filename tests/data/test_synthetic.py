import numpy as np
import pytest

from ernn.data import synthetic, timit
from ernn.data.labels import LabelRules
from ernn.data.phones import class_of
from ernn.params import Corpus

SMALL = Corpus(train_speakers=3, dev_speakers=1, test_speakers=2, utterances_per_speaker=2)


def test_sizes_are_timits():
    found = synthetic.speakers(Corpus())
    assert [sum(speaker.split == split for speaker in found) for split in ("train", "dev", "test")] == [462, 50, 24]
    assert {len(speaker.texts) for speaker in found} == {8}
    assert len({speaker.name for speaker in found}) == len(found)
    texts = [text for speaker in found for text in speaker.texts]
    assert len(set(texts)) == len(texts)
    assert 0.2 < np.mean([speaker.name[0] == "f" for speaker in found]) < 0.4
    assert {speaker.region for speaker in found} == {1, 2, 3}


def test_a_larger_test_set_leaves_the_training_set_as_it_is():
    larger = SMALL.model_copy(update={"test_speakers": 2_000})
    found = synthetic.speakers(larger)
    assert [speaker for speaker in found if speaker.split == "train"] == synthetic.speakers(SMALL)[:3]
    assert len({speaker.name for speaker in found}) == 2_004


def test_utterances_are_reproducible_and_labelled_to_the_last_sample():
    speaker = synthetic.speakers(SMALL)[1]
    first, again = speaker.utterances(), speaker.utterances()
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.samples, two.samples)
        assert one.segments == two.segments
        assert (one.segments[0].start, one.segments[-1].end) == (0, len(one.samples))
        assert [segment.label for segment in one.segments] == list(one.phones)
        assert one.phones[0] == one.phones[-1] == "h#"
        assert all(class_of(label) is not None or label == "q" for label in one.phones)
        assert " ".join(word.label for word in one.words).replace(",", "") in one.text.replace(",", "")
    assert len({utterance.name for utterance in first}) == 2


def test_another_seed_is_another_corpus():
    one, two = (synthetic.speakers(SMALL.model_copy(update={"seed": seed}))[0] for seed in (1, 2))
    assert one.voice != two.voice
    assert not set(one.texts) & set(two.texts)


def test_speech_is_where_the_labels_say():
    """Vowels are louder than silence by 20 dB in clean speech, in every voice."""
    for speaker in synthetic.speakers(SMALL):
        for utterance in speaker.clean():
            levels = {"vowel": [], "silence": []}
            for start, end, label in utterance.segments:
                kind = {"h#": "silence"} | dict.fromkeys(("aa", "ae", "eh", "iy", "ey", "ay"), "vowel")
                if label in kind:
                    levels[kind[label]].append(float((utterance.samples[start:end] ** 2).mean()))
            assert np.median(levels["vowel"]) > 100 * np.mean(levels["silence"])


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_babble_is_nobodys_voice(split):
    noise = synthetic.babble(split, 1)
    assert noise.shape[0] > 8 * 16_000
    assert np.isfinite(noise).all()


def test_audio_can_be_kept_in_timits_layout_and_read_back(tmp_path):
    kept = synthetic.speakers(SMALL.model_copy(update={"path": str(tmp_path)}))
    spoken = {utterance.name: utterance for speaker in kept for utterance in speaker.utterances()}
    found = timit.speakers(tmp_path, LabelRules())
    read = {utterance.name: utterance for speaker in found for utterance in speaker.utterances()}
    assert set(read) == set(spoken)
    for name, utterance in read.items():
        np.testing.assert_array_equal(utterance.samples, spoken[name].samples)
        assert utterance.segments == spoken[name].segments
