"""One channel of audio at 16 kHz from WAV, NIST SPHERE and FLAC files, whatever their names say."""

import functools
import re
import struct
from math import gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from jaxtyping import Float
from scipy.signal import resample_poly

from ernn.data.corpus import SAMPLE_RATE
from ernn.errors import UserError

_RIFF, _NIST, _FLAC = b"RIFF", b"NIST_1A", b"fLaC"
_AGAIN = "copy it again from its source"
_RATES_HZ = (8_000, 384_000)
_LOUDEST = 8.0  # times full scale: floating point has room above 1, but 16-bit values without their scale are a mistake
_STREAMED = 0x7FFF_0000  # sizes from here on mean "unknown" in WAV headers that were written to a pipe


class Audio(NamedTuple):
    """Samples at 16 kHz in [-1, 1), and the file's own rate."""

    samples: Float[np.ndarray, " samples"]
    rate_hz: int


def read(file: Path, channel: int | None = None) -> Audio:
    """One channel of a file, resampled to 16 kHz.

    Args:
        channel: its number, from 0; None means the only one.

    Raises:
        UserError: no file, another format, Shorten-compressed, truncated or empty, more than one channel or none of
            that number, a rate that speech does not have, or values that are not finite or far above full scale.
    """
    promised = _promised_frames(file)
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{file}: truncated or damaged ({error.error_string}); {_AGAIN}") from None
    if promised is not None and promised > len(samples):
        raise UserError(
            f"{file}: truncated, the header promises {promised} samples and {len(samples)} are there; {_AGAIN}"
        )
    if not len(samples):
        raise UserError(
            f"{file}: no samples; leave it out, or where its header was written to a pipe, run "
            "`sox --ignore-length IN OUT.wav` on it"
        )
    channels = samples.shape[1]
    if channel is None and channels != 1:
        raise UserError(
            f"{file}: {channels} channels instead of one; pick one with `sox IN OUT remix 1` or `ffmpeg -ac 1`"
        )
    if channel is not None and channel >= channels:
        raise UserError(f"{file}: no channel {channel}, the file has {channels}, counted from 0; correct the number")
    samples = samples[:, channel or 0]
    if not np.isfinite(samples).all():
        raise UserError(f"{file}: samples that are not finite; {_AGAIN}")
    if (peak := np.abs(samples).max()) > _LOUDEST:
        raise UserError(f"{file}: values up to {peak:g}, full scale is 1; scale them down with `sox --norm IN OUT.wav`")
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        low, high = _RATES_HZ
        raise UserError(f"{file}: {rate} Hz, speech is read from {low} to {high} Hz; {_AGAIN} at another rate")
    return Audio(_at_16k(samples, rate), rate)


def _at_16k(samples: np.ndarray, rate: int) -> Float[np.ndarray, " samples"]:
    if rate == SAMPLE_RATE:
        return samples
    common = gcd(rate, SAMPLE_RATE)
    return resample_poly(samples, SAMPLE_RATE // common, rate // common).astype(np.float32)


def _promised_frames(file: Path) -> int | None:
    """How many samples the header announces; None where the decoder itself counts (FLAC of unknown length)."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
    except FileNotFoundError:
        raise UserError(f"{file}: no such audio file; correct the corpus folder or its list of files") from None
    if head.startswith(_NIST):
        return _nist_frames(file, head)
    if head.startswith(_RIFF):
        return _riff_frames(file)
    if head.startswith(_FLAC):
        return int.from_bytes(head[21:26], "big") & 0xF_FFFF_FFFF or None  # STREAMINFO: 36 bits, 0 = unknown
    raise UserError(
        f"{file}: neither WAV, NIST SPHERE nor FLAC (it begins with {head[:8]!r}); convert it with `sox IN OUT.wav`"
    )


def _nist_frames(file: Path, head: bytes) -> int | None:
    lines = (line.split(None, 2) for line in head.decode("latin-1").splitlines())
    fields = {parts[0]: parts[2] for parts in lines if len(parts) == 3}
    coding = fields.get("sample_coding", "pcm")
    if "shorten" in coding:
        raise UserError(f"{file}: Shorten-compressed; run `sph2pipe -f wav IN OUT.wav` on it")
    if "," in coding:
        raise UserError(f"{file}: sample_coding {coding} is not read; run `sph2pipe -f wav IN OUT.wav` on it")
    count = fields.get("sample_count", "")
    return int(count) if re.fullmatch("[0-9]{1,18}", count) else None


def _riff_frames(file: Path) -> int | None:
    """From the sizes of the fmt and data chunks; None where the writer could not know them."""
    with file.open("rb") as stream:
        stream.seek(12)
        block = 0
        while len(chunk := stream.read(8)) == 8:
            name, size = struct.unpack("<4sI", chunk)
            if name == b"data":
                return size // block if block and size < _STREAMED else None
            body = stream.read(size + size % 2)
            if name == b"fmt " and len(body) >= 14:
                block = struct.unpack("<H", body[12:14])[0]
    return None


def read_recent(file: Path, channel: int | None = None) -> Audio:
    """`read`, remembering the last file as long as it stays as it is: for recordings that hold many utterances."""
    stat = file.stat() if file.exists() else None
    return _read_once(file, channel, stat and (stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=1)
def _read_once(file: Path, channel: int | None, version: tuple[int, int] | None) -> Audio:
    return read(file, channel)
