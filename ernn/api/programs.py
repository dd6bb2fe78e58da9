"""An integer network: the numbers that the hardware computes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ernn.api.sequences import Given, Sequences, table
from ernn.errors import UserError

if TYPE_CHECKING:
    from ernn.api.models import Model
    from ernn.golden.layers import State
    from ernn.program import network
    from ernn.quantization.profile import ProfileRow


@dataclass(frozen=True, repr=False)
class Comparison:
    """How far an integer network is from a float one.

    Args:
        mean: of the absolute differences of all outputs of all steps.
        worst: the largest of them.
        spread: the deviation of the float outputs, for scale.
        saturated: values that had no room in their format, by name, with their share; the most frequent first.
    """

    mean: float
    worst: float
    spread: float
    saturated: tuple[tuple[str, float], ...]

    def __repr__(self) -> str:
        rows = [("mean absolute difference", f"{self.mean:.3g}"), ("largest difference", f"{self.worst:.3g}")]
        rows += [("deviation of the float outputs", f"{self.spread:.3g}")]
        rows += [(f"saturated: {name}", _share(share)) for name, share in self.saturated[:5]]
        return table(("integers against floats", ""), rows)


@dataclass(frozen=True, repr=False)
class Profile:
    """Every named value of a network, in floats and in integers.

    Args:
        rows: in the order of the equations, with names of the integer model (`layers.0.a_i`).
    """

    rows: tuple[ProfileRow, ...]

    def draw(self, path: str | Path) -> None:
        """Write a picture, .svg, .png or .pdf: the range of each value, over the range that its format holds.

        Raises:
            UserError: another kind of file, or the extra `report` is missing.
        """
        from ernn.artifacts import atomic

        file, kinds = Path(path), ("svg", "png", "pdf")
        if file.suffix[1:] not in kinds:
            raise UserError(f"{file}: a picture is a file .svg, .png or .pdf; name one")
        try:
            from ernn.report import figures, profile_figure
        except ModuleNotFoundError as error:
            raise UserError(f"{error.name} is not installed: pip install 'ernn[report]'") from None
        with atomic(file) as temporary:
            profile_figure.ranges(self.rows).savefig(temporary, format=file.suffix[1:], dpi=figures.DPI)

    def __repr__(self) -> str:
        head = ("value", "bits", "fraction", "limit", "largest float", "saturated", "mean error", "largest error")
        rows = []
        for each in self.rows:
            kind = (
                each.name,
                each.format.bits,
                each.format.fraction,
                f"{each.format.limit:.3g}",
                f"{each.largest:.3g}",
            )
            rows.append((*kind, _share(each.saturated), f"{each.mean:.2g}", f"{each.worst:.2g}"))
        return table(head, rows)


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """An integer network; what it predicts, its accelerator gives bit for bit.

    Args:
        value: every integer of it.
    """

    value: network.Program

    @property
    def inputs(self) -> int:
        """Elements of a vector that goes in."""
        return self.value.inputs

    @property
    def outputs(self) -> int:
        """Elements of a vector that comes out."""
        return self.value.outputs

    @property
    def last(self) -> bool:
        """Whether the output of a sequence's last step is the result, and not those of every step."""
        return self.value.last

    @property
    def widths(self) -> dict[str, int]:
        """Bits of groups and of every tensor by its name, as `ernn.quantize` takes them: JSON keeps such a mapping."""
        from ernn.dataflow.transforms import Fourier

        functions, found = self.value.activations, dict[str, int]()
        transforms = [getattr(matrix, "transform", None) for matrix in self.value.matrices.values()]
        twiddles = [each.twiddle_fraction + 1 for each in transforms if isinstance(each, Fourier)]
        found |= {"weights": twiddles[0]} if twiddles else {}  # twiddle factors have the width of weights
        found |= {"activations": functions.sigmoid_table.output.bits, "accumulators": functions.preactivation.bits}
        found["x"] = self.value.input.bits
        for number, layer in enumerate(self.value.layers):
            formats = {"c": getattr(layer, "cell", None), "m": getattr(layer, "hidden", None), "y": layer.output}
            found |= {f"layers.{number}.{name}": each.bits for name, each in formats.items() if each is not None}
            found |= {f"layers.{number}.{name}": each.bits for name, each in _constants(layer).items()}
        for number, dense in enumerate(self.value.head):
            found[f"head.{number}.y"] = dense.output.bits
            found |= {f"head.{number}.{name}": each.bits for name, each in _constants(dense).items()}
        if self.value.output is not None:
            found |= {f"output.{name}": each.bits for name, each in _constants(self.value.output).items()}
            found["output.logits"] = self.value.logits.bits
        return found

    def predict(self, x: Given) -> Any:
        """Outputs of every step, float64, in the form of x: integers times their resolution.

        Every sequence begins with the initial states of the network, which are zeros unless it was given others.

        With `last` those of the last step alone: (outputs,) for each sequence.

        Args:
            x: (time, inputs), (sequences, time, inputs), or a list of (time, inputs); rounded to the input format.

        Raises:
            UserError: another form, or numbers that are not finite.
        """
        given = Sequences.of(x, self.inputs)
        return given.like([each * self.value.logits.resolution for each in self._run(given)[0]], self.last)

    def compare(self, model: Model, x: Given) -> Comparison:
        """How far the outputs for x are from those of a float network.

        Raises:
            UserError: what `predict` refuses, or a network of other sizes.
        """
        self._check_sizes(model)
        given = Sequences.of(x, self.inputs)
        integers, saturated = self._run(given)
        behind = [each[-1:] for each in integers] if self.last else integers
        ours = np.concatenate(behind) * self.value.logits.resolution
        theirs = np.concatenate([np.atleast_2d(each).astype(np.float64) for each in model.predict(list(given.each))])
        difference = np.abs(ours - theirs)
        return Comparison(float(difference.mean()), float(difference.max()), float(theirs.std()), saturated)

    def profile(self, model: Model, x: Given) -> Profile:
        """Every named value in floats and in integers: ranges, formats, saturation and errors, by layer and gate.

        Raises:
            UserError: what `compare` refuses.
        """
        from ernn.quantization.profile import profile

        self._check_sizes(model)
        return Profile(profile(self.value, model.network, Sequences.of(x, self.inputs).each))

    def stream(self) -> IntegerStream:
        """The network step by step: call it with a vector of `inputs` elements; `reset()` begins a sequence."""
        return IntegerStream(self.value)

    def save(self, path: str | Path) -> None:
        """Write a file (docs/program.md), whole or not at all; `ernn.load` reads it."""
        from ernn.program import files

        files.save(self.value, Path(path))

    def __repr__(self) -> str:
        program = self.value
        title = f"Program {program.name}: {self.inputs} inputs of {program.input}, {self.outputs} outputs of "
        rows = [
            (name, f"{each.gates} x {each.rows} x {each.cols}", _structure(each), f"{each.stored_words:,}")
            for name, each in program.matrices.items()
        ]
        text = table(("matrix", "gates x rows x columns", "structure", "stored words"), rows)
        last = " of the last step" * self.last
        last += ", given initial states" * any(each.initial is not None for each in program.layers)
        return f"{title}{program.logits}{last}; {program.weight_bits:,} bits of weights\n{text}"

    def _check_sizes(self, model: Model) -> None:
        ours, theirs = (f"{each.inputs} inputs and {_outputs(each)}" for each in (self, model))
        if ours != theirs:
            raise UserError(
                f"model has {theirs}, the program {ours}; compare it with the network that it was quantized from"
            )

    def _run(self, given: Sequences) -> tuple[list[np.ndarray], tuple[tuple[str, float], ...]]:
        """Integers of the output format of every sequence, and what was saturated."""
        from ernn.golden.model import Golden

        golden = Golden(self.value)
        lengths = np.array([len(each) for each in given.each])
        x = np.zeros((int(lengths.max()), len(lengths), self.inputs), np.int64)
        for column, each in enumerate(given.each):
            x[: len(each), column] = golden.quantize(each)
        logits, _ = golden.run(x, lengths=lengths)
        saturated = tuple((each.name, each.share) for each in golden.overflows())
        return [logits[:length, column] for column, length in enumerate(lengths)], saturated


class IntegerStream:
    """One sequence through an integer network, step by step; bit for bit what `Program.predict` gives.

    With `last` each step gives what a sequence that ends there would.
    """

    def __init__(self, program: network.Program) -> None:
        from ernn.golden.model import Golden

        self._golden, self._resolution = Golden(program), program.logits.resolution
        self.reset()

    def reset(self) -> None:
        """Begin a sequence, with the network's initial states."""
        self.state: list[State] = self._golden.initial(1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs of the next step; `state` holds what goes on to the next one.

        Raises:
            UserError: a vector of another size, or numbers that are not finite.
        """
        integers = self._golden.quantize(np.asarray(x, np.float32)[None])
        logits, self.state = self._golden.run(integers[:, None], self.state)
        return np.asarray(logits[0, 0] * self._resolution)


def quantize(
    model: Model,
    calibration: Given,
    bits: int | Mapping[str, int] = 12,
    *,
    transform: Literal["exact", "fourier"] = "exact",
    name: str = "network",
) -> Program:
    """The integer program of a float network; binary points follow from what its tensors hold over some data.

    Args:
        model: trained, and compressed or not.
        calibration: data as those that will come, in a form that `Model.predict` takes; 64 sequences will do.
        bits: of all tensors, 4 to 18; or of groups (`weights`, `activations`, `accumulators`, `cell`) and of tensors by
            their names in `Program.widths` (`layers.0.weight_hh`), where what is not named has 12.
        transform: of block-circulant matrices: exact integers, or Fourier with rounding and fewer products.
        name: of the program, letters, digits, `_` and `-`.

    Raises:
        UserError: data or widths that do not fit, values too large for integers, or a tensor that the network has not.
    """
    from pydantic import ValidationError

    from ernn.errors import complaints
    from ernn.params import Bits, ProgramSpec, Quantization, limits, names
    from ernn.quantization import post_training

    groups = [*Bits.model_fields]
    low, high = limits.BITS
    if not isinstance(bits, Mapping) and (not isinstance(bits, int) or not low <= bits <= high):
        raise UserError(f"bits: a whole number of {low} to {high}, or a mapping of names to such, got {bits!r}")
    given = dict(bits) if isinstance(bits, Mapping) else dict.fromkeys(groups, bits)
    try:
        widths = Bits.model_validate({group: given.pop(group) for group in groups if group in given})
        spec = ProgramSpec(design=names.check(name), transform=transform, bits=widths, widths=given)
    except ValidationError as error:
        raise UserError(complaints(error)) from None
    except ValueError as error:
        raise UserError(f"name: {error}") from None
    sequences = Sequences.of(calibration, model.inputs, "calibration")
    return Program(post_training.quantize(name, model.network, sequences.each, spec, Quantization()))


def _outputs(network: Model | Program) -> str:
    return f"{network.outputs} outputs{' of the last step' * network.last}"


def _constants(layer: Any) -> dict[str, Any]:
    """Formats of the numbers that a layer holds, by their names."""
    from ernn.program.matrices import Circulant, Numbers, Pruned, Sparse

    held = {each.name: getattr(layer, each.name) for each in fields(layer)}
    held = {name: each.words if isinstance(each, Circulant | Sparse) else each for name, each in held.items()}
    held = {name: each.values if isinstance(each, Pruned) else each for name, each in held.items()}
    return {name: each.format for name, each in held.items() if isinstance(each, Numbers)}


def _share(value: float) -> str:
    return "below 0.01%" if 0 < value < 1e-4 else f"{value:.2%}"


def _structure(matrix: Any) -> str:
    """In the words of `Model`."""
    if matrix.kind == "sparse":
        blocks = matrix.gates * -(-matrix.rows // matrix.block_size) * -(-matrix.cols // matrix.block_size)
        return f"sparse, k = {matrix.block_size}, {100 * len(matrix.columns) / blocks:.3g} % of the blocks"
    if matrix.kind == "circulant":
        return "dense" if matrix.block_size == 1 else f"circulant, k = {matrix.block_size}"
    return str(matrix.kind)
