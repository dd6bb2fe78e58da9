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


@pytest.mark.parametrize("loudest", [1e15, -1e30, 32_767, 8.1])
def test_values_far_above_full_scale_are_refused(tmp_path, loudest):
    file = tmp_path / "a.wav"
    soundfile.write(file, np.array([0, loudest, 0], np.float32), 16_000, "FLOAT")
    value = f"{abs(np.float32(loudest)):g}"
    refused(file, f"values up to {value}, full scale is 1; scale them down with `sox --norm IN OUT.wav`")


def test_floating_point_may_exceed_full_scale(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0, 1.5, -8], np.float32), 16_000, "FLOAT")
    assert audio.read(tmp_path / "a.wav").samples.tolist() == [0, 1.5, -8]


@pytest.mark.parametrize("rate", [1, 7_999, 384_001])
def test_rates_that_speech_does_not_have_are_refused(tmp_path, rate):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), rate, "PCM_16")
    refused(file, f"{rate} Hz, speech is read from 8000 to 384000 Hz; copy it again from its source at another rate")


def with_data_size(file: Path, size: int) -> Path:
    """A WAV file whose header says that the data have so many bytes."""
    soundfile.write(file, noise(), 16_000, "PCM_16")
    content = bytearray(file.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_0000])
def test_wave_files_from_a_pipe_are_read_to_their_end(tmp_path, size):
    np.testing.assert_array_equal(audio.read(with_data_size(tmp_path / "a.wav", size)).samples, noise())


def test_a_wave_header_without_samples_is_refused(tmp_path):
    message = (
        "no samples; leave it out, or where its header was written to a pipe, run `sox --ignore-length IN OUT.wav`"
    )
    refused(with_data_size(tmp_path / "a.wav", 0), message)


@pytest.mark.parametrize("count", [b"\xb2000", b"x900"])
def test_a_sphere_header_whose_count_is_no_number_promises_nothing(tmp_path, count):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), 16_000, "PCM_16", format="NIST")
    content = file.read_bytes()
    assert b"sample_count -i 8000\n" in content
    file.write_bytes(content.replace(b"sample_count -i 8000", b"sample_count -i " + count))
    np.testing.assert_array_equal(audio.read(file).samples, noise())


def test_the_last_file_is_read_again_when_it_has_changed(tmp_path):
    file = tmp_path / "a.wav"
    soundfile.write(file, noise(), 16_000, "PCM_16")
    first = audio.read_recent(file)
    assert audio.read_recent(file) is first
    soundfile.write(file, noise(8001, seed=1), 16_000, "PCM_16")
    np.testing.assert_array_equal(audio.read_recent(file).samples, noise(8001, seed=1))
    file.unlink()
    with pytest.raises(UserError, match="no such audio file; correct the corpus folder or its list of files"):
        audio.read_recent(file)
