import pytest

from ernn.data import phones


def test_there_are_61_48_and_39_of_them():
    assert [len(phones.TIMIT61), len(phones.PHONES48), len(phones.PHONES39)] == [61, 48, 39]
    assert len(set(phones.TIMIT61)) == 61


def test_only_the_glottal_stop_is_deleted():
    assert [label for label, phone in phones.fold_61_to_48.items() if phone is None] == ["q"]


def test_every_class_is_reached_and_folds_to_a_scored_phone():
    assert {phone for phone in phones.fold_61_to_48.values() if phone} == set(phones.PHONES48)
    assert set(phones.fold_48_to_39) == set(phones.PHONES48)
    assert set(phones.to_39.tolist()) == set(range(39))


@pytest.mark.parametrize(
    ("scored", "classes"),
    [
        ("aa", "aa ao"), ("ah", "ah ax"), ("er", "er"), ("ih", "ih ix"), ("l", "el l"), ("n", "en n"),
        ("sh", "sh zh"), ("sil", "cl epi sil vcl"), ("uw", "uw"), ("ng", "ng"),
    ],
)  # fmt: skip
def test_the_folding_of_lee_and_hon(scored, classes):
    assert [phone for phone in phones.PHONES48 if phones.fold_48_to_39[phone] == scored] == classes.split()


@pytest.mark.parametrize(
    ("label", "phone"), [("H#", "sil"), ("axr", "er"), ("AH0", "ah"), ("eng", "ng"), ("vcl", "vcl")]
)
def test_labels_are_found_in_any_case_and_with_stress(label, phone):
    assert phones.PHONES48[phones.class_of(label)] == phone


def test_q_has_no_class_and_strangers_are_refused():
    assert phones.class_of("q") is None
    with pytest.raises(KeyError):
        phones.class_of("xx")


def test_cmu_phones_are_classes():
    cmu = "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
    assert set(cmu.split()) <= set(phones.PHONES48)
