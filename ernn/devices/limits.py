"""Limits that parameters, programs and estimates share; each is said once, here."""

from ernn.errors import UserError

BLOCK_SIZES = (1, 2, 4, 8, 16, 32, 64)  # of an integer network's matrices
BITS = (4, 18)  # narrowest and widest tensors of an integer network
CLOCK_MHZ = (10, 1000)  # that pipelines are scheduled for
STREAMS = (1, 64)  # of an accelerator


def check(name: str, value: float, limits: tuple[int, int]) -> None:
    """Refuse a number outside its limits.

    Raises:
        UserError: with the name and the limits.
    """
    low, high = limits
    if not low <= value <= high:
        raise UserError(f"{name}={value} must lie in {low}..{high}")


def check_block_size(place: str, size: int) -> None:
    """Refuse a block size that no transform of an integer network takes.

    Args:
        place: of the matrix, for the message.

    Raises:
        UserError: a block size that is not a power of two, or too large.
    """
    if size not in BLOCK_SIZES:
        raise UserError(
            f"{place}: integer networks need block sizes of {', '.join(map(str, BLOCK_SIZES))}, got {size}; "
            "change block_size, and train again what has it"
        )


def check_pruning_elements(elements: int, rows: int) -> None:
    """Refuse more processing elements than a pruned matrix has rows.

    Raises:
        UserError: fewer rows than elements.
    """
    if rows < elements:
        raise UserError(f"compression.pruning_elements={elements} must not exceed the {rows} rows of a matrix")
