"""Custom functions on tensors of a transformation.

The user's forward runs once, on the lowest level. On each level above it the results get
a node of that level, whose rule is the user's backward with that level's tensors in place
of the saved ones (`Translation`). So nothing is differentiated through the body of a
function, on no level, whichever style it is written in.

- Reverse mode: call the function on the tensors below, and give the results a node.
- Forward mode: the tangents are those of the user's `jvp`; if there is none, those of the
  user's backward, which is linear in the gradients, transposed.
- vmap: the user's `vmap`; if there is none, another function (`mapped`) whose forward and
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
    run_forward,
)
from ..primitives.copying import zeros_like
from ..tensor import Tensor, history, is_differentiable
from .batched import Batched
from .dual import Dual, fit_tangent, primal_of, pull, tangent_of
from .level import Level, belongs, leaf_on_level, lowered, on_level

Args = tuple[Any, ...]
Kind = type[Function]

OWN = {
    *FunctionNode.__annotations__,
    *FunctionCtx.__annotations__,
    *("level", "inputs", "results", "differentiable"),
}
"""The attributes of a context that are not the user's."""


class VmapInfo(NamedTuple):
    """What a function's `vmap` is told about the transformation."""

    batch_size: int
    randomness: str


# --- one call -------------------------------------------------------------------------


def call_on_level(cls: Kind, level: int, args: Args) -> Called:
    """Call a function whose highest argument is of a transformation's level."""
    below = call_below(cls, level, args)
    context = new_context(cls, args, level)
    outputs = below.outputs
    if cls.has_own("setup_context"):
        with nothing_recorded():
            cls.setup_context(context, args, outputs[0] if below.single else outputs)
    elif below.contents is not None:
        below.contents.give(context)
    elif any(context.edges):
        raise errors.Unsupported(
            f"{cls.__name__} has a vmap method, and to be differentiated inside vmap it "
            "must have setup_context, too: its forward alone does not say what to save."
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
    arrays = [arg._data for arg in args if isinstance(arg, Tensor) and belongs(arg, level)]
    if any(isinstance(array, Batched) for array in arrays):
        return call_mapped(cls, level, args)
    if any(isinstance(array, Dual) for array in arrays):
        return call_forward(cls, level, args)
    lower = tuple([lowered(arg, level) for arg in args])
    called = call(cls, lower)
    return shown(called, lower, args, lambda out, _: on_level(level, out))


class Translation(dict[int, Tensor]):
    """Which tensor of a level stands for which below it; others stand for themselves."""

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
    Contents(called.context, lambda value: value).give(context)
    context.to_save = context.saved_for_forward or context.to_save
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
            out._data = Dual(primal_of(out, level), tangent, level)
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
    returned = cls.jvp(context, *given)
    found = returned if isinstance(returned, tuple) else (returned,)
    if len(found) != len(called.outputs):
        raise RuntimeError(
            f"{cls.__name__}.jvp returned {len(found)} tangents for "
            f"{len(called.outputs)} outputs"
        )
    return found


def pushed_by_backward(
    cls: Kind,
    context: FunctionNode,
    called: Called,
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> Sequence[Any]:
    """Return the tangents of the outputs by transposing the user's backward.

    It returns linear functions of the gradients u of the outputs. The gradient, by u, of
    their product with the tangents is the derivative in the tangents' direction.
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


# --- vmap -----------------------------------------------------------------------------


def call_mapped(cls: Kind, level: int, args: Args) -> Below:
    """Call a function on arguments some of which are batched."""
    inputs = [physical(arg, level) for arg in args]
    values = tuple([value for value, _ in inputs])
    batched = tuple([is_batched for _, is_batched in inputs])
    if cls.has_own("vmap"):
        return call_own_vmap(cls, level, values, batched)
    called = call(mapped(cls, batched), values)
    context = called.context
    shows = Shows(level, batched, context.outputs_batched)  # type: ignore[attr-defined]
    known = Translation(values, args)
    outputs = tuple(
        [
            known.of(out) if id(out) in known else shows.output(out, index)
            for index, out in enumerate(called.outputs)
        ]
    )
    known.update(Translation(called.outputs, outputs))
    inner = cls.new_node()
    restore(context, context.to_save, inner, known, level)
    contents = Contents(inner, lambda value: value)
    contents.dirty_tensors = tuple([known.of(v) for v in context.dirty_tensors])
    contents.non_differentiable = tuple(
        [known.of(v) for v in context.non_differentiable]
    )
    return Below(outputs, called.single, contents, context)


def call_own_vmap(
    cls: Kind, level: int, values: Args, batched: tuple[bool, ...]
) -> Below:
    """Call the user's own rule for batches."""
    if cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both "
            "generate_vmap_rule=True and an overridden vmap staticmethod. Please set "
            "generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid "
            "ambiguity."
        )
    size = batch_size(values, batched)
    in_dims = tuple([0 if is_batched else None for is_batched in batched])
    result, out_dims = cls.vmap(VmapInfo(size, "error"), in_dims, *values)  # type: ignore[attr-defined]
    single = not isinstance(result, tuple)
    results = (result,) if single else result
    if not isinstance(out_dims, tuple | list):
        out_dims = (out_dims,) * len(results)
    if len(out_dims) != len(results):
        raise RuntimeError(
            f"{cls.__name__}.vmap returned {len(results)} outputs and {len(out_dims)} "
            "out_dims"
        )
    outputs = tuple(
        [
            out
            if dim is None or not isinstance(out, Tensor)
            else on_level(level, Batched(out.movedim(dim, 0) if dim else out, level))
            for out, dim in zip(results, out_dims, strict=True)
        ]
    )
    return Below(outputs, single, None, None)


class Shows(NamedTuple):
    """Shows the outputs of a mapped function on the level of the vmap."""

    level: int
    inputs: tuple[bool, ...]
    outputs: tuple[bool, ...]

    def output(self, out: Any, index: int) -> Any:
        if not isinstance(out, Tensor):
            return out
        return batch(out, self.level) if self.outputs[index] else out


def physical(value: Any, level: int) -> tuple[Any, bool]:
    """Return a value with the hidden dimension shown, and whether there is one."""
    value = lowered(value, level)
    if isinstance(value, Batched) and value.level == level:
        return value.value, True
    return value, False


def spread(value: Any, is_batched: bool, size: int) -> tuple[Any, bool]:
    """Return an output that is the same for all elements once for each.

    Each element then has a gradient of its own, and none is counted more than once.
    """
    if is_batched or not has_derivative(value):
        return value, is_batched
    return value.unsqueeze(0).expand(size, *value.shape).clone(), True


def batch(value: Tensor, level: int) -> Tensor:
    """Return a tensor that hides its first dimension."""
    return on_level(level, Batched(value, level))


def batch_size(values: Sequence[Any], batched: Sequence[bool]) -> int:
    """Return the size of the hidden dimension."""
    sizes = [value.shape[0] for value, is_batched in zip(values, batched, strict=True)
             if is_batched]
    return int(sizes[0])


class Hole(NamedTuple):
    """Marks in a tree where a saved tensor goes, and whether it is batched."""

    batched: bool


def mapped(cls: Kind, batched: tuple[bool, ...]) -> Kind:
    """Return the function that is another one mapped over the first dimension.

    Args:
        batched: which of its arguments have that dimension.
    """

    def forward(ctx: Any, *values: Any) -> Any:
        with Level() as level:
            args = tuple(
                [
                    batch(value, level) if is_batched else value
                    for value, is_batched in zip(values, batched, strict=True)
                ]
            )
            inner = new_context(cls, args, level)
            inner.needs_input_grad = ctx.needs_input_grad
            result = run_forward(cls, inner, args)
            single = not isinstance(result, tuple)
            results = (result,) if single else result
            ctx.size = batch_size(values, batched)
            known = Translation(args, values)
            written = {id(tensor) for tensor in inner.dirty_tensors}
            pairs = [
                (known.of(out), physical(out, level)[1])
                if id(out) in written
                else spread(*physical(out, level), ctx.size)
                for out in results
            ]
            outputs = tuple([value for value, _ in pairs])
            known.update(Translation(results, outputs))
            keep(ctx, inner, known, level)
        ctx.outputs_batched = tuple([is_batched for _, is_batched in pairs])
        ctx.inner_inputs = inner.inputs
        return outputs[0] if single else outputs

    def backward(ctx: Any, *grads: Any) -> Any:
        with Level() as level:
            inner = cls.new_node()
            inner.level = level
            inner.inputs = ctx.inner_inputs
            inner.needs_input_grad = ctx.needs_input_grad
            restore(ctx, ctx.saved_tensors, inner, Translation((), ()), level)
            given = [
                batch(grad, level) if is_batched and grad is not None else grad
                for grad, is_batched in zip(grads, ctx.outputs_batched, strict=True)
            ]
            wanted = tuple([need or None for need in ctx.needs_input_grad])
            cotangents = inner.call(given, wanted)  # type: ignore[arg-type]
            return tuple(
                [
                    None if c is None else unbatch(c, level, is_batched, ctx.size)
                    for c, is_batched in zip(cotangents, batched, strict=True)
                ]
            )

    def jvp(ctx: Any, *tangents: Any) -> Any:
        with Level() as level:
            inner = cls.new_node()
            restore(ctx, ctx.saved_tensors, inner, Translation((), ()), level)
            inner.to_save = inner.saved_for_forward or inner.to_save
            given = [
                batch(tangent, level) if is_batched and tangent is not None else tangent
                for tangent, is_batched in zip(tangents, batched, strict=True)
            ]
            returned = cls.jvp(inner, *given)
            found = returned if isinstance(returned, tuple) else (returned,)
            return tuple(
                [
                    None if t is None else unbatch(t, level, is_batched, ctx.size)
                    for t, is_batched in zip(found, ctx.outputs_batched, strict=True)
                ]
            )

    members: dict[str, Any] = {"forward": staticmethod(forward)}
    if cls.has_own("backward") or cls.has_own("vjp"):
        members["backward"] = staticmethod(backward)
    if cls.has_own("jvp"):
        members["jvp"] = staticmethod(jvp)
    return type(f"Vmapped{cls.__name__}", (Function,), members)


def keep(ctx: Any, inner: FunctionNode, known: Translation, level: int) -> None:
    """Let the mapped function keep what the user's has put into its context.

    All its tensors, with the hidden dimension shown, are saved for backward; where they
    go is kept beside them.
    """
    everything = (
        inner.to_save,
        inner.saved_for_forward,
        {name: value for name, value in vars(inner).items() if name not in OWN},
    )
    leaves, ctx.structure = tree.flatten(everything)
    ctx.leaves = []
    tensors = []
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            value, is_batched = physical(leaf, level)
            tensors.append(known.of(leaf) if id(leaf) in known else value)
            ctx.leaves.append([Hole(is_batched)])
        else:
            ctx.leaves.append([leaf])
    ctx.save_for_backward(*tensors)
    ctx.set_materialize_grads(inner.materialize_grads)
    ctx.mark_dirty(*[known.of(tensor) for tensor in inner.dirty_tensors])
    ctx.mark_non_differentiable(
        *[known.of(tensor) for tensor in inner.non_differentiable]
    )


def restore(
    ctx: Any, saved: Sequence[Any], inner: FunctionNode, known: Translation, level: int
) -> None:
    """Give the context of the user's function what `keep` has kept, on a level."""
    tensors = iter(saved)
    leaves = []
    for (leaf,) in ctx.leaves:
        if isinstance(leaf, Hole):
            value = next(tensors)
            if id(value) in known:
                leaf = known.of(value)
            else:
                leaf = batch(value, level) if leaf.batched else value
        leaves.append(leaf)
    inner.to_save, inner.saved_for_forward, notes = tree.unflatten(leaves, ctx.structure)
    vars(inner).update(notes)
    inner.materialize_grads = ctx.materialize_grads


def unbatch(value: Tensor, level: int, wanted: bool, size: int) -> Tensor:
    """Return a cotangent or tangent as what it belongs to: with a first dimension or not.

    What belongs to the whole batch gets the sum over its elements.
    """
    value, is_batched = physical(value, level)
    if is_batched == wanted:
        return value
    if wanted:
        return value.unsqueeze(0).expand(size, *value.shape)
    return value.sum(0)
