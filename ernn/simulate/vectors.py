"""Vectors of utterances, as the test benches of the RTL and of the HLS project read them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ernn.artifacts import Texts
from ernn.golden.model import Golden
from ernn.program.network import Program


@dataclass(frozen=True)
class Vectors:
    """Frames in the order in which they go in."""

    x: Int[np.ndarray, "frames inputs"]
    logits: Int[np.ndarray, "frames classes"]
    first: Bool[np.ndarray, " frames"]
    stream: Int[np.ndarray, " frames"]

    def files(self, writes: Sequence[tuple[int, int]] = ()) -> Texts:
        """Texts of the files by name."""
        frames = zip(self.first.tolist(), self.stream.tolist(), strict=True)
        return Texts(
            {
                "frames.txt": "".join(f"{int(first)} {stream}\n" for first, stream in frames),
                "x.hex": _hexadecimal(self.x),
                "want.hex": _hexadecimal(self.logits),
                "writes.txt": "".join(f"{number:x} {value:x}\n" for number, value in writes),
            }
        )


def rtl_vectors(program: Program, utterances: Sequence[Int[np.ndarray, "frames inputs"]], streams: int) -> Vectors:
    """Frames of utterances and their logits; with several streams, utterances side by side take turns.

    Args:
        utterances: features as integers of the input format.
    """
    golden = Golden(program)
    rows: list[tuple[np.ndarray, np.ndarray, bool, int]] = []
    waiting = list(utterances)
    current: dict[int, tuple[np.ndarray, np.ndarray, int]] = {}
    while waiting or current:
        for stream in range(streams):
            if stream not in current and waiting:
                x = waiting.pop(0)
                current[stream] = x, golden.run(x[:, None])[0][:, 0], 0
            if stream in current:
                x, logits, frame = current.pop(stream)
                rows.append((x[frame], logits[frame], frame == 0, stream))
                if frame + 1 < len(x):
                    current[stream] = x, logits, frame + 1
    x_rows, logit_rows, first, stream_rows = zip(*rows, strict=True)
    return Vectors(np.stack(x_rows), np.stack(logit_rows), np.array(first), np.array(stream_rows))


def hls_vectors(
    features: Sequence[Int[np.ndarray, "frames inputs"]],
    logits: Sequence[Int[np.ndarray, "frames classes"]],
    streams: int = 1,
) -> Texts:
    """What the test bench reads: integers of utterances, and the logits that are expected.

    Utterances are dealt to the streams, whose frames take turns.

    Raises:
        ValueError: utterances without logits, or of another number of frames.
    """
    if [len(utterance) for utterance in features] != [len(utterance) for utterance in logits]:
        raise ValueError("every utterance has logits for each of its frames")
    queues = [
        [(number, t) for number in range(stream, len(features), streams) for t in range(len(features[number]))]
        for stream in range(streams)
    ]
    order = [
        (*queue[turn], stream)
        for turn in range(max(map(len, queues)))
        for stream, queue in enumerate(queues)
        if turn < len(queue)
    ]
    lines = [[int(t == 0) + 2 * stream, *features[number][t].tolist()] for number, t, stream in order]
    expected = [logits[number][t].tolist() for number, t, _ in order]
    return Texts({"tb/features.txt": _lines(lines), "tb/logits.txt": _lines(expected)})


def _hexadecimal(integers: np.ndarray) -> str:
    return "".join(f"{integer & 0xFFFFFFFF:x}\n" for integer in integers.reshape(-1).tolist())


def _lines(rows: Sequence[Sequence[int]]) -> str:
    return "".join(f"{' '.join(map(str, row))}\n" for row in rows)
