"""Views: tensors that share memory, their versions, and the history they follow.

A view keeps its *base* (never itself a view) and how it came from it. Writing into either
changes the memory of both, so both share one version counter; and writing in a way that is
recorded gives the base a new history (see `inplace`). A view whose base has been written to
since the view's node was made is stale: its node is made again from the base when next
asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import modes
from .engine import Node
from .tensor import AccumulateGrad, Special, Tensor, counter, history

Replay = Callable[[Tensor], Tensor]


class View(Special):
    """How a tensor is a view: of what, made how, and at which version of the base.

    `origin` says under which circumstances it was made, which limits writing into it:
    "recorded", "no_grad", "several" (one of many outputs of one op), "function".
    """

    __slots__ = ("base", "origin", "replay", "version")

    def __init__(
        self, base: Tensor, replay: Replay, origin: str, version: int, level: int
    ) -> None:
        self.level = level
        self.base = base
        self.replay = replay
        self.origin = origin
        self.version = version

    def history(self, tensor: Tensor) -> Node | None:
        """Return the view's node, made again if the base has been written to."""
        base = self.base
        version = base._version
        stale = version != self.version
        if stale or (tensor._node is None and base._node is not None):
            if history(base) is None:
                if stale and not isinstance(tensor._node, AccumulateGrad):
                    tensor._node = None
            elif stale or self.origin != "detached":
                self.renew(tensor)
            self.version = version
        return tensor._node

    def renew(self, tensor: Tensor) -> None:
        """Make the view's node again from the base as it is now."""
        previous = modes.switch("grad", True)
        try:
            tensor._node = self.replay(self.base)._node
        finally:
            modes.switch("grad", previous)


def attach(view: Tensor, source: Tensor, step: Replay, origin: str) -> None:
    """Make `view`, whose array shares the memory of `source`, a view of its base."""
    special = source._special
    if isinstance(special, View):
        base, before = special.base, special.replay
        if special.origin != "recorded":
            origin = special.origin

        def replay(tensor: Tensor) -> Tensor:
            return step(before(tensor))
    else:
        base, replay = source, step
    view._counter = counter(base)
    level = special.level if special is not None else 0
    view._special = View(base, replay, origin, view._counter[0], level)


def base_of(tensor: Tensor) -> Tensor | None:
    """Return the tensor whose memory a view shows, or None."""
    special = tensor._special
    return special.base if isinstance(special, View) else None
