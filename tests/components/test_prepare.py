"""The stage from corpus to features: its command line, its refusals, and what it does when it is killed."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from components.prepare import prepare
from components.stage import main
from ernn.data.dataset import Dataset
from ernn.data.phones import PHONES48, SILENCE
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import Network

SYNTHETIC = {"train_speakers": 2, "dev_speakers": 1, "test_speakers": 1, "utterances_per_speaker": 2}


def arguments(folder: Path, corpus: dict, features: dict | None = None, criterion: str | None = None) -> list[str]:
    """Of the command, to train on frames where the corpus has or gets their labels, if nothing else is said."""
    untimed = corpus.get("kind") == "kaldi" and "alignment_model" not in corpus
    sections = {"corpus": corpus, "features": features or {}}
    sections["training"] = {"criterion": criterion or ("ctc" if untimed else "frames")}
    outputs = ["--dataset", str(folder / "features"), "--metrics", str(folder / "prepare.json")]
    return [*outputs, *(word for name, value in sections.items() for word in (f"--params.{name}", json.dumps(value)))]


def command(folder: Path, corpus: dict) -> list[str]:
    return [sys.executable, "-m", "components.prepare", *arguments(folder, corpus)]


def mistake(capsys, folder: Path, corpus: dict, features: dict | None = None, criterion: str | None = None) -> str:
    with pytest.raises(SystemExit) as left:
        main(prepare, arguments(folder, corpus, features, criterion))
    assert left.value.code == 2
    assert not (folder / "features").exists()
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def kaldi(folder: Path, phones: str = "AA T IY") -> dict:
    """Three speakers of half a second, one a split."""
    for seed, (split, name) in enumerate((("train", "anna"), ("dev", "ben"), ("test", "cleo"))):
        (folder / split).mkdir(parents=True)
        samples = np.random.default_rng(seed).normal(0, 0.1, 8000)
        soundfile.write(folder / split / "1.wav", samples, 16_000)
        for table, value in (("wav.scp", "1.wav"), ("utt2spk", name), ("text-phone", phones)):
            (folder / split / table).write_text(f"{name}-1 {value}\n")
    return {"kind": "kaldi", "path": str(folder), "workers": 1}


def test_the_command_line_makes_a_dataset_and_metrics(tmp_path):
    done = subprocess.run(command(tmp_path, SYNTHETIC | {"workers": 2}), capture_output=True, text=True, check=True)
    opened = Dataset.open(tmp_path / "features")
    metrics = json.loads((tmp_path / "prepare.json").read_text())
    assert metrics["train_utterances"] == len(opened.split("train")) == 4
    assert metrics["test_hours"] == pytest.approx(opened.manifest["splits"]["test"]["seconds"] / 3600)
    assert "train: 4 utterances, 0.00 h, 2 speakers" in done.stderr
    assert "frame labels" in done.stderr


def test_bad_audio_is_one_line(tmp_path, capsys):
    corpus = kaldi(tmp_path / "corpus")
    file = tmp_path / "corpus/train/1.wav"
    file.write_bytes(file.read_bytes()[:-1000])
    line = mistake(capsys, tmp_path, corpus)
    counts = "the header promises 8000 samples and 7500 are there"
    assert line == f"prepare: {file}: truncated, {counts}; copy it again from its source"


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_phones_are_one_line_from_any_worker(tmp_path, capsys, workers):
    corpus = kaldi(tmp_path / "corpus", phones="AA OUCH")
    line = mistake(capsys, tmp_path, corpus | {"workers": workers})
    assert line.startswith(f"prepare: {tmp_path / 'corpus/train/text-phone'}:1: unknown phone 'ouch'; rename it")


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ({"kind": "timit"}, "--params.corpus: kind=timit reads your own folder, and path is empty; set it"),
        ({"kind": "timit", "path": "/none"}, "corpus.path='/none' is no folder; set it to your timit folder"),
        ({"kind": "TIMIT"}, "--params.corpus: kind: Input should be 'synthetic', 'timit' or 'kaldi', got 'TIMIT'"),
        ({"sead": 1}, "--params.corpus: sead: no such key; remove it or correct its spelling"),
        (
            SYNTHETIC | {"alignment_model": "no/model"},
            "no/model: no such file or directory; run the stage that makes it",
        ),
    ],
)
def test_bad_parameters_are_one_line(tmp_path, capsys, corpus, message):
    assert mistake(capsys, tmp_path, corpus).startswith(f"prepare: {message}")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    """A limit on file sizes stands in for the disk: the write fails the same way."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        command(tmp_path, SYNTHETIC | {"workers": 1}), capture_output=True, text=True, preexec_fn=small_files
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("prepare: writing: file too large")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_leaves_no_dataset_and_the_next_one_is_whole(tmp_path):
    many = SYNTHETIC | {"train_speakers": 500, "workers": 1}
    running = subprocess.Popen(command(tmp_path, many), stderr=subprocess.DEVNULL)
    while not (tmp_path / ".features.tmp").exists():
        assert running.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (tmp_path / "features").exists()
    main(prepare, arguments(tmp_path, SYNTHETIC | {"workers": 1}))
    assert len(Dataset.open(tmp_path / "features").split("train")) == 4
    assert not (tmp_path / ".features.tmp").exists()


def test_a_corpus_without_times_is_refused_for_frames_before_any_audio_is_read(tmp_path, capsys):
    corpus = kaldi(tmp_path / "corpus")
    for audio in (tmp_path / "corpus").rglob("*.wav"):
        audio.write_bytes(b"")
    assert mistake(capsys, tmp_path, corpus, criterion="frames") == (
        "prepare: training.criterion=frames needs a phone label for each frame and this corpus has none; "
        "set training.criterion: ctc, or corpus.alignment_model to a model of the same corpus"
    )


@pytest.mark.parametrize("criterion", ["frames", "ctc"])
def test_times_of_the_training_speech_are_what_frames_need(tmp_path, capsys, criterion):
    corpus = kaldi(tmp_path / "corpus", phones="AA")
    (tmp_path / "corpus/train/phones.ctm").write_text("anna-1 1 0.1 0.3 AA\n")
    main(prepare, arguments(tmp_path, corpus, criterion=criterion))
    splits = Dataset.open(tmp_path / "features").manifest["splits"]
    assert [splits[split]["aligned"] for split in ("train", "dev", "test")] == [True, False, False]


def test_an_utterance_that_is_too_short_for_ctc_is_refused_while_features_are_made(tmp_path, capsys):
    corpus = kaldi(tmp_path / "corpus", phones="AA AA T " * 9)
    assert mistake(capsys, tmp_path, corpus, criterion="ctc") == (
        f"prepare: {tmp_path}/corpus/train/1.wav: utterance anna-1: 25 vectors, training.criterion=ctc needs 36 "
        "for its transcript; lower features.skip, or leave it out of the corpus"
    )


@pytest.fixture(params=["frames", "ctc"])
def model(request, tmp_path) -> Path:
    torch.manual_seed(3)
    model_file.save(AcousticModel(Network(cells=8, layers=1), 80, PHONES48, request.param), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("phones", ["AA T IY", "SIL AA T IY SIL"])
def test_untimed_speech_gets_labels_from_a_model(tmp_path, model, phones):
    main(prepare, arguments(tmp_path, kaldi(tmp_path / "corpus", phones) | {"alignment_model": str(model)}))
    opened = Dataset.open(tmp_path / "features")
    assert len(opened.manifest["corpus"]["alignment_model_sha256"]) == 64
    for name in ("train", "dev", "test"):
        split = opened.split(name)
        assert opened.manifest["splits"][name]["aligned"]
        assert [PHONES48[phone] for phone in split.transcript(0)] == ["sil", "aa", "t", "iy", "sil"]
        labels = split.label(0)
        changes = np.flatnonzero(np.diff(labels)) + 1
        np.testing.assert_array_equal(labels[[0, *changes]], split.transcript(0))


def test_timed_speech_keeps_its_labels(tmp_path, model):
    corpus = kaldi(tmp_path / "corpus", phones="AA")
    for split, name in (("train", "anna"), ("dev", "ben"), ("test", "cleo")):
        (tmp_path / "corpus" / split / "phones.ctm").write_text(f"{name}-1 1 0.1 0.3 AA\n")
    main(prepare, arguments(tmp_path, corpus | {"alignment_model": str(model)}))
    labels = Dataset.open(tmp_path / "features").split("train").label(0)
    expected = [SILENCE] * 5 + [PHONES48.index("aa")] * 15 + [SILENCE] * 5
    np.testing.assert_array_equal(labels, expected)


def test_a_model_of_other_features_is_refused(tmp_path, capsys, model):
    line = mistake(capsys, tmp_path, kaldi(tmp_path / "corpus") | {"alignment_model": str(model)}, {"mels": 23})
    assert line == (
        f"prepare: {model} has vectors of 80 elements, the corpus by `features` of 46; "
        "set `features` to what the model was trained on, or corpus.alignment_model to another one"
    )


def test_an_alignment_model_with_its_phones_in_another_order_is_refused(tmp_path, capsys):
    phones = [PHONES48[1], PHONES48[0], *PHONES48[2:]]
    model_file.save(AcousticModel(Network(cells=8, layers=1), 80, phones), tmp_path / "model")
    line = mistake(capsys, tmp_path, kaldi(tmp_path / "corpus") | {"alignment_model": str(tmp_path / "model")})
    assert "/model has the phones in another order than the corpus by `features`: class 0 is 'ae', there 'aa'" in line


def test_speech_too_short_for_its_transcript_is_named(tmp_path, capsys, model):
    corpus = kaldi(tmp_path / "corpus", phones="AA T " * 20) | {"alignment_model": str(model)}
    line = mistake(capsys, tmp_path, corpus)
    assert "utterance anna-1: 25 frames are too few for the 42 phones of its transcript" in line
