"""Kaldi data folders: `wav.scp`, `utt2spk`, phone transcripts, and times where there are some.

Under the corpus folder stand `train`, `test` and, where wanted, `dev`; each holds

    wav.scp      recording  file (relative to this folder, or to the corpus folder)
    utt2spk      utterance  speaker
    text-phone   utterance  phones; or `text`, where it holds phones
    segments     utterance  recording  start  end (seconds; without it recordings are utterances)
    phones.ctm   utterance  channel  start  duration  phone (seconds; optional; the phones of text-phone)

Phones are TIMIT's or CMU's, in any case, with stress digits and word positions (`AH0_B`) taken off.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ernn.data import audio, ctm, tables
from ernn.data.corpus import SAMPLE_RATE, Utterance
from ernn.data.sentences import SPLITS, Split
from ernn.data.tables import Line
from ernn.errors import UserError

_TRANSCRIPTS = ("text-phone", "text")
_OVERSHOOT = SAMPLE_RATE // 2  # by which an utterance may end behind its recording, as Kaldi allows
_HELD_OUT = 10  # without a dev folder, one training speaker in ten


@dataclass(frozen=True)
class KaldiUtterance:
    """What the folder says about one utterance."""

    name: str
    file: Path
    phones: tuple[str, ...]
    span_s: tuple[float, float] | None = None  # in the recording; None = all of it
    times: tuple[Line, ...] = ()  # of phones.ctm


@dataclass(frozen=True)
class KaldiSpeaker:
    """One speaker of one folder."""

    split: Split
    name: str
    source: str
    listed: tuple[KaldiUtterance, ...]

    @property
    def timed(self) -> bool:
        """Whether its folder has times of phones."""
        return any(utterance.times for utterance in self.listed)

    def utterances(self) -> list[Utterance]:
        """Every utterance, read and checked."""
        return [_utterance(listed) for listed in self.listed]


def speakers(corpus: Path) -> Sequence[KaldiSpeaker]:
    """The speakers of the corpus folder's train, dev and test.

    Raises:
        UserError: a folder or a file is missing, or tables do not agree.
    """
    for split in ("train", "test"):
        if not (corpus / split).is_dir():
            raise UserError(
                f"{corpus / split}: no such folder; set corpus.path to the folder that holds train and test"
            )
    folders = [split for split in SPLITS if (corpus / split).is_dir()]
    found = [speaker for split in folders for speaker in _folder(corpus, split)]
    return found if "dev" in folders else _held_out(corpus, found)


def _held_out(corpus: Path, found: list[KaldiSpeaker]) -> list[KaldiSpeaker]:
    train = [speaker for speaker in found if speaker.split == "train"]
    if len(train) < 2:
        raise UserError(f"{corpus / 'train'}: one speaker cannot be train and dev; add a dev folder")
    dev = [replace(speaker, split="dev") for speaker in train[::-_HELD_OUT]]
    names = {speaker.name for speaker in dev}
    rest = [speaker for speaker in found if speaker.split != "train" or speaker.name not in names]
    return sorted(rest + dev, key=lambda speaker: (SPLITS.index(speaker.split), speaker.name))


def _folder(corpus: Path, split: Split) -> list[KaldiSpeaker]:
    """The speakers of one folder, in the order of their names."""
    folder = _Folder.read(corpus, corpus / split)
    own: dict[str, list[KaldiUtterance]] = defaultdict(list)
    for name in sorted(folder.spans or folder.recordings):
        utterance = folder.utterance(name)
        own[tables.single(folder.speakers[name], "`utterance speaker`")].append(utterance)
    return [
        KaldiSpeaker(split, name, folder.speakers[listed[0].name].where, tuple(listed))
        for name, listed in sorted(own.items())
    ]


@dataclass(frozen=True)
class _Folder:
    """The tables of one folder."""

    corpus: Path
    path: Path
    recordings: dict[str, Line]
    speakers: dict[str, Line]
    transcripts: dict[str, Line]
    spans: dict[str, Line]
    times: dict[str, list[Line]]

    @classmethod
    def read(cls, corpus: Path, path: Path) -> "_Folder":
        transcripts = next((path / name for name in _TRANSCRIPTS if (path / name).exists()), path / _TRANSCRIPTS[0])
        return cls(
            corpus,
            path,
            tables.table(path / "wav.scp"),
            tables.table(path / "utt2spk"),
            tables.table(transcripts),
            tables.table(path / "segments") if (path / "segments").exists() else {},
            tables.times(path / "phones.ctm"),
        )

    def utterance(self, name: str) -> KaldiUtterance:
        """What the tables say about one utterance."""
        for lines, called in ((self.speakers, "utt2spk"), (self.transcripts, "text-phone")):
            if name not in lines:
                raise UserError(f"{self.path / called}: no line for utterance {name}; add it or remove the utterance")
        if self.times and name not in self.times:
            raise UserError(f"{self.path / 'phones.ctm'}: no times of utterance {name}; add them or remove the file")
        recording, span = _span(self.spans[name]) if self.spans else (name, None)
        return KaldiUtterance(name, self._file(recording), self._phones(name), span, tuple(self.times.get(name, ())))

    def _phones(self, name: str) -> tuple[str, ...]:
        where, labels = self.transcripts[name]
        if not labels:
            raise UserError(f"{where}: utterance {name} has no phones; add them or remove the utterance")
        try:
            return tuple(ctm.label(where, label) for label in labels)
        except UserError:
            if ctm.hold_words(label for line in self.transcripts.values() for label in line.values):
                target = self.path / _TRANSCRIPTS[0]
                raise UserError(
                    f"{where}: {' '.join(labels)[:40]!r} are words, not phones; write the phones of each utterance to "
                    f"{target}, a line `utterance phones` each"
                ) from None
            raise

    def _file(self, recording: str) -> Path:
        if recording not in self.recordings:
            raise UserError(f"{self.path / 'wav.scp'}: no line for recording {recording}; add it")
        where, words = self.recordings[recording]
        if words[-1:] == ("|",):
            raise UserError(f"{where}: commands are not run; write the audio to a file and give its path")
        if not words:
            raise UserError(f"{where}: not `recording file`; correct the line")
        file = Path(" ".join(words))
        return next((at / file for at in (self.path, self.corpus) if (at / file).exists()), self.path / file)


def _span(line: Line) -> tuple[str, tuple[float, float]]:
    if len(line.values) != 3:
        raise UserError(f"{line.where}: not `utterance recording start end`; correct the line")
    start, end = (tables.seconds(line.where, value) for value in line.values[1:])
    if start >= end:
        raise UserError(
            f"{line.where}: the utterance ends at {end:g} s, not after its start {start:g} s; correct the times"
        )
    return line.values[0], (start, end)


def _utterance(listed: KaldiUtterance) -> Utterance:
    samples, rate = audio.read_recent(listed.file)
    if listed.span_s:
        start, end = (round(time * SAMPLE_RATE) for time in listed.span_s)
        for does, time, latest in (("starts", start, len(samples) - 1), ("ends", end, len(samples) + _OVERSHOOT)):
            if time > latest:
                raise UserError(
                    f"{listed.file}: utterance {listed.name} {does} at {time / SAMPLE_RATE:g} s, but the recording "
                    f"ends at {len(samples) / SAMPLE_RATE:g} s; correct segments"
                )
        samples = samples[start:end]
    segments = ctm.segments(listed.times, len(samples))
    if segments:
        ctm.agree(f"{listed.times[0].where}: utterance {listed.name}", segments, listed.phones)
    phones = tuple(segment.label for segment in segments) or listed.phones
    resampled = 0 if rate == SAMPLE_RATE else rate
    return Utterance(listed.name, samples, phones, segments, resampled_from_hz=resampled, source=listed.file)
