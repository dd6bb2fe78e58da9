"""The exception for a user's mistake, and pydantic's complaints in one line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

NO_SUCH_KEY = "no such key; remove it or correct its spelling"


class UserError(ValueError):
    """A rule that the user's input breaks: one line with the rule, the value got and what to change.

    Stages print it without a traceback and leave with exit code 2.
    """


class Unmet(UserError):
    """A requirement that nothing meets: an answer and no mistake, so that commands leave with exit code 1."""


def complaints(error: "ValidationError") -> str:
    """What pydantic refuses, key by key, with the value got."""
    return "; ".join(_complaint(each) for each in error.errors())


def _complaint(error: "ErrorDetails") -> str:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        message = NO_SUCH_KEY
    elif error["type"] in ("model_type", "dict_type"):
        message = f"must be a mapping, `{{}}` for an empty one, got {error['input']!r}"
    elif error["type"] not in ("value_error", "missing"):
        message = f"{message}, got {error['input']!r}"
    key = _place(error["loc"])
    return f"{key}: {message}" if key else message


def _place(parts: tuple[int | str, ...]) -> str:
    """A key with dots, without the names of alternatives, which are in brackets; a refused key is in the message."""
    if parts[-1:] == ("[key]",):
        parts = parts[:-2]
    return ".".join(str(part) for part in parts if not str(part).startswith("("))
