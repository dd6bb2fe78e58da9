import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ernn.data import audio
from ernn.errors import UserError
from tests.data.conftest import noise


def refused(file: Path, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"{file}: {message}")):
        audio.read(file)


@pytest.mark.parametrize(("form", "endian"), [("WAV", "FILE"), ("NIST", "LITTLE"), ("NIST", "BIG"), ("FLAC", "FILE")])
def test_formats_are_told_by_their_first_bytes(tmp_path, form, endian):
    soundfile.write(tmp_path / "a.xyz", noise(), 16_000, "PCM_16", endian, form)
    samples, rate = audio.read(tmp_path / "a.xyz")
    assert rate == 16_000
    np.testing.assert_array_equal(samples, noise())


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_are_resampled(tmp_path, rate):
    times = np.arange(rate) / rate
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * times), rate, "FLOAT")
    samples, found = audio.read(tmp_path / "a.wav")
    assert (found, samples.dtype) == (rate, np.float32)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(samples[800:-800], expected[800:-800], atol=2e-3)


@pytest.mark.parametrize("form", ["WAV", "NIST"])
def test_a_truncated_file_is_refused(tmp_path, form):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), 16_000, "PCM_16", format=form)
    content = file.read_bytes()
    file.write_bytes(content[:-4000])
    refused(file, "truncated, the header promises 8000 samples and 6000 are there; copy it again from its source")


def test_a_truncated_flac_file_is_refused(tmp_path):
    file = tmp_path / "a.flac"
    soundfile.write(file, noise(), 16_000, "PCM_16")
    file.write_bytes(file.read_bytes()[:-4000])
    refused(file, "truncated or damaged (")


def test_shorten_is_refused(tmp_path):
    file = tmp_path / "SX1.WAV"
    soundfile.write(file, noise(), 16_000, "PCM_16", format="NIST")
    header = file.read_bytes().replace(b"sample_coding -s3 pcm\n", b"sample_coding -s26 pcm,embedded-shorten-v2.00\n")
    file.write_bytes(header)
    refused(file, "Shorten-compressed; run `sph2pipe -f wav IN OUT.wav` on it")


def test_two_channels_are_refused(tmp_path):
    file = tmp_path / "a.wav"
    soundfile.write(file, np.stack([noise(), noise()], axis=1), 16_000)
    refused(file, "2 channels instead of one; pick one with `sox IN OUT remix 1` or `ffmpeg -ac 1`")


def test_values_that_are_not_finite_are_refused(tmp_path):
    file = tmp_path / "a.wav"
    soundfile.write(file, np.array([0, np.nan, 0], np.float32), 16_000, "FLOAT")
    refused(file, "samples that are not finite; copy it again from its source")


@pytest.mark.parametrize("content", [b"", b"ID3\x03mp3 and more"])
def test_other_formats_are_refused(tmp_path, content):
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    begin = content[:8]
    refused(file, f"neither WAV, NIST SPHERE nor FLAC (it begins with {begin!r}); convert it with `sox IN OUT.wav`")


@pytest.mark.parametrize("size", [0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_wave_file_from_a_pipe_is_read(tmp_path, size):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), 16_000, "PCM_16")
    content = bytearray(file.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    file.write_bytes(content)
    np.testing.assert_array_equal(audio.read(file).samples, noise())


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "a.wav", "no such audio file; correct the corpus folder or its list of files")


def test_a_wave_file_with_chunks_before_its_data_is_read(tmp_path):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), 16_000, "PCM_16")
    content = file.read_bytes()
    at = content.index(b"data")
    chunk = b"LIST" + (5).to_bytes(4, "little") + b"hello\0"  # odd sizes are padded
    size = (len(content) - 8 + len(chunk)).to_bytes(4, "little")
    file.write_bytes(b"RIFF" + size + content[8:at] + chunk + content[at:])
    np.testing.assert_array_equal(audio.read(file).samples, noise())
    file.write_bytes(file.read_bytes()[:-1000])
    refused(file, "truncated, the header promises 8000 samples and 7500 are there")
