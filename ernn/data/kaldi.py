"""Kaldi data folders: `wav.scp`, `utt2spk`, phone transcripts, and times where there are some.

Under the corpus folder stand `train`, `test` and, where wanted, `dev`; each holds

    wav.scp      recording  file (relative to this folder, or to the corpus folder)
    utt2spk      utterance  speaker
    text-phone   utterance  phones; or `text`, where it holds phones
    segments     utterance  recording  start  end (seconds; without it recordings are utterances)
    phones.ctm   utterance  channel  start  duration  phone (seconds; optional)

Phones are TIMIT's or CMU's, in any case, with stress digits and word positions (`AH0_B`) taken off.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ernn.data import audio
from ernn.data.corpus import SAMPLE_RATE, Segment, Utterance
from ernn.data.labels import check_label, check_order, read_text
from ernn.data.sentences import SPLITS, Split
from ernn.errors import UserError

_TRANSCRIPTS = ("text-phone", "text")
_POSITION = re.compile(r"_[BIES]$")
_HELD_OUT = 10  # without a dev folder, one training speaker in ten
_GAP = SAMPLE_RATE // 100  # pauses from 10 ms on are silence


class Line(NamedTuple):
    """One line of a table: where it stands, and what follows its key."""

    where: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class KaldiUtterance:
    """What the folder says about one utterance."""

    name: str
    file: Path
    where: str  # of its transcript
    phones: tuple[str, ...]
    span_s: tuple[float, float] | None = None  # in the recording; None = all of it
    times: tuple[Line, ...] = ()  # of phones.ctm


@dataclass(frozen=True)
class KaldiSpeaker:
    """One speaker of one folder."""

    split: Split
    name: str
    source: Path
    listed: tuple[KaldiUtterance, ...]

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
    dev = {speaker.name for speaker in train[::-_HELD_OUT]}
    held = [replace(speaker, split="dev") if speaker in train and speaker.name in dev else speaker for speaker in found]
    return sorted(held, key=lambda speaker: SPLITS.index(speaker.split))


def _folder(corpus: Path, split: Split) -> list[KaldiSpeaker]:
    """The speakers of one folder, in the order of their names."""
    folder = corpus / split
    recordings, speakers = _table(folder / "wav.scp"), _table(folder / "utt2spk")
    transcripts = _table(
        next((folder / name for name in _TRANSCRIPTS if (folder / name).exists()), folder / "text-phone")
    )
    spans = _table(folder / "segments") if (folder / "segments").exists() else None
    times = _times(folder / "phones.ctm")
    own: dict[str, list[KaldiUtterance]] = defaultdict(list)
    for name in sorted(spans or recordings):
        for table, called in ((speakers, "utt2spk"), (transcripts, "text-phone")):
            if name not in table:
                raise UserError(f"{folder / called}: no line for utterance {name}; add it or remove the utterance")
        if times and name not in times:
            raise UserError(f"{folder / 'phones.ctm'}: no times of utterance {name}; add them or remove the file")
        recording, span = (name, None) if spans is None else _span(spans[name])
        file = _file(corpus, folder, recordings, recording)
        where, labels = transcripts[name]
        phones = tuple(_label(where, label) for label in labels)
        if not phones:
            raise UserError(f"{where}: utterance {name} has no phones; add them or remove the utterance")
        speaker = _single(speakers[name], "`utterance speaker`")
        own[speaker].append(KaldiUtterance(name, file, where, phones, span, tuple(times.get(name, ()))))
    return [KaldiSpeaker(split, name, folder / "utt2spk", tuple(listed)) for name, listed in sorted(own.items())]


def _table(file: Path) -> dict[str, Line]:
    """Key -> the rest of its line."""
    table: dict[str, Line] = {}
    for where, words in _lines(file):
        if words[0] in table:
            raise UserError(f"{where}: {words[0]} stands here twice; remove one line")
        table[words[0]] = Line(where, tuple(words[1:]))
    if not table:
        raise UserError(f"{file}: empty; write one line an utterance")
    return table


def _lines(file: Path) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if words := line.split():
            yield f"{file}:{number}", words


def _times(file: Path) -> dict[str, list[Line]]:
    times: dict[str, list[Line]] = defaultdict(list)
    for where, words in _lines(file) if file.exists() else ():
        times[words[0]].append(Line(where, tuple(words[1:])))
    return times


def _span(line: Line) -> tuple[str, tuple[float, float]]:
    if len(line.values) != 3:
        raise UserError(f"{line.where}: not `utterance recording start end`; correct the line")
    start, end = (_seconds(line.where, value) for value in line.values[1:])
    if not 0 <= start < end:
        raise UserError(
            f"{line.where}: the utterance ends at {end:g} s, not after its start {start:g} s; correct the times"
        )
    return line.values[0], (start, end)


def _file(corpus: Path, folder: Path, recordings: dict[str, Line], recording: str) -> Path:
    if recording not in recordings:
        raise UserError(f"{folder / 'wav.scp'}: no line for recording {recording}; add it")
    where, words = recordings[recording]
    if words[-1:] == ("|",):
        raise UserError(f"{where}: commands are not run; write the audio to a file and give its path")
    path = Path(_single(Line(where, (" ".join(words),)), "`recording file`"))
    return next((at for at in (folder / path, corpus / path) if at.exists()), folder / path)


def _single(line: Line, form: str) -> str:
    if len(line.values) != 1 or not line.values[0]:
        raise UserError(f"{line.where}: not {form}; correct the line")
    return line.values[0]


def _label(where: str, label: str) -> str:
    return check_label(where, _POSITION.sub("", label).lower())


def _seconds(where: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UserError(f"{where}: {value!r} is not a time in seconds; correct the line") from None


def _utterance(listed: KaldiUtterance) -> Utterance:
    samples, rate = audio.read_recent(listed.file)
    if listed.span_s:
        start, end = (round(time * SAMPLE_RATE) for time in listed.span_s)
        samples = samples[start:end]
    segments = _segments(listed.times, len(samples))
    phones = tuple(segment.label for segment in segments) or listed.phones
    resampled = 0 if rate == SAMPLE_RATE else rate
    return Utterance(listed.name, samples, phones, segments, resampled_from_hz=resampled, source=listed.file)


def _segments(times: tuple[Line, ...], samples: int) -> tuple[Segment, ...]:
    """Phones of phones.ctm with silence in the pauses between them."""
    segments: list[Segment] = []
    for where, values in times:
        if len(values) != 4:
            raise UserError(f"{where}: not `utterance channel start duration phone`; correct the line")
        start_s, duration_s = (_seconds(where, value) for value in values[1:3])
        start, end = round(start_s * SAMPLE_RATE), round((start_s + duration_s) * SAMPLE_RATE)
        before = segments[-1].end if segments else 0
        if start - before >= _GAP:
            segments.append(Segment(before, start, "sil"))
        segments.append(Segment(start, end, _label(where, values[3])))
        check_order(where, segments, samples)
    if segments and samples - segments[-1].end >= _GAP:
        segments.append(Segment(segments[-1].end, samples, "sil"))
    return tuple(segments)
