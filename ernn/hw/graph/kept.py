"""Results that are kept: every accelerator of a search asks for the same ranges and kernels."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_MOST = 512  # results of a function; a kernel of large blocks takes some megabytes


def kept(key: Callable[P, Hashable]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the results of a function whose arguments cannot be compared.

    Results must not change afterwards.

    Args:
        key: takes the arguments, and is equal for those with equal results.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        found: OrderedDict[Hashable, R] = OrderedDict()

        @wraps(function)
        def keeping(*args: P.args, **kwargs: P.kwargs) -> R:
            name = key(*args, **kwargs)
            if name not in found:
                found[name] = function(*args, **kwargs)
                if len(found) > _MOST:
                    found.popitem(last=False)
            found.move_to_end(name)
            return found[name]

        return keeping

    return decorate
