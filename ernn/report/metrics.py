"""The metric registry: what every number in `metrics/` means, its unit, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher", "neither"]


@dataclass(frozen=True)
class Metric:
    """Meaning, unit and better direction of one number; `digits` after the point when printed."""

    text: str
    unit: str = ""
    direction: Direction = "neither"
    digits: int = 0


def _per(text: str) -> Metric:
    return Metric(text, "%", "lower", 2)


def _used(name: str, text: str) -> dict[str, Metric]:
    return {
        name: Metric(f"{text} that the accelerator takes", "", "lower"),
        f"{name}_estimate": Metric(f"{text} by the cost model, before synthesis", "", "lower", 1),
        f"{name}_percent": Metric(f"share of the device's {text}", "%", "lower", 1),
        f"{name}_yosys": Metric(f"{text} that Yosys counts, with the family's own modules", "", "lower"),
        f"{name}_plain": Metric(f"{text} that Yosys counts in the Verilog as generated", "", "lower"),
    }


def _energy(how: str, suffix: str) -> dict[str, Metric]:
    return {
        f"energy_uj_per_frame{suffix}": Metric(f"energy of a frame, {how}", "uJ", "lower", 2),
        f"frames_per_s_per_w{suffix}": Metric(f"frames a second for each watt, {how}", "frames/s/W", "higher"),
    }


METRICS: dict[str, Metric] = {
    "per": _per("phone error rate on the test set, 39 phones, silence counted as a phone"),
    "per_low": _per("lower end of the 95 % bootstrap interval of `per`"),
    "per_high": _per("upper end of the 95 % bootstrap interval of `per`"),
    "per_without_silences": _per("phone error rate on the test set, silences removed from both sides"),
    "substitutions": _per("substituted phones per reference phone"),
    "deletions": _per("deleted phones per reference phone"),
    "insertions": _per("inserted phones per reference phone"),
    "greedy_deletions": _per("deleted phones per reference phone where CTC's best class of each frame counts alone"),
    "constant_per": _per("phone error rate of the best output that is one phone, the same for every utterance"),
    "test_loss": Metric("mean training criterion on the test set", "nats", "lower", 4),
    "degradation": Metric("`per` minus that of the dense network it came from", "points", "lower", 2),
    "degradation_low": Metric("lower end of the paired 95 % interval of `degradation`", "points", "lower", 2),
    "degradation_high": Metric("upper end of the paired 95 % interval of `degradation`", "points", "lower", 2),
    "stored_weights": Metric(
        "words of the whole network as stored: matrices, peepholes, biases, output layer", "words", "lower"
    ),
    "compression": Metric("stored weights of the dense network over those of this one", "x", "higher", 2),
    "per_integer": _per("phone error rate of the integer network on the test set, silence counted as a phone"),
    "per_integer_low": _per("lower end of the 95 % bootstrap interval of `per_integer`"),
    "per_integer_high": _per("upper end of the 95 % bootstrap interval of `per_integer`"),
    "deletions_integer": _per("deleted phones per reference phone of the integer network"),
    "per_integer_without_silences": _per("phone error rate of the integer network, silences removed from both sides"),
    "integer_loss": Metric("`per_integer` minus the PER of the float network of its design", "points", "lower", 2),
    "integer_loss_low": Metric("lower end of the paired 95 % interval of `integer_loss`", "points", "lower", 2),
    "integer_loss_high": Metric("upper end of the paired 95 % interval of `integer_loss`", "points", "lower", 2),
    "weight_bits": Metric("bits of all stored words of the matrices", "bits", "lower"),
    "sigmoid_error": Metric("greatest error of the table of sigma", "", "lower", 5),
    "tanh_error": Metric("greatest error of the table of tanh", "", "lower", 5),
    "overflow_share": Metric(
        "saturated share of the tensor that saturates most; what only goes into flat functions is not counted",
        "",
        "lower",
        5,
    ),
    "cell_saturated_share": Metric("share of LSTM cell states held where tanh is flat", "", digits=5),
    "finetuned": Metric("1 where the network was trained with its rounding"),
    "multipliers": Metric("products of two values that the accelerator makes in a cycle", "", "lower"),
    "multiplications_per_frame": Metric("products of two values in a frame, those of the transforms too", "", "lower"),
    "weight_memory_bits": Metric(
        "bits of the memories of weights, with indices and what fills them up", "bits", "lower"
    ),
    "cycles_per_frame": Metric("simulated cycles between frames that follow each other", "cycles", "lower", 1),
    "latency_cycles": Metric("simulated cycles of a frame alone, first feature to last logit", "cycles", "lower"),
    "multiplier_utilization": Metric("share of the arrays' multiplier-cycles that are needed", "", "higher", 3),
    "simulated_frames": Metric("simulated frames of the test set, equal to the integer model", "frames", "higher"),
    "register_toggles_per_frame": Metric("simulated bits of registers that change in a frame", "", "lower"),
    "toggle_frames": Metric("simulated frames in which toggles of registers were counted", "frames"),
    "clock_mhz": Metric(
        "clock of the accelerator on its device: routed, estimated from levels of logic, or assumed", "MHz", "higher", 1
    ),
    "latency_us": Metric("time of a frame alone at that clock, first feature to last logit", "us", "lower", 2),
    "initiation_interval_us": Metric("time between frames that follow each other at that clock", "us", "lower", 2),
    "frames_per_s": Metric("frames a second at that clock, all streams together", "frames/s", "higher"),
    "real_time_factor": Metric("frames a second over those that one speaker gives", "x", "higher"),
    **_used("lut", "look-up tables"),
    **_used("ff", "flip-flops"),
    **_used("dsp", "multiplier blocks"),
    **_used("bram", "block RAMs"),
    **_energy("measured or by a vendor's tools", ""),
    **_energy("uncalibrated estimate: compare our own accelerators by it alone", "_estimate"),
    "train_hours": Metric("speech to train on", "h", digits=2),
    "dev_hours": Metric("speech to choose the learning rate by", "h", digits=2),
    "test_hours": Metric("speech to score", "h", digits=2),
    "train_utterances": Metric("utterances to train on"),
    "dev_utterances": Metric("utterances of the dev split"),
    "test_utterances": Metric("utterances to score"),
}


def check(metrics: Mapping[str, float] | None) -> None:
    """Refuse metrics whose meaning is not declared here.

    Raises:
        ValueError: a name that the registry lacks, or no metrics at all.
    """
    if not metrics:
        raise ValueError("the stage promised metrics and returned none")
    unknown = sorted(set(metrics) - set(METRICS))
    if unknown:
        raise ValueError(f"metrics {', '.join(unknown)} have no unit and direction in ernn/report/metrics.py; add them")


def show(name: str, value: float | None) -> str:
    """`value` with the digits and the unit of metric `name`; a dash where there is none.

    >>> show("per", 18.4), show("per", None)
    ('18.40 %', '–')
    """
    if value is None:
        return "–"
    metric = METRICS[name]
    return f"{value:,.{metric.digits}f} {metric.unit}".rstrip()
