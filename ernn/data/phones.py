"""TIMIT's 61 phone labels and their folding to 48 classes and 39 scored phones (Lee & Hon 1989)."""

import re

import numpy as np

# label of 61, class of 48, scored phone of 39; `q` is deleted
_TABLE = """
aa aa aa   ae ae ae   ah ah ah   ao ao aa   aw aw aw   ax ax ah   ax-h ax ah  axr er er  ay ay ay
b b b      bcl vcl sil ch ch ch  d d d      dcl vcl sil dh dh dh  dx dx dx    eh eh eh   el el l
em m m     en en n    eng ng ng  epi epi sil er er er  ey ey ey   f f f       g g g      gcl vcl sil
h# sil sil hh hh hh   hv hh hh   ih ih ih   ix ix ih   iy iy iy   jh jh jh    k k k      kcl cl sil
l l l      m m m      n n n      ng ng ng   nx n n     ow ow ow   oy oy oy    p p p      pau sil sil
pcl cl sil q - -      r r r      s s s      sh sh sh   t t t      tcl cl sil  th th th   uh uh uh
uw uw uw   ux uw uw   v v v      w w w      y y y      z z z      zh zh sh
"""
_ROWS = [tuple(row.split()) for row in re.findall(r"\S+ +\S+ +\S+", _TABLE)]

TIMIT61 = tuple(label for label, _, _ in _ROWS)
PHONES48 = tuple(sorted({phone for _, phone, _ in _ROWS} - {"-"}))
PHONES39 = tuple(sorted({phone for _, _, phone in _ROWS} - {"-"}))

fold_61_to_48: dict[str, str | None] = {label: None if phone == "-" else phone for label, phone, _ in _ROWS}
fold_48_to_39: dict[str, str] = {phone: scored for _, phone, scored in _ROWS if phone != "-"}
to_39 = np.array([PHONES39.index(fold_48_to_39[phone]) for phone in PHONES48])  # (48,) class -> index in PHONES39

SILENCE = PHONES48.index("sil")
_CLASSES = {label: None if phone is None else PHONES48.index(phone) for label, phone in fold_61_to_48.items()}
_CLASSES |= {phone: index for index, phone in enumerate(PHONES48)}  # cl, vcl and sil are labels of their own too


def class_of(label: str) -> int | None:
    """Class of one of the 61 or 48 labels, in any case, with or without a stress digit; None for the deleted `q`.

    Raises:
        KeyError: the label belongs to neither set.
    """
    name = label.lower()
    return _CLASSES[name if name in _CLASSES else name.rstrip("012")]
