"""Grad mode and the other modes that change what recording does, one set per thread.

Note [One look at the modes]
    A recorded op must know whether any mode is on. Reading a ``threading.local`` for
    each of them would cost more than recording does, so `special` counts, over all
    threads, the modes that are not at their default: while it is zero, and it nearly
    always is, one look at a module's global says that this op is recorded in the
    ordinary way. When it is not zero, the slower path reads `local`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class _Local(threading.local):
    """The modes of one thread; the class attributes are the defaults."""

    grad = True
    inference = False
    forward = True
    """Whether the tangents of forward mode go on through ops."""
    anomaly = False
    check_nan = True
    multithreading = True
    saved_hooks: tuple[Any, ...] = ()
    overriding = True
    """Whether ops on instances of subclasses of Tensor are handed to those."""
    function_modes: tuple[Any, ...] = ()
    """The modes that see calls, see `interception`: the innermost last."""
    compute: Callable[..., Any] | None = None
    """What is called in place of `dispatch.computed`."""
    made: Callable[[Any, Any], None] | None = None
    """What is told of the tensors that a primitive's results have become."""
    partial = False
    """Whether the backward that is running is for chosen inputs only."""
    before_write: Callable[[Any], None] | None = None
    """What wants to know of each tensor that is about to be written to."""
    pure = 0
    """The innermost transformation that refuses writes into what is from outside."""
    levels: tuple[tuple[int, bool], ...] = ()
    """The active transformations, and the grad mode that was on where each began."""


local = _Local()
special = 0
_lock = threading.Lock()


def switch(name: str, value: Any) -> Any:
    """Set a mode of this thread, keep count, and return its previous value."""
    global special
    previous = getattr(local, name)
    default = getattr(_Local, name)
    setattr(local, name, value)
    with _lock:
        special += (value != default) - (previous != default)
    return previous


def unrecorded(call: Callable[..., Any], *args: Any) -> Any:
    """Call a function of the user's with recording off."""
    previous = switch("grad", False)
    try:
        return call(*args)
    finally:
        switch("grad", previous)


def is_grad_enabled() -> bool:
    """True when ops on tensors that require grad are recorded in this thread."""
    return not special or local.grad


def is_inference_mode_enabled() -> bool:
    """True inside `inference_mode` in this thread."""
    return bool(special) and local.inference


def is_forward_enabled() -> bool:
    """True when what is computed from tensors with tangents has tangents."""
    return not special or local.forward


def circumstance() -> str:
    """Return how views are made at present, see `views.View`."""
    if not special:
        return "recorded"
    if local.inference:
        return "inference"
    return "recorded" if local.grad else "no_grad"


def is_grad_enabled_at(level: int) -> bool:
    """True when ops on tensors of a transformation's level are recorded.

    Inside a transformation the grad mode that is set concerns its own tensors; those of
    lower levels go on under the mode that was on where it began.
    """
    if not special:
        return True
    for number, outside in local.levels:
        if number > level:
            return outside
    return local.grad and (level > 0 or not local.inference)
