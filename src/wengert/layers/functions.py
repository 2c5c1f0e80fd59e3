"""Custom functions on tensors of a transformation.

The user's forward runs once, on the lowest level. On each level above it the results
get a node of that level, whose rule is the user's backward with that level's tensors
in place of the saved ones (`Translation`). So nothing is differentiated through the
body of a function, on no level, whichever style it is written in.

- Reverse mode: call the function on the tensors below, and give the results a node.
- Forward mode: the tangents are those of the user's `jvp`; if there is none, those of
the
  user's backward, which is linear in the gradients, transposed.
- vmap: the user's `vmap`; if there is none, another function (`mapped`) whose forward
and
  backward are the user's under vmap. That one is called on the tensors below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import engine, errors, tree
from ..function import (
    Called,
    Function,
    FunctionCtx,
    FunctionNode,
    call,
    finish,
    new_context,
    nothing_recorded,
)
from ..primitives.copying import zeros_like
from ..tensor import Tensor, history, is_differentiable, rebind, version_of
from ..views import base_of
from . import messages
from .batched import Batched
from .dual import Dual, fit_tangent, primal_of, tangent_of
from .level import Level, belongs, leaf_on_level, lowered, on_level
from .pushing import pull

Args = tuple[Any, ...]
Kind = type[Function]

OWN = {
    *FunctionNode.__annotations__,
    *FunctionCtx.__annotations__,
    *("level", "inputs", "results", "differentiable"),
}
"""The attributes of a context that are not the user's."""


# --- one call -------------------------------------------------------------------------


def call_on_level(cls: Kind, level: int, args: Args) -> Called:
    """Call a function whose highest argument is of a transformation's level."""
    below = call_below(cls, level, args)
    context = new_context(cls, args, level)
    outputs = below.outputs
    if cls.has_own("setup_context"):
        with nothing_recorded():
            # a vmap of the user's own needs no context unless it is recorded
            if below.contents is not None or any(context.edges):
                output = outputs[0] if below.single else outputs
                cls.setup_context(context, args, output)
    elif below.contents is not None:
        below.contents.give(context)
    elif any(context.edges):
        raise errors.Unsupported(
            f"{cls.__name__} has a vmap method, and to be differentiated inside vmap "
            "it must have setup_context, too: its forward alone does not say what to "
            "save."
        )
    if below.lower is not None:
        below.lower.release()
    return Called(finish(context, args, outputs), below.single, context)


class Below(NamedTuple):
    """What a function has given on the levels below, shown on this level."""

    outputs: Args
    single: bool
    contents: Contents | None
    lower: FunctionNode | None


def call_below(cls: Kind, level: int, args: Args) -> Below:
    """Let the transformation of a level call a function on what is below it."""
    arrays = [
        arg._data for arg in args if isinstance(arg, Tensor) and belongs(arg, level)
    ]
    if any(isinstance(array, Batched) for array in arrays):
        from .mapped import call_mapped

        return call_mapped(cls, level, args)
    if any(isinstance(array, Dual) for array in arrays):
        return call_forward(cls, level, args)
    lower = tuple([lowered(arg, level) for arg in args])
    called = call(cls, lower)
    return shown(called, lower, args, lambda out, _: on_level(level, out))


class Translation(dict[int, Tensor]):
    """Which tensor of a level stands for which below it, or else for itself."""

    def __init__(self, lower: Sequence[Any], upper: Sequence[Any]) -> None:
        for low, high in zip(lower, upper, strict=True):
            if isinstance(low, Tensor):
                self[id(low)] = high

    def of(self, value: Any) -> Any:
        return self.get(id(value), value)


class Contents:
    """What a user has put into a context: tensors to save, marks, and attributes."""

    def __init__(self, context: FunctionNode, of: Callable[[Any], Any]) -> None:
        """Take it from a context, with `of` applied to all values."""
        self.to_save = tuple([of(value) for value in context.to_save])
        self.saved_for_forward = tuple([of(v) for v in context.saved_for_forward])
        self.dirty_tensors = tuple([of(value) for value in context.dirty_tensors])
        self.non_differentiable = tuple([of(v) for v in context.non_differentiable])
        self.materialize_grads = context.materialize_grads
        self.notes = {
            name: tree.map(of, value)
            for name, value in vars(context).items()
            if name not in OWN
        }

    def give(self, context: FunctionNode) -> None:
        """Put it into another context."""
        vars(context).update(self.notes)
        context.to_save = self.to_save
        context.saved_for_forward = self.saved_for_forward
        context.dirty_tensors = self.dirty_tensors
        context.non_differentiable = self.non_differentiable
        context.materialize_grads = self.materialize_grads


def shown(
    called: Called,
    lower: Sequence[Any],
    args: Sequence[Any],
    show: Callable[[Tensor, int], Tensor],
) -> Below:
    """Return what was called below as it is on this level.

    Args:
        show: makes of an output, given with its number, a tensor of this level; not
            called for an input that is an output, too.
    """
    known = Translation(lower, args)
    outputs = tuple(
        [
            known.of(out)
            if not isinstance(out, Tensor) or id(out) in known
            else show(out, index)
            for index, out in enumerate(called.outputs)
        ]
    )
    known.update(Translation(called.outputs, outputs))
    contents = Contents(called.context, known.of)
    return Below(outputs, called.single, contents, called.context)


# --- forward mode ---------------------------------------------------------------------


def call_forward(cls: Kind, level: int, args: Args) -> Below:
    """Call a function on primals, and its derivative on their tangents."""
    primals = tuple([primal_of(arg, level) for arg in args])
    tangents = [tangent_of(arg, level) for arg in args]
    called = call(cls, primals)
    context = cls.new_node()
    context.inputs = called.context.inputs
    context.needs_input_grad = called.context.needs_input_grad
    Contents(called.context, lambda value: value).give(context)
    push = pushed_by_jvp if cls.has_own("jvp") else pushed_by_backward
    directions = push(cls, context, called, primals, tangents)

    def show(out: Tensor, index: int) -> Tensor:
        tangent = directions[index]
        if tangent is None:
            return on_level(level, out)
        return on_level(level, Dual(out, fit_tangent(tangent, out), level))

    below = shown(called, primals, args, show)
    for out, tangent in zip(below.outputs, directions, strict=True):
        if any(out is tensor for tensor in below.contents.dirty_tensors):  # type: ignore[union-attr]
            dual = Dual(primal_of(out, level), tangent, level)
            rebind(out, dual, out._special)
    return below


def pushed_by_jvp(
    cls: Kind,
    context: FunctionNode,
    called: Called,
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> Sequence[Any]:
    """Return the tangents of the outputs by the user's rule."""
    given = [
        zeros_like(primal)
        if tangent is None and context.materialize_grads and has_derivative(primal)
        else tangent
        for primal, tangent in zip(primals, tangents, strict=True)
    ]
    context.to_save = context.saved_for_forward or context.to_save
    versions = [None if value is None else version_of(value) for value in given]
    returned = cls.jvp(context, *given)
    found = returned if isinstance(returned, tuple) else (returned,)
    for index, tangent in enumerate(found):
        check_is_tensor(index, tangent)
    if len(found) != len(called.outputs):
        raise RuntimeError(
            "Function's jvp returned an invalid number of forward gradients (expected "
            f"{len(called.outputs)} but got {len(found)})"
        )
    marks = Marks(called.context, primals, tangents, given, versions)
    return [
        marks.checked(index, out, tangent) if isinstance(out, Tensor) else None
        for index, (out, tangent) in enumerate(zip(called.outputs, found, strict=True))
    ]


def check_is_tensor(index: int, tangent: Any) -> None:
    """Refuse what a user's rule has returned that is neither a tensor nor None."""
    if tangent is not None and not isinstance(tangent, Tensor):
        raise RuntimeError(
            f"expected Variable or None (got {type(tangent).__name__}) for grad output "
            f"{index}."
        )


class Marks(NamedTuple):
    """What a function has said of its outputs, and what its `jvp` was given.

    A forward that writes into an input, or returns a view of one, wants a `jvp` that
    does the same with the tangent.
    """

    context: FunctionNode
    primals: Sequence[Any]
    tangents: Sequence[Any]
    given: Sequence[Any]
    versions: Sequence[int | None]

    def checked(self, index: int, out: Tensor, tangent: Tensor | None) -> Any:
        """Return the tangent of an output, or refuse it."""
        constant = any(out is other for other in self.context.non_differentiable)
        if constant or not is_differentiable(out.dtype):
            if tangent is not None:
                raise messages.tangent_of_constant(index)
            return None
        if any(out is tensor for tensor in self.context.dirty_tensors):
            self.check_written(out)
        elif self.of_input(out):
            self.check_view(tangent)
        if tangent is not None and tangent.shape != out.shape:
            raise errors.mismatched_tangent(out.shape, tangent.shape)
        return tangent

    def check_written(self, out: Tensor) -> None:
        """Refuse a rule that has not written into the tangent, as forward has."""
        for primal, tangent, given, before in zip(
            self.primals, self.tangents, self.given, self.versions, strict=True
        ):
            written = primal is out and tangent is not None
            if written and version_of(given) == before:
                raise messages.tangent_not_written()

    def of_input(self, out: Tensor) -> bool:
        """Whether an output shows the memory of an input that has a tangent."""
        base = base_of(out)
        return base is not None and any(
            tangent is not None and (primal is base or base_of(primal) is base)
            for primal, tangent in zip(self.primals, self.tangents, strict=True)
        )

    def check_view(self, tangent: Tensor | None) -> None:
        """Refuse the tangent of a view that is no view of a tangent."""
        base = None if tangent is None else base_of(tangent)
        if base is None:
            raise messages.tangent_is_no_view()
        known = [given for given in self.given if given is not None]
        if not any(given is base or base_of(given) is base for given in known):
            views = any(base_of(given) is not None for given in known)
            raise messages.tangent_of_other_base("same base as the " if views else "")


def pushed_by_backward(
    cls: Kind,
    context: FunctionNode,
    called: Called,
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> Sequence[Any]:
    """Return the tangents of the outputs by transposing the user's backward.

    It returns linear functions of the gradients u of the outputs. The gradient, by
    u, of their product with the tangents is the derivative in the tangents' direction.
    """
    if not (cls.has_own("backward") or cls.has_own("vjp")):
        cls.jvp(context)
    without = {id(out) for out in called.context.non_differentiable}
    context.needs_input_grad = tuple([tangent is not None for tangent in tangents])
    with Level(grad=True) as level:
        u = [
            leaf_on_level(level, zeros_like(out))
            if has_derivative(out) and id(out) not in without
            else None
            for out in called.outputs
        ]
        context.level = level
        seeds: dict[engine.Node, Any] = {}
        for cotangent, tangent in zip(
            context.call(u, context.needs_input_grad),  # type: ignore[arg-type]
            tangents,
            strict=True,
        ):
            if cotangent is None or tangent is None:
                continue
            node = history(cotangent) if belongs(cotangent, level) else None
            if node is None:
                raise errors.no_transposition(cls.__name__)
            seeds[node] = seeds[node] + tangent if node in seeds else tangent
        captured: dict[Any, Any] = {leaf._node: None for leaf in u if leaf is not None}
        pull(seeds, captured)
    return [None if leaf is None else captured[leaf._node] for leaf in u]


def has_derivative(value: Any) -> bool:
    """Whether a value is a tensor of floating point or complex numbers."""
    return isinstance(value, Tensor) and is_differentiable(value.dtype)
