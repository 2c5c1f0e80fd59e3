"""Custom functions under vmap: by the user's own rule, or by forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import tree
from ..function import Function, FunctionNode, call, new_context, run_forward
from ..tensor import Tensor
from .batched import Batched
from .functions import OWN, Args, Below, Contents, Kind, Translation, has_derivative
from .level import Level, lowered, on_level
from .randomness import randomness_of


class VmapInfo(NamedTuple):
    """What a function's `vmap` is told about the transformation."""

    batch_size: int
    randomness: str


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
            "generate_vmap_rule=False or delete the overridden vmap staticmethod to "
            "avoid ambiguity."
        )
    size = batch_size(values, batched)
    in_dims = tuple([0 if is_batched else None for is_batched in batched])
    info = VmapInfo(size, randomness_of(level))
    result, dims = two_results(cls.vmap(info, in_dims, *values))
    single = not isinstance(result, tuple)
    results = (result,) if single else result
    out_dims = tree.spread(dims, tree.flatten(result)[1])
    if out_dims is None:
        found, wanted = tree.flatten(dims)[1], tree.flatten(result)[1]
        raise RuntimeError(
            "The autograd.Function's vmap staticmethod returned an incompatible "
            f"(output, out_dims) tuple. Expected out_dims={dims} to be compatible with "
            f"the structure of `output`. out_dims has structure {found} but output has "
            f"structure {wanted}."
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


def two_results(returned: Any) -> tuple[Any, Any]:
    """Return what a rule for batches must return, or refuse it."""
    if isinstance(returned, tuple) and len(returned) == 2:
        return returned
    several = isinstance(returned, tuple)
    got = f"{len(returned)} returns" if several else f"a {type(returned)}"
    raise RuntimeError(
        "Expected the vmap staticmethod to have two returns, an output and out_dims "
        f"with pytree structure compatible with the output. Got {got} instead"
    )


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
    sizes = [
        value.shape[0]
        for value, is_batched in zip(values, batched, strict=True)
        if is_batched
    ]
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
            cotangents = inner.call(given, wanted)
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
    inner.to_save, inner.saved_for_forward, notes = tree.unflatten(
        leaves, ctx.structure
    )
    vars(inner).update(notes)
    inner.materialize_grads = ctx.materialize_grads


def unbatch(value: Tensor, level: int, wanted: bool, size: int) -> Tensor:
    """Return a cotangent or tangent as what it belongs to: for a batch or for one.

    What belongs to the whole batch gets the sum over its elements.
    """
    value, is_batched = physical(value, level)
    if is_batched == wanted:
        return value
    if wanted:
        return value.unsqueeze(0).expand(size, *value.shape)
    return value.sum(0)
