"""The default corpus: a synthetic TIMIT spoken by eSpeak NG, with exact phone times."""

import functools
import zlib
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.signal import firwin, resample_poly

from ernn.data import espeak, espeak_phones, timit, voices
from ernn.data.augment import Samples, augment
from ernn.data.corpus import Segment, Utterance
from ernn.data.espeak_phones import SILENCE
from ernn.data.sentences import SPLITS, Split, sentences
from ernn.params import Augmentation, Corpus

_UP, _DOWN = 320, 441  # 22,050 -> 16,000 Hz
_FILTER = firwin(20 * _DOWN + 1, 0.95 / _DOWN, window=("kaiser", 5.0)).astype(np.float32)
_PAD = (800, 3200)  # samples: 50 to 200 ms
_BABBLE_VOICES, _BABBLE_SENTENCES = 5, 6
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class SyntheticSpeaker:
    """One voice and what it says; everything follows from seed, split and index."""

    split: Split
    index: int
    seed: int
    texts: tuple[str, ...]
    augmentation: Augmentation
    keep: Path | None = None  # a folder where the audio stays, in TIMIT's layout
    timed: ClassVar[bool] = True

    @property
    def source(self) -> str:
        """What a message calls this speaker."""
        return f"synthetic/{self.split}"

    @property
    def folder(self) -> Path:
        """Where the audio is kept."""
        return timit.speaker_folder(self.keep or Path(), self.split, self.region, self.name)

    @property
    def name(self) -> str:
        """TIMIT's way: f or m, letters, and a digit that differs between the splits."""
        letters, rest = "", self.index
        while rest or len(letters) < 3:
            rest, letter = divmod(rest, len(_LETTERS))
            letters = _LETTERS[letter] + letters
        return f"{'f' if self.voice.female else 'm'}{letters}{SPLITS.index(self.split)}"

    @property
    def region(self) -> int:
        """Number of the dialect region's folder, from 1."""
        return voices.ACCENTS.index(self.voice.accent) + 1

    @property
    def voice(self) -> voices.Voice:
        return voices.voice(self._rng("voice"))

    def utterances(self) -> list[Utterance]:
        """Synthesised, resampled to 16 kHz and augmented."""
        rng, noise = self._rng("augment"), babble(self.split, self.seed)
        spoken = [
            replace(utterance, samples=augment(utterance.samples, noise, self.augmentation, rng))
            for utterance in self.clean()
        ]
        if self.keep:
            for utterance in spoken:
                timit.write(utterance, self.folder)
        return spoken

    def clean(self) -> list[Utterance]:
        """As eSpeak speaks them, at 16 kHz."""
        voice = self.voice
        seed = int(self._rng("engine").integers(1, 2**31))
        pads = self._rng("pads")
        with espeak.engine(voice.variant, voice.accent, voice.words_per_minute, seed) as engine:
            spoken = [engine.speak(text) for text in self.texts]
        return [
            _utterance(f"{self.name}_sx{number}", text, speech, int(pads.integers(*_PAD)))
            for number, (text, speech) in enumerate(zip(self.texts, spoken, strict=True), start=1)
        ]

    def _rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, SPLITS.index(self.split), self.index, zlib.crc32(purpose.encode())])


def speakers(corpus: Corpus) -> list[SyntheticSpeaker]:
    """The speakers of all splits; more speakers in one split leave the others as they are."""
    counts = {"train": corpus.train_speakers, "dev": corpus.dev_speakers, "test": corpus.test_speakers}
    keep = Path(corpus.path) if corpus.path else None
    found = []
    for split in SPLITS:
        texts = sentences(split, corpus.seed)
        for index in range(counts[split]):
            own = tuple(islice(texts, corpus.utterances_per_speaker))
            found.append(SyntheticSpeaker(split, index, corpus.seed, own, corpus.augmentation, keep))
    return found


@functools.cache
def babble(split: Split, seed: int) -> Samples:
    """Five voices at once, some 15 s, of speakers and sentences that are in no split."""
    texts = sentences(split, seed + 2**32)
    crowd = [
        SyntheticSpeaker(split, 2**31 + voice, seed, tuple(islice(texts, _BABBLE_SENTENCES)), Augmentation())
        for voice in range(_BABBLE_VOICES)
    ]
    tracks = [np.concatenate([utterance.samples for utterance in speaker.clean()]) for speaker in crowd]
    shortest = min(len(track) for track in tracks)
    return np.array([track[:shortest] / track[:shortest].std() for track in tracks]).sum(axis=0)


def _utterance(name: str, text: str, speech: espeak.Speech, pad: int) -> Utterance:
    """At 16 kHz, with `pad` more samples of silence at each end."""
    spoken = resample_poly(speech.samples.astype(np.float32) / 32_768, _UP, _DOWN, window=_FILTER)
    samples = np.pad(spoken, pad)
    phones = _with_pads([_at_16k(segment, pad) for segment in espeak_phones.segments(speech)], len(samples))
    ends = [*(mark.start for mark in speech.words[1:]), len(speech.samples)]
    words = tuple(
        _at_16k(Segment(mark.start, end, mark.label), pad) for mark, end in zip(speech.words, ends, strict=True)
    )
    labels = tuple(segment.label for segment in phones)
    return Utterance(name, samples, labels, tuple(phones), words, text)


def _with_pads(phones: list[Segment], length: int) -> list[Segment]:
    """The phones with silence from sample 0 and up to sample `length`."""
    inner = [phone for phone in phones if phone.label != SILENCE]
    before, after = Segment(0, inner[0].start, SILENCE), Segment(inner[-1].end, length, SILENCE)
    return [before, *inner, after]


def _at_16k(segment: Segment, pad: int) -> Segment:
    return Segment(pad + round(segment.start * _UP / _DOWN), pad + round(segment.end * _UP / _DOWN), segment.label)
