"""The values of every tensor of a float network over some utterances, and the formats that they call for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ernn.data.dataset import Split
from ernn.dataflow.formats import Format
from ernn.devices import limits
from ernn.errors import UserError
from ernn.nn import circulant
from ernn.nn.head import HeadLayer
from ernn.nn.matrices import CirculantWeight
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel
from ernn.params import ProgramSpec, Quantization
from ernn.program.plan import JOINED, SUMS, VALUES, sums_of
from ernn.program.plans import plan_of
from ernn.quantization import room, rules, simulated

BATCH = 16
SAMPLES = 2000  # values kept of a tensor at one moment, spread evenly


@dataclass(frozen=True)
class Ranges:
    """Values of each tensor by its name; those of sums are packed spectra where a matrix is circulant."""

    values: dict[str, np.ndarray]

    def of(self, *names: str) -> np.ndarray:
        """The values of some tensors together."""
        return np.concatenate([self.values[name].ravel() for name in names])


def measure(model: RecurrentModel, split: Split, utterances: int) -> Ranges:
    """Run `utterances` of `split`, spread over its speakers, and keep what the tensors held.

    Utterances of like length run together; a shorter one begins anew where it ends, so that all frames are speech.
    """
    return measure_sequences(model, [split.feature(int(index)) for index in split.spread(utterances)])


def measure_sequences(model: RecurrentModel, sequences: Sequence[Float[np.ndarray, "frames dimension"]]) -> Ranges:
    """Run sequences, and keep what the tensors held; as `measure` does, those of like length together."""
    ranked = sorted(sequences, key=len)
    found = [measure_batch(model, _side_by_side(ranked[n : n + BATCH])) for n in range(0, len(ranked), BATCH)]
    return Ranges({name: np.concatenate([each.values[name] for each in found]) for name in found[0].values})


def _side_by_side(sequences: Sequence[np.ndarray]) -> Float[Tensor, "time batch dimension"]:
    longest = max(len(each) for each in sequences)
    return torch.from_numpy(np.stack([np.resize(each, (longest, each.shape[1])) for each in sequences], axis=1))


@torch.no_grad()
def measure_batch(model: RecurrentModel, x: Float[Tensor, "time batch dimension"]) -> Ranges:
    """What the tensors hold while the model runs on x."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    blocks, vectors = _spectral_blocks(model), defaultdict[str, list[Tensor]](list)
    layers = {f"layers.{number}": cast(RecurrentLayer | HeadLayer, layer) for number, layer in enumerate(model.layers)}
    layers |= {f"head.{number}": cast(HeadLayer, layer) for number, layer in enumerate(model.head)}
    ragged = {scope: layer for scope, layer in layers.items() if _ragged(layer)}

    def keep(name: str, value: Tensor) -> Tensor:
        seen, (scope, _, kind) = value.detach(), name.rpartition(".")
        if ragged and kind in VALUES:
            vectors[name].append(seen)
        if name in blocks and scope in ragged:
            return value  # of all rows, below
        if name in blocks:
            seen = packed_spectrum(_blocked(seen, *blocks[name]))
        found[name].append(_spread(seen.flatten().double().cpu().numpy()))
        return value

    simulated.logits(model, x, keep)
    for before, (scope, layer) in zip(("", *layers), layers.items(), strict=False):
        if scope in ragged:
            seen = {name: frames for name, frames in vectors.items() if name.startswith(f"{scope}.")}
            own = {name.rpartition(".")[2]: _whole(frames) for name, frames in seen.items()}
            own["x"] = _whole(vectors[f"{before}.y"]) if before else x
            for name, sums in _whole_sums(layer, own):
                rows, k = blocks[f"{scope}.{name}"]
                spectra = packed_spectrum(_blocked(sums, -(-rows // k) * k, k))
                found[f"{scope}.{name}"].append(_spread(spectra.flatten().double().cpu().numpy()))
    return Ranges({name: np.concatenate(parts) for name, parts in found.items()})


def _whole(frames: Sequence[Tensor]) -> Tensor:
    """A vector of all frames: of recurrent layers they come one by one."""
    return torch.stack(list(frames)) if frames[0].ndim == 2 else torch.cat(list(frames))


def _ragged(layer: RecurrentLayer | HeadLayer) -> bool:
    """Whether the last block of a matrix's rows has rows that the layer does not use; hardware computes them, too."""
    matrices = layer.children() if isinstance(layer, HeadLayer) else (layer.weight_ih, layer.weight_hh, layer.weight_ym)
    return any(isinstance(each, CirculantWeight) and each.rows % each.block_size > 0 for each in matrices)


def _whole_sums(layer: RecurrentLayer | HeadLayer, vectors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Sums of block-circulant products with all rows of whole blocks, (time, batch, gates * rows), by their names.

    Args:
        vectors: (time, batch, elements) by their names in the plan; y is that of each frame.
    """
    plan = plan_of("dense", layer.spec) if isinstance(layer, HeadLayer) else plan_of(layer.cell, layer)
    first, start = vectors["y"][:1], layer.initial("y") if isinstance(layer, RecurrentLayer) else None
    before = torch.cat([torch.zeros_like(first) if start is None else start.expand_as(first), vectors["y"][:-1]])
    for rows in plan.rows:
        products: list[Tensor] = []
        for term in rows.terms:
            matrix = getattr(layer, term.matrix)
            if isinstance(matrix, CirculantWeight):
                whole = -(-matrix.rows // matrix.block_size) * matrix.block_size
                dense = circulant.expand(matrix.first_columns[plan.part(rows)], whole, matrix.cols).flatten(0, 1)
                products.append((before if term.vector == "y" else vectors[term.vector]) @ dense.t())
                yield term.sums, products[-1]
        if len(products) == len(rows.terms) > 1 and len({each.shape for each in products}) == 1:
            yield JOINED, torch.stack(products).sum(0)


def packed_spectrum(blocks: Tensor) -> Tensor:
    """X_0, X_{k/2}, re X_1, im X_1, ... of the last axis, whose length k is a power of two."""
    k = blocks.shape[-1]
    spectrum = torch.fft.rfft(blocks.double())
    if k < 3:
        return spectrum.real  # X_0 and, for k = 2, X_1
    inner = torch.view_as_real(spectrum[..., 1 : k // 2]).flatten(-2)
    return torch.cat([spectrum.real[..., :1], spectrum.real[..., -1:], inner], -1)


def unpacked_spectrum(packed: Tensor) -> Tensor:
    """The blocks whose `packed_spectrum` this is."""
    k = packed.shape[-1]
    if k < 3:
        inner = packed.new_zeros(*packed.shape[:-1], 0, dtype=torch.complex128)
    else:
        inner = torch.view_as_complex(packed[..., 2:].double().unflatten(-1, (-1, 2)).contiguous())
    ends = [packed[..., place : place + 1].to(torch.complex128) for place in ((0, 1) if k > 1 else (0,))]
    return torch.fft.irfft(torch.cat([ends[0], inner, *ends[1:]], -1), n=k)


@dataclass(frozen=True)
class Formats:
    """A format for every tensor, by the names of the integer model; that of pre-activations is shared by all layers."""

    preactivation: Format
    gate: Format
    by_name: dict[str, Format]

    def __getitem__(self, name: str) -> Format:
        return self.by_name[name]


def choose(model: RecurrentModel, ranges: Ranges, spec: ProgramSpec, settings: Quantization) -> Formats:
    """The formats of `spec`'s widths under the rule of `settings`.

    Raises:
        UserError: a block size that is no power of two, a width of a tensor that the network has not, or values too
            large for any format of their width.
    """
    check_block_sizes(model)
    bits = spec.bits
    names = {
        "weights": ("weight_ih", "weight_hh", "weight_ym", "weight", "peephole"),
        "activations": ("x", "y", "m"),
        "accumulators": ("bias", "bias_hn", "logits", *SUMS),
        "cell": ("c",),
    }
    widths = {name: getattr(bits, group) for group, members in names.items() for name in members}
    spectral = _spectral_weights(model) if spec.transform == "fourier" else {}
    by_name: dict[str, Format] = {}
    named = {name: name.split(".")[-1] for name in ranges.values if name.split(".")[-1] in widths}
    unknown = sorted(spec.widths.keys() - named.keys())
    if unknown:
        raise UserError(f"widths: no tensor {unknown[0]!r}; there are {', '.join(named)}")
    widths_of = {name: spec.widths.get(name, widths[kind]) for name, kind in named.items()}
    begins = {name: _initial_of(name) for name in named if _initial_of(name) in ranges.values}
    values_of = {**ranges.values, **spectral}
    room.check_values(values_of, widths_of | {begin: widths_of[name] for name, begin in begins.items()})
    for name, kind in named.items():
        values, width = ranges.values[name], widths_of[name]
        by_name[name] = rules.choose(values_of[name], width, settings)
        if kind == "c" and not _seen_by_gates(model):
            by_name[name] = rules.minmax(_clipped(values, _flat("tanh", bits.activations)), width, settings)
        if name in begins:
            by_name[name] = _holding(by_name[name], ranges.values[begins[name]])
    seen = [name for name in ranges.values if name.split(".")[-1].startswith("a_") and not name.endswith("a_c")]
    function: Literal["sigmoid", "tanh"] = "tanh" if model.network.cell == "rnn" else "sigmoid"
    inputs = _clipped(ranges.of(*seen), _flat(function, bits.activations))
    preactivation = rules.choose(inputs, bits.accumulators, settings)
    if model.network.cell == "lstm":  # whose next cell states go into tanh
        for begin in begins.values():
            if begin.endswith("c"):
                inner = _clipped(ranges.values[begin], _flat("tanh", bits.activations))
                preactivation = _holding(preactivation, inner)
    return Formats(preactivation, Format(bits.activations, bits.activations - 1), by_name)


def _initial_of(name: str) -> str:
    """Name of a state's initial values: layers.0.initial_y of layers.0.y."""
    scope, dot, kind = name.rpartition(".")
    return f"{scope}{dot}{simulated.INITIAL}{kind}"


def _flat(function: Literal["sigmoid", "tanh"], bits: int) -> float:
    """The power of two from which on the function, rounded to `bits` bits, is not told from its limit.

    LSTM cells count far beyond that with no effect on tanh(c): a format that holds all of it wastes its bits.
    """
    end = np.arctanh(1 - 2.0**-bits) * (2 if function == "sigmoid" else 1)
    return float(2.0 ** np.ceil(np.log2(end)))


def _holding(format: Format, initial: np.ndarray) -> Format:
    """The format, or a coarser one of its width that holds initial states: they are few, but begin all sequences."""
    return min(format, rules.covering(float(np.abs(initial).max()), format.bits), key=lambda each: each.fraction)


def _clipped(values: np.ndarray, limit: float) -> np.ndarray:
    return np.clip(values, -limit, limit)


def _seen_by_gates(model: RecurrentModel) -> bool:
    """Whether peepholes see c itself, not only tanh(c)."""
    return model.network.peepholes


def check_block_sizes(model: RecurrentModel) -> None:
    """Refuse block sizes that no transform here takes.

    Raises:
        UserError: a block size that is not a power of two.
    """
    for place, matrix in model.matrices():
        limits.check_block_size(str(place), getattr(matrix, "block_size", 1))


def _spectral_blocks(model: RecurrentModel) -> dict[str, tuple[int, int]]:
    """(rows of a gate, block size) of every sum whose spectrum may be needed."""
    found = {}
    for place, matrix in model.matrices():
        if isinstance(matrix, CirculantWeight):
            joined = [JOINED] if place.kind == "input" else []
            for name in [sums_of(place.attribute), *joined]:
                found[f"{place.scope}.{name}"] = (matrix.rows, matrix.block_size)
    return found


def _spectral_weights(model: RecurrentModel) -> dict[str, np.ndarray]:
    return {
        str(place): packed_spectrum(matrix.first_columns.detach()).numpy()
        for place, matrix in model.matrices()
        if isinstance(matrix, CirculantWeight)
    }


def _blocked(rows: Tensor, gate: int, block_size: int) -> Tensor:
    """Rows of stacked gates as blocks, each gate padded."""
    gates = rows.unflatten(-1, (-1, gate))
    padded = torch.nn.functional.pad(gates, (0, -gate % block_size))
    return padded.unflatten(-1, (-1, block_size))


def _spread(values: np.ndarray) -> np.ndarray:
    """At most SAMPLES of the values, the extremes among them."""
    if len(values) <= SAMPLES:
        return values
    step = len(values) // SAMPLES + 1
    return np.append(values[::step], [values.min(), values.max()])
