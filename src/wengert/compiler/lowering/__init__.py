"""What a primitive becomes in the graph.

In this order: its rule, if there is one; what its forward does to `Symbol`s; its
decomposition. What none of them can express runs as the eager primitive at its place in
every replay: an opaque ``call``.
"""

from __future__ import annotations

from typing import Any

from ..symbol import Symbol, Untraceable
from . import elementwise, losses, picking, products, reductions, shapes
from .rules import RULES

FAMILIES = (elementwise, losses, picking, products, reductions, shapes)
"""The modules that enter rules."""


def lowered(primitive: Any, args: list[Any], params: dict[str, Any]) -> Any:
    """Return the results as symbols, or raise `Untraceable`.

    Args:
        args: symbols, Python numbers, None.
    """
    function = RULES.get(primitive.name, primitive.forward)
    try:
        results = function(*args, **params)
    except Untraceable:
        raise
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        # A forward that does what symbols cannot: the eager one runs in its place, and
        # if the fault is the user's, says so with the right words.
        raise Untraceable(f"{type(error).__name__}: {error}") from error
    for result in results if isinstance(results, tuple | list) else (results,):
        if not isinstance(result, Symbol):
            raise Untraceable("a result that is no array")
    return results
