"""When tensors were made: before a transformation began, or inside of it.

Note [Births]
    A tensor that a transformed function makes may take its values; one from outside
    must not, as it would be left with values that mean nothing there. So while
    transformations run, tensors are stamped with the number of the one that began
    last. Where none runs nothing is stamped, and nothing paid for it: every module that
    makes tensors calls a `new` of its own, which is another one in the meantime.
"""

from __future__ import annotations

import threading
from itertools import count
from typing import Any

from ..ops import constructors, conversion
from ..quick import calls, elementwise, products, reductions, views
from ..tensor import Tensor, new as create, plain

MAKERS = (
    *(plain.__globals__, vars(constructors), vars(conversion), vars(calls)),
    *(vars(elementwise), vars(products), vars(reductions), vars(views)),
)
"""The names of the modules that make tensors."""

numbers = count(1)
lock = threading.Lock()
running = 0
"""How many transformations are running, in all threads."""
latest = 0
"""The number of the transformation that began last."""


def begin() -> int:
    """Return the number of a new transformation, and stamp what is made from now on."""
    global running, latest
    with lock:
        latest = next(numbers)
        if not running:
            make_by(stamped)
        running += 1
    return latest


def end() -> None:
    """Stamp nothing any more if this was the last transformation that was running."""
    global running
    with lock:
        running -= 1
        if not running:
            make_by(create)


def make_by(new: Any) -> None:
    for names in MAKERS:
        names["new"] = new


def stamped(kind: type[Any]) -> Any:
    """Return a new object; a tensor knows when it was made."""
    made = create(kind)
    if kind is Tensor or issubclass(kind, Tensor):
        made._birth = latest
    return made
