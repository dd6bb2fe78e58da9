"""TIMIT in any of the layouts met in the wild, and its layout written."""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import soundfile

from ernn import artifacts
from ernn.data import audio
from ernn.data.corpus import SAMPLE_RATE, Segment, Utterance
from ernn.data.labels import LabelRules, read_segments
from ernn.data.sentences import SPLITS, Split
from ernn.errors import UserError

_CORE_TEST = """
mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 mbpm0 mklt0 fnlp0 mcmj0
mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0
"""
_DEV = """
faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0
mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4
fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1
"""
CORE_TEST, DEV = frozenset(_CORE_TEST.split()), frozenset(_DEV.split())
_AUDIO = (".wav.wav", ".wav", ".flac", ".sph")  # in order of preference: SA1.WAV.wav is the readable twin of SA1.WAV
_LABELS = ".phn"
_DIALECT = ("sa1", "sa2")  # the two sentences that every speaker reads: never used


@dataclass(frozen=True)
class TimitSpeaker:
    """One speaker's folder."""

    split: Split
    name: str
    source: str
    files: tuple[tuple[str, Path, Path], ...]  # sentence, audio, labels
    rules: LabelRules
    timed: ClassVar[bool] = True

    def utterances(self) -> list[Utterance]:
        """Every sentence, read and checked."""
        return [
            _utterance(f"{self.name}_{sentence}", sound, labels, self.rules) for sentence, sound, labels in self.files
        ]


def speakers(folder: Path, rules: LabelRules) -> Sequence[TimitSpeaker]:
    """The speakers of train, dev and test, in the order of their names, their labels read by the rules.

    Without a folder `dev` the usual 50 speakers of `test` are dev and the core test's 24 are test.

    Raises:
        UserError: the folder is not TIMIT's, lacks a split, or has a speaker or a sentence twice.
    """
    found = _by_speaker(folder)
    has_dev = any(part == "dev" for part, _ in found)
    chosen = []
    for (part, name), sentences in sorted(found.items()):
        split = _split(part, name, has_dev)
        if split is not None:
            chosen.append(_speaker(split, name, sentences, rules))
    missing = [split for split in SPLITS if not any(speaker.split == split for speaker in chosen)]
    if missing:
        raise UserError(
            f"{folder}: no speakers for {' and '.join(missing)}; set corpus.path to the folder with TIMIT's TRAIN and "
            "TEST (another corpus in TIMIT's layout: with TRAIN, DEV and TEST)"
        )
    return sorted(chosen, key=lambda speaker: (SPLITS.index(speaker.split), speaker.name))


def write(utterance: Utterance, folder: Path) -> None:
    """One utterance as `SX1.WAV` (NIST SPHERE), `.PHN`, `.WRD` and `.TXT` in its speaker's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = utterance.name.rpartition("_")[2].upper()
    sphere = io.BytesIO()  # libsndfile calls a full disk a "system error", or says nothing
    soundfile.write(sphere, utterance.samples, SAMPLE_RATE, "PCM_16", "LITTLE", "NIST")
    contents = {
        "WAV": sphere.getvalue(),
        "PHN": _lines(utterance.segments).encode(),
        "WRD": _lines(utterance.words).encode(),
        "TXT": f"0 {len(utterance.samples)} {utterance.text}\n".encode(),
    }
    for kind, content in contents.items():
        with artifacts.atomic(folder / f"{stem}.{kind}") as temporary:
            temporary.write_bytes(content)


def speaker_folder(corpus: Path, split: Split, region: int, speaker: str) -> Path:
    """TIMIT's place for a speaker, with the dev speakers in a folder of their own."""
    return corpus / split.upper() / f"DR{region}" / speaker.upper()


def _lines(segments: tuple[Segment, ...]) -> str:
    return "".join(f"{start} {end} {label}\n" for start, end, label in segments)


def _by_speaker(folder: Path) -> dict[tuple[str, str], dict[str, dict[str, Path]]]:
    """(part, speaker) -> sentence -> suffix -> file, all names in lower case."""
    found: dict[tuple[str, str], dict[str, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    homes: dict[tuple[str, str], Path] = {}
    for file in sorted(folder.rglob("*")):
        parts = [part.lower() for part in file.relative_to(folder).parts]
        part = next((part for part in reversed(parts[:-2]) if part in SPLITS), None)
        sentence, dot, suffix = parts[-1].partition(".")
        if part and (dot + suffix in _AUDIO or dot + suffix == _LABELS) and sentence not in _DIALECT:
            speaker = part, parts[-2]
            home = homes.setdefault(speaker, file.parent)
            if home != file.parent:
                raise UserError(f"{file.parent}: speaker {parts[-2]} of {part} is in {home} too; remove one of them")
            other = found[speaker][sentence].setdefault(dot + suffix, file)
            if other != file:
                raise UserError(f"{file}: {other.name} is the same sentence; remove one of them")
    return found


def _split(part: str, speaker: str, has_dev: bool) -> Split | None:
    if part == "train":
        return "train"
    if has_dev:
        return "dev" if part == "dev" else "test"
    return "dev" if speaker in DEV else "test" if speaker in CORE_TEST else None


def _speaker(split: Split, name: str, sentences: dict[str, dict[str, Path]], rules: LabelRules) -> TimitSpeaker:
    files = []
    for sentence, paths in sorted(sentences.items()):
        sound = next((paths[suffix] for suffix in _AUDIO if suffix in paths), None)
        if sound is None:
            raise UserError(f"{paths[_LABELS]}: labels without audio; add the .WAV or remove the labels")
        if _LABELS not in paths:
            raise UserError(f"{sound}: audio without labels; add the .PHN or remove the audio")
        files.append((sentence, sound, paths[_LABELS]))
    return TimitSpeaker(split, name, str(files[0][1].parent), tuple(files), rules)


def _utterance(name: str, sound: Path, label_file: Path, rules: LabelRules) -> Utterance:
    samples, rate = audio.read(sound)
    segments, mended = read_segments(label_file, rate, len(samples), rules)
    phones = tuple(label for *_, label in segments)
    resampled = 0 if rate == SAMPLE_RATE else rate
    return Utterance(name, samples, phones, segments, resampled_from_hz=resampled, source=sound, mended=mended)
