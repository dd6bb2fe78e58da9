"""The exception for a user's mistake, and pydantic's complaints in one line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


class UserError(ValueError):
    """A rule that the user's input breaks: one line with the rule, the value got and what to change.

    Stages print it without a traceback and leave with exit code 2.
    """


def complaints(error: "ValidationError") -> str:
    """What pydantic refuses, key by key, with the value got."""
    return "; ".join(_complaint(each) for each in error.errors())


def _complaint(error: "ErrorDetails") -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        message = "no such key; remove it or correct its spelling"
    elif error["type"] not in ("value_error", "missing"):
        message = f"{message}, got {error['input']!r}"
    return f"{key}: {message}" if key else message
