"""eSpeak's English mnemonics to TIMIT labels, with the closures that eSpeak has no mnemonic for."""

import numpy as np

from ernn.data.corpus import Segment
from ernn.data.espeak import SAMPLE_RATE, Speech

# mnemonic -> TIMIT labels, with the share of the time where there are two
_VOWELS = """
0=aa O2=ao O=ao O:=ao A:=aa a=ae aa=ae V=ah @=ax a#=ax @2=ax @-=ax E=eh I=ih I2=ih I#=ix i=iy i:=iy u:=uw U=uh
3=axr 3:=er eI=ey aI=ay aU=aw OI=oy oU=ow @L=el n-=en
A@=aa+r O@=ao+r o@=ao+r e@=eh+r U@=uh+r i@=iy+ax i@3=ih+r aI@=ay+ax aI3=ay+axr
"""
_CONSONANTS = """
p=p b=b t=t t2=t t[=t d=d k=k g=g tS=ch dZ=jh t#=dx f=f v=v T=th D=dh s=s z=z S=sh Z=zh h=hh
m=m n=n N=ng l=l r=r r-=r w=w j=y ;=y ?=q _=pau _:=pau _!=pau
"""
TIMIT = {
    mnemonic: tuple(labels.split("+"))
    for mnemonic, labels in (entry.rsplit("=", 1) for entry in (_VOWELS + _CONSONANTS).split())
}
_CLOSURES = {"p": "pcl", "t": "tcl", "k": "kcl", "b": "bcl", "d": "dcl", "g": "gcl", "ch": "tcl", "jh": "dcl"}
_VOICED = {"b", "d", "g", "jh"}
_HOP = SAMPLE_RATE // 400  # 2.5 ms
SILENCE, _PAUSE = "h#", "pau"  # at the ends, and inside


def segments(speech: Speech) -> list[Segment]:
    """TIMIT's segments of one text, in samples at 22,050 Hz, without gaps.

    Raises:
        KeyError: eSpeak used a mnemonic outside the table.
    """
    level = _level(speech.samples)
    starts = [mark.start for mark in speech.phonemes]
    ends = [*starts[1:], len(speech.samples)]
    found: list[Segment] = []
    for (start, mnemonic), end in zip(speech.phonemes, ends, strict=True):
        labels = TIMIT[mnemonic.strip("',%=")]
        if end > start:
            _append(found, labels, start, end, level)
    return _edges(found)


def _append(found: list[Segment], labels: tuple[str, ...], start: int, end: int, level: np.ndarray) -> None:
    """Add one mnemonic's labels, cutting a stop's closure from the end of what went before and from its own start."""
    closure = _CLOSURES.get(labels[0])
    if closure is None:
        cuts = np.linspace(start, end, len(labels) + 1).astype(int)
        found += [Segment(int(a), int(b), label) for a, b, label in zip(cuts[:-1], cuts[1:], labels, strict=True)]
        return
    silent = _silence_before(start, found[-1].start, level) if found else start
    burst = _burst(start, end, level) if labels[0] in _VOICED else start
    if found and silent < start:
        found[-1] = found[-1]._replace(end=silent)
    if burst > silent:
        found.append(Segment(silent, burst, closure))
    found.append(Segment(burst, end, labels[0]))


def _silence_before(start: int, earliest: int, level: np.ndarray) -> int:
    """Where the silence that ends at `start` begins; eSpeak puts a voiceless stop's event at its burst."""
    hop, first = start // _HOP, earliest // _HOP + 4  # what went before keeps at least 10 ms
    while hop > first and level[hop - 1] < 0.02:
        hop -= 1
    return min(start, max(hop * _HOP, earliest)) if hop * _HOP < start - _HOP else start


def _burst(start: int, end: int, level: np.ndarray) -> int:
    """The steepest rise inside a voiced stop, at least 5 ms before its end; its start where it is too short."""
    first, last = start // _HOP + 2, end // _HOP - 2
    if last - first < 3:
        return start
    log_level = np.log(level[first : last + 1] + 1e-3)
    return (first + 1 + int(np.argmax(np.diff(log_level)))) * _HOP


def _edges(found: list[Segment]) -> list[Segment]:
    """Merge equal labels that meet (no decoder can part them) and call the silence at both ends h#."""
    merged: list[Segment] = []
    for segment in found:
        if merged and segment.label == merged[-1].label:
            merged[-1] = merged[-1]._replace(end=segment.end)
        else:
            merged.append(segment)
    for place in (0, -1):
        if merged[place].label == _PAUSE:
            merged[place] = merged[place]._replace(label=SILENCE)
    if merged[0].start:
        merged.insert(0, Segment(0, merged[0].start, SILENCE))
    return merged


def _level(samples: np.ndarray) -> np.ndarray:
    """Root mean square of every 2.5 ms, the loudest being 1."""
    hops = len(samples) // _HOP + 1
    padded = np.pad(samples.astype(np.float32), (0, hops * _HOP - len(samples)))
    rms = np.sqrt((padded.reshape(hops, _HOP) ** 2).mean(axis=1))
    return rms / max(rms.max(), 1.0)
