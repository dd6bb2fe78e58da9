"""Cycles of an accelerator as a search estimates them: sums and largest ones over its modules, in no time.

A chain's interval is that of its slowest module, and its latency is the sum of theirs. `ernn.explore.counted` has the
exact cycles of what a search finds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ernn.hw.verilog.frames import Beats
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.network import NetworkHardware


@dataclass(frozen=True)
class Pace:
    """Cycles of a frame.

    Args:
        interval: between frames that follow each other, at least.
        latency: of a frame alone, from its first feature to its last logit; an estimate.
    """

    interval: float
    latency: int


def of_link(link: LayerHardware) -> Pace:
    """A module of the chain, its projection included.

    An array has a step a cycle, and its heads are taken for some cycles by each group that is finished. A frame alone
    waits for all steps, and for all pipelines behind them.
    """
    modules = link.with_projection
    steps = [sum(thread.length for thread in each.array.layout.threads) for each in modules]
    interval = max(max(count, _heads(each)) for count, each in zip(steps, modules, strict=True))
    return Pace(interval, sum(steps) + sum(each.flush_cycles for each in modules))


def of_streams(input: Beats, output: Beats) -> Pace:
    """Features that come in and logits that go out, a beat a cycle."""
    return Pace(max(input.words.words, output.words.words), input.words.words + output.words.words)


def joined(paces: Iterable[Pace]) -> Pace:
    """Of modules in a chain."""
    given = list(paces)
    return Pace(max(each.interval for each in given), sum(each.latency for each in given))


def of_network(network: NetworkHardware) -> Pace:
    """A whole accelerator: what a candidate is judged by in the end."""
    links = map(of_link, network.chain)
    return joined([of_streams(network.input, network.output), *links])


def _heads(layer: LayerHardware) -> int:
    """Cycles for which the heads of an array are taken in a frame."""
    layout, holds = layer.array.layout, {drain.name: drain.hold for drain in layer.array.drains}
    groups = {thread: thread.groups - thread.drains_from for thread in layout.threads if thread.drains}
    return sum(layout.array.chain * holds[thread.drains] * count for thread, count in groups.items())
