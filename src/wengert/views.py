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
from .tensor import AccumulateGrad, Special, Tensor, counter, history, new

Step = Callable[..., Any]
Steps = tuple[tuple[Step, dict[str, Any], int | None], ...]


class View(Special):
    """How a tensor is a view: of what, made how, and at which version of the base.

    `step` made it, with `params`, of the view `before` or, if that is None, of the base;
    `index` says which of the step's results it is, if there are several.

    `origin` says under which circumstances it was made, which limits writing into it:
    "recorded", "no_grad", "several" (one of many outputs of one op), "function".
    """

    __slots__ = ("base", "before", "index", "origin", "params", "step", "version")

    base: Tensor
    before: View | None
    step: Step
    params: dict[str, Any]
    index: int | None
    origin: str
    version: int

    def steps(self) -> Steps:
        """Return what made this view of its base, without the base."""
        earlier = self.before.steps() if self.before is not None else ()
        return (*earlier, (self.step, self.params, self.index))

    def is_current(self, tensor: Tensor) -> bool:
        """Whether the view's node is as if it had just been made of a plain base."""
        base = self.base
        return (
            self.level == 0
            and base._special is None
            and self.version == base._counter[0]  # type: ignore[index]
            and (tensor._node is not None or base._node is None)
        )

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
            before = tensor._node
            tensor._node = replay(self.steps(), self.base)._node
        finally:
            modes.switch("grad", previous)
        if before is not None:
            from .hooks import carry_retained

            carry_retained(tensor, before)


def replay(steps: Steps, base: Tensor) -> Tensor:
    """Do again to a base what made a view."""
    for step, params, index in steps:
        made = step(base, **params)
        base = made if index is None else made[index]
    return base


def attach(
    view: Tensor,
    source: Tensor,
    step: Step,
    origin: str,
    params: dict[str, Any] | None = None,
    index: int | None = None,
) -> None:
    """Make `view`, whose array shares the memory of `source`, a view of its base."""
    special = source._special
    made = new(View)
    if type(special) is View:
        made.base, made.before = special.base, special
        if special.origin != "recorded":
            origin = special.origin
    else:
        made.base, made.before = source, None
    made.step = step
    made.params = params or {}
    made.index = index
    made.origin = origin
    made.level = special.level if special is not None else 0
    view._counter = counter(made.base)
    made.version = view._counter[0]
    view._special = made


def base_of(tensor: Tensor) -> Tensor | None:
    """Return the tensor whose memory a view shows, or None."""
    special = tensor._special
    return special.base if isinstance(special, View) else None
