"""What every corpus hands over: speakers, each with its utterances at 16 kHz."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from ernn.data.sentences import Split

SAMPLE_RATE = 16_000  # Hz, of everything after reading


class Segment(NamedTuple):
    """A labelled stretch of audio, [start, end) in samples at 16 kHz."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Utterance:
    """One sentence of one speaker."""

    name: str
    samples: Float[np.ndarray, " samples"]  # float32 in [-1, 1); none where the corpus has vectors
    phones: tuple[str, ...]  # reference transcript in labels of ernn.data.phones
    segments: tuple[Segment, ...] = ()  # phones with their times; empty where the corpus has none
    words: tuple[Segment, ...] = ()
    text: str = ""
    resampled_from_hz: int = 0  # 0: the audio was at 16 kHz
    source: Path = Path()  # the audio file, where there is one
    mended: Counter[str] = field(default_factory=Counter)  # what was done to its labels, in words, and how often
    vectors: Float[np.ndarray, "frames dimension"] | None = None  # of the user, in place of audio


class Speaker(Protocol):
    """One speaker of one split; picklable, so that a worker process can read or synthesise it."""

    @property
    def name(self) -> str: ...

    @property
    def split(self) -> Split: ...

    @property
    def source(self) -> str: ...  # where the corpus names this speaker; for messages

    @property
    def timed(self) -> bool: ...  # whether its phones have times

    def utterances(self) -> list[Utterance]: ...
