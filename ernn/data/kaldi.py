"""Kaldi data folders: `wav.scp`, `utt2spk`, phone transcripts, and times where there are some.

Under the corpus folder stand `train`, `test` and, where wanted, `dev`; each holds

    wav.scp      recording  file (relative to this folder, or to the corpus folder), or `cat file |`
    utt2spk      utterance  speaker
    text-phone   utterance  phones; or `text`, where it holds phones
    segments     utterance  recording  start  end  [channel]  (seconds, end -1 for that of the recording; channels count
                 from 0; without the file recordings are utterances)
    phones.ctm   utterance  channel  start  duration  phone (seconds; optional; the phones of text-phone)

Where the user brings vectors (features.kind: given), `feats.scp` or `feats.npz` replaces wav.scp and segments.

Phones are TIMIT's or CMU's, in any case, with stress digits and word positions (`AH0_B`) taken off; corpus.labels says
what other labels stand for.
"""

import logging
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ernn.data import audio, ctm, tables, vectors
from ernn.data.corpus import SAMPLE_RATE, Utterance
from ernn.data.labels import CORRECT, LabelRules, Timed, plain
from ernn.data.sentences import SPLITS, Split
from ernn.data.tables import Line
from ernn.data.vectors import Given, Place
from ernn.errors import UserError

log = logging.getLogger(__name__)
_TO_THE_END, _CHANNEL = re.compile(r"-1(\.0*)?"), re.compile(r"[0-9]{1,3}")  # of segments
_TRANSCRIPTS = ("text-phone", "text")
_OVERSHOOT = SAMPLE_RATE // 2  # by which an utterance may end behind its recording, as Kaldi allows
_HELD_OUT = 10  # without a dev folder, one training speaker in ten


class Span(NamedTuple):
    """The part of a recording that is an utterance."""

    start_s: float
    end_s: float | None  # None = to the end of the recording
    channel: int | None  # None = the only one


_WHOLE = Span(0.0, None, None)


@dataclass(frozen=True)
class KaldiUtterance:
    """What the folder says about one utterance."""

    name: str
    file: Path
    phones: tuple[str, ...]
    mended: Counter[str]  # what was done to the labels that they stand for
    span: Span
    times: tuple[Line, ...] = ()  # of phones.ctm
    place: Place | None = None  # of vectors that the user brings


@dataclass(frozen=True)
class KaldiSpeaker:
    """One speaker of one folder."""

    split: Split
    name: str
    source: str
    listed: tuple[KaldiUtterance, ...]
    rules: LabelRules
    given: Given | None = None  # vectors that the user brings, in place of audio

    @property
    def timed(self) -> bool:
        """Whether its folder has times of phones."""
        return any(utterance.times for utterance in self.listed)

    def utterances(self) -> list[Utterance]:
        """Every utterance, read and checked."""
        return [_utterance(listed, self.rules, self.given) for listed in self.listed]


def speakers(corpus: Path, rules: LabelRules, given: Given | None = None) -> Sequence[KaldiSpeaker]:
    """The speakers of the corpus folder's train, dev and test, their labels read by the rules.

    Args:
        given: vectors that the user brings, in place of audio.

    Raises:
        UserError: a folder or a file is missing, or tables do not agree.
    """
    for split in ("train", "test"):
        if not (corpus / split).is_dir():
            raise UserError(
                f"{corpus / split}: no such folder; set corpus.path to the folder that holds train and test"
            )
    folders = [split for split in SPLITS if (corpus / split).is_dir()]
    found = [speaker for split in folders for speaker in _folder(corpus, split, rules, given)]
    return found if "dev" in folders else _held_out(corpus, found)


def _held_out(corpus: Path, found: list[KaldiSpeaker]) -> list[KaldiSpeaker]:
    train = [speaker for speaker in found if speaker.split == "train"]
    if len(train) < 2:
        raise UserError(f"{corpus / 'train'}: one speaker cannot be train and dev; add a dev folder")
    dev = [replace(speaker, split="dev") for speaker in train[::-_HELD_OUT]]
    names = {speaker.name for speaker in dev}
    rest = [speaker for speaker in found if speaker.split != "train" or speaker.name not in names]
    return sorted(rest + dev, key=lambda speaker: (SPLITS.index(speaker.split), speaker.name))


def _folder(corpus: Path, split: Split, rules: LabelRules, given: Given | None) -> list[KaldiSpeaker]:
    """The speakers of one folder, in the order of their names."""
    folder = _Folder.read(corpus, corpus / split, rules, given)
    own: dict[str, list[KaldiUtterance]] = defaultdict(list)
    listed = folder.places or folder.spans or folder.recordings
    if without := sorted(folder.speakers.keys() - listed.keys()):
        text = "%s: %d utterances of utt2spk have no %s and are left out, the first is %s"
        log.warning(text, folder.path, len(without), "vectors" if folder.places else "audio", without[0])
    for name in sorted(listed):
        utterance = folder.utterance(name)
        own[tables.single(folder.speakers[name], "`utterance speaker`")].append(utterance)
    return [
        KaldiSpeaker(split, name, folder.speakers[listed[0].name].where, tuple(listed), rules, given)
        for name, listed in sorted(own.items())
    ]


@dataclass(frozen=True)
class _Folder:
    """The tables of one folder."""

    corpus: Path
    path: Path
    rules: LabelRules
    recordings: dict[str, Line]
    speakers: dict[str, Line]
    transcripts: dict[str, Line]
    spans: dict[str, Line]
    times: dict[str, list[Line]]
    places: dict[str, Place]  # of vectors that the user brings

    @classmethod
    def read(cls, corpus: Path, path: Path, rules: LabelRules, given: Given | None) -> "_Folder":
        transcripts = next((path / name for name in _TRANSCRIPTS if (path / name).exists()), path / _TRANSCRIPTS[0])
        return cls(
            corpus,
            path,
            rules,
            {} if given else tables.table(path / "wav.scp"),
            tables.table(path / "utt2spk"),
            tables.table(transcripts),
            tables.table(path / "segments") if (path / "segments").exists() and not given else {},
            tables.times(path / "phones.ctm"),
            vectors.places(corpus, path) if given else {},
        )

    def utterance(self, name: str) -> KaldiUtterance:
        """What the tables say about one utterance."""
        for lines, called in ((self.speakers, "utt2spk"), (self.transcripts, "text-phone")):
            if name not in lines:
                raise UserError(f"{self.path / called}: no line for utterance {name}; add it or remove the utterance")
        if self.times and name not in self.times:
            raise UserError(f"{self.path / 'phones.ctm'}: no times of utterance {name}; add them or remove the file")
        recording, span = _span(self.spans[name]) if self.spans else (name, _WHOLE)
        where, written = self.transcripts[name]
        if not written:
            raise UserError(f"{where}: utterance {name} has no phones; add them or remove the utterance")
        labels = [plain(label) for label in written]
        every = (label for line in self.transcripts.values() for label in line.values)
        cure = f"write `utterance phones` lines to {self.path / _TRANSCRIPTS[0]}"
        phones = self._known(where, labels, every, cure)
        times = tuple(self.times.get(name, ()))
        for line in times:
            every = (label for own in self.times.values() for line in own for label in line.values[3:4])
            self._known(line.where, map(plain, line.values[3:4]), every, "write times of phones, or remove the file")
        place = self.places.get(name)
        file = place.file if place else self._file(recording)
        return KaldiUtterance(name, file, phones, self.rules.renames(labels), span, times, place)

    def _known(self, where: str, labels: Iterable[str], every: Iterable[str], cure: str) -> tuple[str, ...]:
        """The phones that the labels of a line stand for.

        Args:
            every: the labels of the whole table, as they are written there; it may hold words.
            cure: what to do then.
        """
        found = tuple(labels)
        unknown = next((label for label in found if not self.rules.known(label)), None)
        if unknown is not None and self.rules.hold_words(map(plain, every)):
            raise UserError(f"{where}: {unknown!r} is no phone, nor are most labels here: these are words; {cure}")
        return tuple(self.rules.phone(where, label) for label in found)

    def _file(self, recording: str) -> Path:
        if recording not in self.recordings:
            raise UserError(f"{self.path / 'wav.scp'}: no line for recording {recording}; add it")
        where, words = self.recordings[recording]
        if not words:
            raise UserError(f"{where}: not `recording file`; correct the line")
        file = Path(_read_by(where, " ".join(words)))
        return next((at / file for at in (self.path, self.corpus) if (at / file).exists()), self.path / file)


def _read_by(where: str, text: str) -> str:
    """The file of a line of wav.scp. A command may only be `cat file |`, which is read without running it."""
    if not text.endswith("|"):
        return text
    try:
        words = shlex.split(text[:-1])
    except ValueError:  # a quote that is not closed
        words = []
    if len(words) != 2 or words[0] != "cat" or words[1].startswith("-"):
        raise UserError(f"{where}: commands are not run; write the audio to a file and give its path")
    return words[1]


def _span(line: Line) -> tuple[str, Span]:
    if len(line.values) not in (3, 4):
        raise UserError(f"{line.where}: not `utterance recording start end [channel]`; correct the line")
    recording, start, end, *rest = line.values
    start_s = tables.seconds(line.where, start)
    end_s = None if _TO_THE_END.fullmatch(end) else tables.seconds(line.where, end)
    if end_s is not None and start_s >= end_s:
        raise UserError(
            f"{line.where}: the utterance ends at {end_s:g} s, not after its start {start_s:g} s; correct the times"
        )
    if rest and not _CHANNEL.fullmatch(rest[0]):
        raise UserError(f"{line.where}: {rest[0]!r} is not a channel (0, 1, ..); correct the line")
    return recording, Span(start_s, end_s, int(rest[0]) if rest else None)


def _utterance(listed: KaldiUtterance, rules: LabelRules, given: Given | None) -> Utterance:
    if listed.place is not None and given is not None:
        found = vectors.read(listed.place, listed.name, given.dimension)
        silent = Utterance(listed.name, np.zeros(0, np.float32), listed.phones, source=listed.file, vectors=found)
        cure = f"{CORRECT}, or features.shift_ms={1000 * given.shift / SAMPLE_RATE:g}"
        return _labelled(silent, len(found) * given.shift, listed, rules, cure)
    samples, rate = _heard(listed)
    resampled = 0 if rate == SAMPLE_RATE else rate
    heard = Utterance(listed.name, samples, listed.phones, resampled_from_hz=resampled, source=listed.file)
    return _labelled(heard, len(samples), listed, rules)


def _heard(listed: KaldiUtterance) -> tuple[np.ndarray, int]:
    """The samples of an utterance, at 16 kHz, and the rate of its recording."""
    span = listed.span
    samples, rate = audio.read_recent(listed.file, span.channel)
    start, end = round(span.start_s * SAMPLE_RATE), len(samples)
    if span.end_s is not None:
        end = round(span.end_s * SAMPLE_RATE)
    for does, time, latest in (("starts", start, len(samples) - 1), ("ends", end, len(samples) + _OVERSHOOT)):
        if time > latest:
            raise UserError(
                f"{listed.file}: utterance {listed.name} {does} at {time / SAMPLE_RATE:g} s, but the recording "
                f"ends at {len(samples) / SAMPLE_RATE:g} s; correct segments"
            )
    return samples[start:end], rate


def _labelled(
    utterance: Utterance, samples: int, listed: KaldiUtterance, rules: LabelRules, cure: str = CORRECT
) -> Utterance:
    """An utterance of so many samples at 16 kHz, with its phones and their times."""
    timed = ctm.segments(listed.times, samples, rules, cure) if listed.times else Timed((), listed.mended)
    if timed.segments:
        ctm.agree(f"{listed.times[0].where}: utterance {listed.name}", timed.segments, listed.phones)
    phones = tuple(segment.label for segment in timed.segments) or listed.phones
    return replace(utterance, phones=phones, segments=timed.segments, mended=timed.mended)
