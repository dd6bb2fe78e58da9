"""What data cost in CPU time: making the corpus, and features next to kaldi-native-fbank."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the bars are those of one core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import kaldi_native_fbank
import numpy as np

from bench.record import record
from ernn.data import espeak, features, preparation, synthetic
from ernn.data.corpus import SAMPLE_RATE
from ernn.data.synthetic import SyntheticSpeaker
from ernn.params import Corpus, Features

SPEAKERS = 40
REPEATS = 3
MEASURES = ("ernn/data",)
NOTE = (
    "CPU seconds over all processes, one thread each; `times_real_time` is audio over CPU seconds, `ratio` the step's\n"
    "CPU seconds over its reference's in the same run. Bars: 200 times real time for the corpus, 400 for features."
)


def main() -> None:
    """Measure and record."""
    people = synthetic.speakers(Corpus())[:SPEAKERS]
    synthetic.babble("train", 1)  # once a process, whatever the size of the corpus
    audio = [utterance.samples for speaker in people for utterance in speaker.utterances()]
    rows = [
        corpus_row(people),
        features_row(audio, Features(kind="logmel"), mels=40),
        features_row(audio, Features(kind="ernn153"), mels=50),
        prepare_row(workers=1),
        prepare_row(workers=2),
    ]
    record("data", rows, note=NOTE)


def corpus_row(people: Sequence[SyntheticSpeaker]) -> dict[str, Any]:
    """Text to labelled, augmented audio, against eSpeak speaking the same texts and nothing else."""

    def make() -> float:
        return sum(len(utterance.samples) for speaker in people for utterance in speaker.utterances()) / SAMPLE_RATE

    def speak() -> None:
        for speaker in people:
            voice = speaker.voice
            with espeak.engine(voice.variant, voice.accent, voice.words_per_minute, 1) as engine:
                for text in speaker.texts:
                    engine.speak(text)

    return row("synthetic corpus", make(), cpu(make), "eSpeak NG alone", cpu(speak))


def features_row(audio: Sequence[np.ndarray], settings: Features, mels: int) -> dict[str, Any]:
    """Normalised and stacked vectors against kaldi-native-fbank's bare filter bank of the same audio."""

    def ours() -> None:
        for samples in audio:
            vectors = features.feature_vectors(samples, settings, "")
            features.stack((vectors - vectors.mean(axis=0)) / vectors.std(axis=0), settings)

    def theirs() -> None:
        for samples in audio:
            kaldi(samples, mels)

    seconds = sum(len(samples) for samples in audio) / SAMPLE_RATE
    return row(f"features {settings.kind}", seconds, cpu(ours), f"kaldi-native-fbank, {mels} mels", cpu(theirs))


def prepare_row(workers: int) -> dict[str, Any]:
    """The whole stage on the default corpus: corpus, features, shards, sha256."""
    with tempfile.TemporaryDirectory() as folder:
        before = used()
        manifest = preparation.prepare(Corpus(workers=workers), Features(), Path(folder) / "features")
        spent = used() - before
    seconds = sum(split["seconds"] for split in manifest["splits"].values())
    return row(f"prepare, default corpus, {workers} workers", seconds, spent, "", None)


def kaldi(samples: np.ndarray, mels: int) -> np.ndarray:
    """kaldi-native-fbank's log-mel energies."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = mels
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(SAMPLE_RATE, samples * 32_768)
    fbank.input_finished()
    return np.stack([fbank.get_frame(frame) for frame in range(fbank.num_frames_ready)])


def row(step: str, seconds: float, cpu_s: float, reference: str, reference_cpu_s: float | None) -> dict[str, Any]:
    """One line of the table."""
    found: dict[str, Any] = {"step": step, "seconds_of_audio": round(seconds), "cpu_s": cpu_s}
    found |= {"times_real_time": seconds / cpu_s, "reference": reference or None}
    if reference_cpu_s:
        found |= {"reference_times_real_time": seconds / reference_cpu_s, "ratio": cpu_s / reference_cpu_s}
    return found


def cpu(work: Callable[[], object]) -> float:
    """Median CPU seconds of a few runs."""
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def used() -> float:
    """CPU seconds of this process and of the children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
