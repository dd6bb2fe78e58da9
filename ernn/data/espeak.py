"""eSpeak NG through ctypes: text to samples and exact phoneme times.

The library is GPL-3.0-or-later and no part of this package: it is found at run time through `espeakng_loader`.
"""

import _ctypes
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int16

from ernn.artifacts import scratch
from ernn.errors import UserError

SAMPLE_RATE = 22_050  # Hz, eSpeak's own
_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 0x1, 0x8000
_WORD, _PHONEME, _LIST_END = 1, 7, 0
_UTF8, _CHARACTER_POSITION, _RATE = 1, 1, 1
_VOICE = "ernn"
_FILES = ("en_dict", "phondata", "phonindex", "phontab", "intonations", "lang/gmw")


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # of a character, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Mark(NamedTuple):
    """A phoneme's mnemonic or a word, and its first sample at 22,050 Hz."""

    start: int
    label: str


@dataclass
class Speech:
    """What eSpeak says for one text."""

    samples: Int16[np.ndarray, " samples"]
    phonemes: list[Mark]
    words: list[Mark]


@contextmanager
def engine(variant: str, language: str, words_per_minute: int, seed: int) -> Iterator["Engine"]:
    """A fresh eSpeak that speaks as `variant` (the text of a voice variant file).

    eSpeak carries state from voice to voice, so the library is loaded for this speaker and unloaded after it:
    the bytes depend on the arguments only. A private data folder holds the one variant, because eSpeak's list
    of voices ends at 350.

    Raises:
        UserError: eSpeak is not installed or refuses the voice.
    """
    library_path, data = _installed()
    with scratch.folder("espeak-") as folder:
        _link_data(data, folder, variant)
        library = ctypes.CDLL(str(library_path))
        try:
            speaker = Engine(library)
            speaker.start(str(folder), language, words_per_minute, seed)
            yield speaker
            library.espeak_Terminate()
        finally:
            _ctypes.dlclose(library._handle)


@dataclass
class Engine:
    """One loaded library with one voice."""

    library: Any
    _chunks: list[bytes] = field(default_factory=list)
    _marks: list[tuple[int, int, str, int, int]] = field(default_factory=list)
    _callback: Any = None

    def start(self, folder: str, language: str, words_per_minute: int, seed: int) -> None:
        """Initialise, seed and choose the voice."""
        if not 100 <= words_per_minute <= 250:  # libsonic moves the event positions beyond 450
            raise ValueError(f"words_per_minute={words_per_minute} must be 100 to 250")
        rate = self.library.espeak_Initialize(_SYNCHRONOUS, 0, folder.encode(), _PHONEME_EVENTS | _DONT_EXIT)
        if rate != SAMPLE_RATE:
            raise UserError(
                f"eSpeak NG answers {rate} to espeak_Initialize, not {SAMPLE_RATE} Hz; reinstall espeakng-loader"
            )
        self._callback = _CALLBACK(self._receive)  # kept: eSpeak holds only the pointer
        self.library.espeak_SetSynthCallback(self._callback)
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        voice = f"{language}+{_VOICE}"
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise UserError(f"eSpeak NG has no voice {language!r}; reinstall espeakng-loader")
        self.library.espeak_SetParameter(_RATE, words_per_minute, 0)

    def speak(self, text: str) -> Speech:
        """Samples, phonemes and words of one text."""
        self._chunks.clear()
        self._marks.clear()
        data = text.encode()
        error = self.library.espeak_Synth(data, len(data) + 1, 0, _CHARACTER_POSITION, 0, _UTF8, None, None)
        if error:
            raise RuntimeError(f"espeak_Synth returned {error} for {text!r}")
        self.library.espeak_Synchronize()
        samples = np.frombuffer(b"".join(self._chunks), np.int16)
        phonemes = [Mark(sample, label) for kind, sample, label, _, _ in self._marks if kind == _PHONEME]
        words = [Mark(sample, text[at - 1 : at - 1 + n]) for kind, sample, _, at, n in self._marks if kind == _WORD]
        return Speech(samples, phonemes, words)

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if count > 0:
            self._chunks.append(ctypes.string_at(wave, 2 * count))
        for event in events:
            if event.type == _LIST_END:
                break
            if event.type in (_WORD, _PHONEME):
                label = bytes(event.id.string).decode() if event.type == _PHONEME else ""
                self._marks.append((event.type, event.sample, label, event.text_position, event.length))
        return 0


def _installed() -> tuple[Path, Path]:
    try:
        import espeakng_loader
    except ImportError:
        raise UserError(
            "corpus.kind=synthetic needs eSpeak NG; run `pip install 'ernn[synthetic]'` "
            "or set corpus.kind to timit or kaldi"
        ) from None
    return Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())


def _link_data(data: Path, folder: Path, variant: str) -> None:
    own = folder / "espeak-ng-data"
    for directory in (own / "lang", own / "voices/!v"):
        directory.mkdir(parents=True)
    for name in _FILES:
        (own / name).symlink_to(data / name)
    (own / "voices/!v" / _VOICE).write_text(f"language variant\nname {_VOICE}\n{variant}")
