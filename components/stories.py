"""A paragraph on each run of MLflow, and on the experiment: what it is, what it loses, what it takes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ernn.params.methods import METHODS

if TYPE_CHECKING:
    from ernn.report.results import AcceleratorResult, IntegerResult, Result, Results

EXPERIMENT = """\
**ernn**: recurrent networks compressed to block-circulant matrices, quantized, and turned into FPGA accelerators.

The tag `kind` says what a run is: network (dense, or a design), integer (its integer network), accelerator, or report.
Runs of one corpus and training share the tag `sweep`. Compare designs by `per_percent`, the phone error rate on the
test split.{speech} `make ui` names a file of links that compare block sizes and accelerators.
"""
SYNTHETIC = " The speech is synthetic: compare error rates with each other, not with published ones."


def of_network(result: "Result") -> str:
    """Of a dense network or a design."""
    rate = f"PER {_metric(result.metrics, 'per')} on the test split{_interval(result.metrics, 'per')}"
    words = _metric(result.metrics, "stored_weights")
    if result.dense:
        return f"**{result.name}**: the dense network that its designs begin with. {rate}; {words} stored."
    method = METHODS[result.method]
    blocks = f" into circulant blocks of {result.block_size}" if method.blocks else ""
    lost = f"{_metric(result.metrics, 'degradation')} more than the dense network"
    return (
        f"**{result.name}**: the network {result.network} compressed{blocks} by {method.title}. {rate}, {lost}"
        f"{_interval(result.metrics, 'degradation')}. {words} stored, {result.compression:.1f} times fewer."
    )


def of_integer(result: "IntegerResult") -> str:
    """Of an integer network."""
    return (
        f"**{result.name}**: the design {result.spec.design} as integers of {result.widths} bits, "
        f"{result.spec.transform} transforms. PER {_metric(result.metrics, 'per_integer')} on the test split, "
        f"{_metric(result.metrics, 'integer_loss')} more than in floating point"
        f"{_interval(result.metrics, 'integer_loss')}. The accelerators compute exactly this network."
    )


def of_accelerator(result: "AcceleratorResult") -> str:
    """Of an accelerator on its first device."""
    row = result.table[0]
    clock = {"assumed": "assumed", "levels": "estimated from levels of logic", "place_and_route": "routed"}
    fits = "" if row.fits else f" It does not fit: {', '.join(row.binds)}."
    return (
        f"**{result.name}**: the accelerator of the integer network {result.integer.name} on {row.device}. "
        f"{row.cycles_per_frame:.1f} cycles a frame (simulated, equal to the integer model bit for bit), "
        f"a frame alone in {row.speed.latency_us:.2f} us at {row.speed.clock_mhz:.0f} MHz ({clock[row.clock_kind]}). "
        f"{row.used.lut:,.0f} LUT, {row.used.dsp:,.0f} DSP.{fits}"
    )


def of_everything(results: "Results") -> str:
    """Of the experiment."""
    return EXPERIMENT.format(speech=SYNTHETIC if results.settings.corpus.kind == "synthetic" else "")


def _metric(metrics: Mapping[str, float], name: str) -> str:
    from ernn.report.metrics import show

    return show(name, metrics.get(name))


def _interval(metrics: Mapping[str, float], name: str) -> str:
    """The 95 % interval of a metric, where there is one."""
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return "" if low is None or high is None else f" (95 % interval {low:.2f} to {high:.2f})"
