"""Speakers as random eSpeak voice variants: vocal tract, pitch, voice quality, rate and accent."""

from dataclasses import dataclass

import numpy as np

ACCENTS = ("en-us", "en-us-nyc", "en-029")  # in place of TIMIT's dialect regions DR1 to DR3


@dataclass(frozen=True)
class Voice:
    """One speaker's voice; `variant` is the text of an eSpeak voice variant file."""

    female: bool
    accent: str
    words_per_minute: int
    variant: str


def voice(rng: np.random.Generator) -> Voice:
    """A random voice; three in ten are female, as in TIMIT."""
    female = bool(rng.random() < 0.3)
    tract = rng.normal(1.13 if female else 0.985, 0.045)  # formant scale
    lines = [
        _pitch(rng, female),
        *_formants(rng, tract),
        f"flutter {rng.integers(0, 8)}",
        f"roughness {rng.integers(0, 5)}",
    ]
    if rng.random() < 0.4:
        lines.append("breath " + " ".join(str(level) for level in rng.integers(0, 4, 8)))
    if rng.random() < 0.25:
        lines.append(f"klatt {rng.integers(1, 5)}")
    if rng.random() < 0.2:
        lines.append(f"echo {rng.integers(60, 160)} {rng.integers(4, 14)}")
    lines.append(f"consonants {rng.integers(80, 131)} {rng.integers(80, 131)}")
    accent = ACCENTS[rng.choice(len(ACCENTS), p=(0.6, 0.2, 0.2))]
    return Voice(female, accent, int(rng.integers(115, 241)), "\n".join(lines) + "\n")


def _pitch(rng: np.random.Generator, female: bool) -> str:
    base = rng.uniform(140, 215) if female else rng.uniform(70, 130)
    return f"pitch {base:.0f} {base * rng.uniform(1.15, 1.75):.0f}"


def _formants(rng: np.random.Generator, tract: float) -> list[str]:
    """Frequency, height and width in percent of each formant: one tract length, some scatter."""
    return [
        f"formant {n} {100 * tract * rng.normal(1, 0.02):.0f} {rng.integers(80, 116)} {rng.integers(85, 151)}"
        for n in range(6)
    ]
