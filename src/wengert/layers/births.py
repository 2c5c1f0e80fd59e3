"""When tensors were made: before a transformation began, or inside of it.

Note [Births]
    A tensor that a transformed function makes may take its values; one from outside
    must not, as it would be left with values that mean nothing there. So while
    transformations run, tensors are stamped with the number of the one that began
    last. Where none runs nothing is stamped, and nothing paid for it: every module that
    makes tensors calls a `new` of its own, which is another one in the meantime.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..ops import constructors, conversion
from ..quick import calls, elementwise, products, reductions, views
from ..tensor import Tensor, new as create

MAKERS = (
    *(sys.modules[Tensor.__module__], constructors, conversion),
    *(calls, elementwise, products, reductions, views),
)
"""The modules that make tensors."""

lock = threading.Lock()
running = 0
"""How many transformations are running, in all threads."""
latest = 0
"""The number of the transformation that began last."""


def begin(number: int) -> None:
    """Stamp what is made from now on with the number of a transformation."""
    global running, latest
    with lock:
        running += 1
        latest = max(latest, number)
        if running == 1:
            make_by(stamped)


def end() -> None:
    """Stamp nothing any more if this was the last transformation that was running."""
    global running
    with lock:
        running -= 1
        if not running:
            make_by(create)


def make_by(new: Any) -> None:
    for module in MAKERS:
        module.new = new  # type: ignore[attr-defined]


def stamped(kind: type[Any]) -> Any:
    """Return a new object; a tensor knows when it was made."""
    made = create(kind)
    if issubclass(kind, Tensor):
        made._birth = latest
    return made
