"""Views: tensors that share memory, their versions, and the history they follow.

A view keeps its *base* (never itself a view) and how it came from it. Writing into
either changes the memory of both, so both share one version counter; and writing in a
way that is recorded gives the base a new history (see `inplace`). A view whose base
has been written to since the view's node was made is stale: its node is made again
from the base when next asked for. A view that was made while recording was off has no
node until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from . import errors, modes
from .engine import Cotangents, Edges, Node, clock, source
from .tensor import INFERENCE, AccumulateGrad, Special, Tensor, counter, history, new

Step = Callable[..., Any]
Steps = tuple[tuple[Step, dict[str, Any]], ...]


class View(Special):
    """How a tensor is a view: of what, made how, and at which version of the base.

    `step` made it, with `params`, of the view `before` or, if that is None, of the
    base.

    `origin` says under which circumstances it was made: "recorded", or one of those of
    `errors.WRITTEN_VIEWS`, whose views cannot follow a base that is written to.
    """

    __slots__ = ("base", "before", "origin", "params", "step", "version")

    base: Tensor
    before: View | None
    step: Step
    params: dict[str, Any]
    origin: str
    version: int

    def steps(self) -> Steps:
        """Return what made this view of its base, without the base."""
        earlier = self.before.steps() if self.before is not None else ()
        return (*earlier, (self.step, self.params))

    def requires_grad(self, tensor: Tensor) -> bool:
        return tensor._node is not None or self.base.requires_grad

    def history(self, tensor: Tensor) -> Node | None:
        """Return the view's node, made again if the base has been written to."""
        version = self.base._counter[0]  # type: ignore[index]
        if version != self.version:
            node = tensor._node
            made_by_op = node is not None and not isinstance(node, AccumulateGrad)
            if made_by_op or self.base.requires_grad:
                if self.origin != "recorded":
                    raise errors.written_view(
                        self.origin, shown_node(node), indirect=True
                    )
                self.renew(tensor)
                self.version = version
        return tensor._node

    def renew(self, tensor: Tensor) -> None:
        """Make the view's node again from the base as it is now."""
        before = tensor._node
        if history(self.base) is None:
            tensor._node = Severed()
        else:
            previous = modes.switch("grad", True)
            try:
                made = self.made_again(tensor)._node
            finally:
                modes.switch("grad", previous)
            tensor._node = as_strided(made, self.base)
        if before is not None:
            from .hooks import carry_retained

            carry_retained(tensor, before)

    def made_again(self, tensor: Tensor) -> Tensor:
        """Return a view of the base as it is now that shows what `tensor` shows."""
        made = replay(self.steps_now(tensor), self.base)
        if tuple(made._data.shape) != tuple(tensor._data.shape):
            raise errors.lost_view()
        return made

    def steps_now(self, tensor: Tensor) -> Steps:
        """Return what makes this view, which is `tensor`, of its base as it is now."""
        data, whole = tensor._data, self.base._data
        if id(self.base) not in turned or not np.may_share_memory(data, whole):
            return self.steps()
        # above this module in the order of imports
        from .primitives.strided import address, as_strided

        params = {
            "size": data.shape,
            "stride": tuple([step // data.itemsize for step in data.strides]),
            "offset": (address(data) - address(whole)) // data.itemsize,
            "own": tuple([step // whole.itemsize for step in whole.strides]),
        }
        return ((as_strided, params),)


def birth(tensor: Tensor) -> int:
    """Return when a tensor's memory was made, see Note [Births].

    That is the number of the transformation that had begun last, or zero if none was
    running.
    """
    view = tensor._special
    owner = view.base if isinstance(view, View) else tensor
    return getattr(owner, "_birth", 0)


turned: WeakValueDictionary[int, Tensor] = WeakValueDictionary()
"""By their ids, tensors that have got another shape in place: views made before have
their places in memory, and no longer follow from the steps that they were made in."""


class AsStridedBackward0(Node):
    """The node of a view that was made again: the nodes of its steps, shown as one.

    PyTorch makes such a view by its sizes and strides, however it came about at first.
    """

    __slots__ = ("chain",)

    chain: list[Node]
    """From the view's to the one nearest to the base."""

    def __init__(self, chain: list[Node]) -> None:
        self.number = chain[0].number
        self.edges = chain[-1].edges
        self.fits = None
        self.chain = chain

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        for node in self.chain:
            (grad,) = node.apply(grad, node.edges)
        return (grad,)

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        for node in self.chain:
            (grad,) = node.apply_recorded(grad, node.edges)
        return (grad,)


def as_strided(node: Node | None, base: Tensor) -> Node | None:
    """Return one node for a chain of views that strides alone can express."""
    chain: list[Node] = []
    while node is not None and node is not base._node:
        if len(node.edges) != 1 or node.fits is not None or node.several:
            return chain[0] if chain else node
        chain.append(node)
        node = node.edges[0]
    return AsStridedBackward0(chain) if chain else node


class Severed(Node):
    """The node of what requires grad by name only: gradients end here.

    Such is a view whose base has no history any more, and what is computed from a view
    that was made while recording was off.
    """

    __slots__ = ("title",)

    def __init__(self, title: str = "Severed") -> None:
        self.number = next(clock)
        self.edges = (None,)
        self.fits = None
        self.title = title

    def name(self) -> str:
        return self.title

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return (None,)

    apply_recorded = apply


def shown_node(node: Node | None) -> tuple[Node, int] | None:
    """Return the op's node and the number of its output, as errors name them."""
    if node is None or isinstance(node, AccumulateGrad):
        return None
    return source(node)  # type: ignore[return-value]


def replay(steps: Steps, base: Tensor) -> Tensor:
    """Do again to a base what made a view."""
    for step, params in steps:
        base = step(base, **params)
    return base


def one_of(step: Step, position: int, base: Tensor, **params: Any) -> Tensor:
    """Make one of the views that a step makes."""
    found: Tensor = step(base, **params)[position]
    return found


def attach(
    view: Tensor,
    source: Tensor,
    step: Step,
    origin: str,
    params: dict[str, Any] | None = None,
) -> None:
    """Make `view`, whose array shares the memory of `source`, a view of its base.

    What was made in inference mode counts no versions and has no history to follow: its
    views are marked as it is.
    """
    special = source._special
    if special is INFERENCE:
        view._special = special
        return
    made = new(View)
    if type(special) is View:
        made.base, made.before = special.base, special
        if origin == "recorded":
            origin = special.origin
    else:
        made.base, made.before = source, None
    made.step = step
    made.params = params or {}
    made.origin = origin
    made.level = special.level if special is not None else 0
    view._counter = counter(made.base)
    made.version = view._counter[0]
    view._special = made


def base_of(tensor: Tensor) -> Tensor | None:
    """Return the tensor whose memory a view shows, or None."""
    special = tensor._special
    return special.base if isinstance(special, View) else None
