"""Fixed-point transforms: within their stated errors of the exact ones, and bit for bit those of plain integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow import fourier
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Fourier
from ernn.dataflow.value import Value
from ernn.devices.limits import BLOCK_SIZES
from tests.dataflow import plain
from tests.dataflow.values import FORMATS, SEEDS, arrays, block, checked, fourier_of, specs

TRANSFORMS = pytest.mark.parametrize("transform", ["forward", "inverse"])
INPUTS = st.builds(Format, st.integers(2, 16), st.integers(-2, 16))


def run(transform: str, array: np.ndarray, format: Format, spec: Fourier) -> np.ndarray:
    """Outputs of a kernel as numbers, (k, columns)."""
    shifts = spec.forward_shifts if transform == "forward" else spec.inverse_shifts
    values = getattr(fourier, transform)(block(array, format), spec.constants, shifts)
    return checked(values) * np.array([2.0**-value.fraction for value in values])[:, None]


def exact(transform: str, x: np.ndarray) -> np.ndarray:
    """The transform of numbers, by numpy, in the packed order."""
    k = len(x)
    if transform == "forward":
        bins = np.fft.rfft(x, axis=0)
        parts = [part for m in range(1, k // 2) for part in (bins[m].real, bins[m].imag)]
        return np.array([bins[0].real, bins[-1].real, *parts][:k])
    bins = np.zeros((k // 2 + 1, x.shape[1]), complex)
    bins[0], bins[-1] = x[0], x[min(k, 2) - 1]
    bins[1:-1] = x[2::2] + 1j * x[3::2]
    return np.fft.irfft(bins, n=k, axis=0)


def bound(transform: str, k: int, format: Format, spec: Fourier) -> float:
    error = getattr(fourier, f"{transform}_error")
    shifts = spec.forward_shifts if transform == "forward" else spec.inverse_shifts
    return error(k, -format.low * format.resolution, format.resolution, spec.twiddle_fraction, shifts)


@TRANSFORMS
@given(case=specs(), format=INPUTS, seed=SEEDS)
def test_error_is_within_its_bound(transform, case, format, seed):
    k, spec = case
    array = arrays(seed, format, k, 8)
    error = np.abs(run(transform, array, format, spec) - exact(transform, array * format.resolution))
    assert error.max() <= bound(transform, k, format, spec)


@given(case=specs(), format=INPUTS, seed=SEEDS)
def test_there_and_back_is_the_identity_within_both_bounds(case, format, seed):
    k, spec = case
    array = arrays(seed, format, k, 8)
    spectrum = fourier.forward(block(array, format), spec.constants, spec.forward_shifts)
    values = fourier.inverse(spectrum, spec.constants, spec.inverse_shifts)
    error = checked(values) * 2.0 ** -values[0].fraction - array * format.resolution
    resolution, limit = 2.0 ** -spectrum[0].fraction, np.abs(checked(spectrum)).max()
    back = fourier.inverse_error(k, limit * resolution, resolution, spec.twiddle_fraction, spec.inverse_shifts)
    # an error e in both components of every bin is sqrt(2) e in a mean of k of them
    assert np.abs(error).max() <= np.sqrt(2) * bound("forward", k, format, spec) + back


@TRANSFORMS
@pytest.mark.parametrize("k", BLOCK_SIZES[1:])
@pytest.mark.parametrize(("twiddles", "shift"), [(4, 0), (14, 1), (14, 2)])
def test_bounds_are_reached_to_a_twentieth(transform, k, twiddles, shift):
    format, shifts = Format(12, 11), (shift,) * (k.bit_length() - 1)
    transforms = fourier_of(k, twiddles, shifts, shifts)
    array = arrays(0, format, k, 64)
    error = np.abs(run(transform, array, format, transforms) - exact(transform, array * format.resolution)).max()
    assert error >= 0.05 * bound(transform, k, format, transforms)


@TRANSFORMS
@pytest.mark.parametrize("k", [1, 2, 4])
@given(format=FORMATS, seed=SEEDS)
def test_short_transforms_without_shifts_are_exact(transform, k, format, seed):
    array = arrays(seed, format, k, 8)
    got = run(transform, array, format, fourier_of(k, 1))
    assert (got == exact(transform, array * format.resolution)).all()
    assert bound(transform, k, format, fourier_of(k, 1)) == 0


@given(case=specs(), format=INPUTS, seed=SEEDS)
def test_forward_is_that_of_plain_integers(case, format, seed):
    k, spec = case
    array = arrays(seed, format, k, 2)
    values = fourier.forward(block(array, format), spec.constants, spec.forward_shifts)
    for column, got in zip(array.T, checked(values).T, strict=True):
        bins, fraction = plain.spectrum([plain.number(n, format.fraction) for n in column], format.fraction, spec)
        assert [plain.integer(word, fraction) for word in plain.packed(bins)] == got.tolist()
        assert {value.fraction for value in values} == {fraction}


@given(case=specs(), format=INPUTS, seed=SEEDS)
def test_inverse_is_that_of_plain_integers(case, format, seed):
    k, spec = case
    array = arrays(seed, format, k, 2)
    values = fourier.inverse(block(array, format), spec.constants, spec.inverse_shifts)
    for column, got in zip(array.T, checked(values).T, strict=True):
        words = [plain.number(n, format.fraction) for n in column]
        expected = plain.values(plain.unpacked(words), format.fraction, spec)
        numbers = [plain.number(n, value.fraction) for n, value in zip(got, values, strict=True)]
        assert numbers == expected


@TRANSFORMS
@pytest.mark.parametrize(("k", "products"), [(2, 0), (4, 0), (8, 2), (16, 14), (32, 54), (64, 166)])
def test_products_with_twiddle_factors_are_counted(transform, k, products, count):
    calls = count(Value, "times")
    run(transform, np.ones((k, 1), int), Format(2, 0), fourier_of(k, 12))
    assert len(calls) == fourier.twiddle_multiplications(k) == products


@pytest.mark.parametrize("k", BLOCK_SIZES[3:])
def test_turns_are_powers_of_the_root_of_unity(k):
    for length in (n for n in BLOCK_SIZES if 8 <= n <= k):
        turns = fourier.rotations(length, fourier_of(k, 20).constants, k)
        got = [complex(turn.real.integer, turn.imaginary.integer) / 2**20 for turn in turns]
        expected = np.exp(-2j * np.pi * np.arange(1, length // 4) / length)
        assert np.abs(got - expected).max() < 2**-20
