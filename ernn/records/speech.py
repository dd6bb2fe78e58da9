"""What models, programs and feature folders must agree on where they meet: the size of vectors, and the phones."""

from dataclasses import dataclass
from pathlib import Path

from ernn.errors import UserError


@dataclass(frozen=True)
class Speech:
    """What one of them says about its speech.

    Args:
        place: its file or folder, or what else messages call it.
        dimension: elements of a feature vector.
        phones: label of every class, in their order, without CTC's blank.
    """

    place: Path | str
    dimension: int
    phones: tuple[str, ...]


def check(one: Speech, other: Speech, cure: str) -> None:
    """Refuse two that are of different speech: vectors and classes would be taken for others than they are.

    Args:
        cure: what to change, for the message.

    Raises:
        UserError: with the first difference.
    """
    if one.dimension != other.dimension:
        raise UserError(
            f"{one.place} has vectors of {one.dimension} elements, {other.place} of {other.dimension}; {cure}"
        )
    if one.phones == other.phones:
        return
    if len(one.phones) != len(other.phones):
        raise UserError(f"{one.place} has {len(one.phones)} phones, {other.place} has {len(other.phones)}; {cure}")
    what = "the phones in another order" if sorted(one.phones) == sorted(other.phones) else "other phones"
    at, ours, theirs = next(
        (at, *pair) for at, pair in enumerate(zip(one.phones, other.phones, strict=True)) if pair[0] != pair[1]
    )
    raise UserError(f"{one.place} has {what} than {other.place}: class {at} is {ours!r}, there {theirs!r}; {cure}")
