"""`torch.autograd.backward` and `torch.autograd.grad`: from tensors to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import engine, errors, modes
from ..engine import Node, output_of
from ..primitives.copying import ones_like, zeros_like
from ..primitives.fitting import fit
from ..tensor import (
    AccumulateGrad,
    Tensor,
    below,
    forward_levels,
    history,
    level_of,
    wrap_at,
    wrap_like,
)
from ..views import Severed
from .graph import GradientEdge

Place = Tensor | GradientEdge
"""A tensor, or where its gradient goes, which can stand for it."""
Tensors = Place | Sequence[Place]
Grads = Tensor | Sequence[Tensor | None] | None


def backward(
    tensors: Tensors,
    grad_tensors: Grads = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Grads = None,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradients of tensors to the ``.grad`` of the leaves they came from.

    Args:
        tensors: what to differentiate.
        grad_tensors: for each of them the gradient it begins with, of its shape; None
            for a scalar stands for a one.
        retain_graph: keep what the record has saved, to run it again (default: as
            `create_graph`).
        create_graph: record the derivative as well, for higher derivatives.
        inputs: accumulate into these only.

    Raises:
        RuntimeError: if a tensor has no history, or its gradient does not fit, or what
            a rule needs was written to or freed since.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both "
                "passed "
                "to `backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if forward_levels and of_duals(as_tuple(tensors), grad_tensors):
        raise errors.backward_of_duals()
    outputs = without_tangents(as_tuple(tensors))
    if any([isinstance(output, Tensor) and level_of(output) for output in outputs]):
        raise errors.backward_in_transform()
    into = None
    if inputs is not None:
        into = as_tuple(inputs)
        if not into:
            raise errors.no_inputs("backward")
    seeds = seeds_of(outputs, grad_tensors, create_graph)
    nodes = None if into is None else [leaf_node(place) for place in into]
    run(seeds, retain_graph, create_graph, into=nodes)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Grads = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Return the gradients of outputs with respect to inputs; no ``.grad`` changes.

    Args:
        outputs: what to differentiate; summed if several.
        inputs: with respect to what: leaves or results of recorded ops.
        grad_outputs: for each output the gradient it begins with.
        retain_graph: keep the record to run it again (default: as `create_graph`).
        create_graph: record the derivative as well.
        allow_unused: return None for an input that no output depends on, else it is an
            error (default: as `materialize_grads`).
        is_grads_batched: grad_outputs have a first dimension of many gradients.
        materialize_grads: return zeros in place of None.

    >>> import wengert as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (first,) = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> torch.autograd.grad(first, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when "
            "materialize_grads=True, "
            "but got: allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    wanted = without_tangents(as_tuple(inputs))
    if forward_levels:
        options = {
            "retain_graph": retain_graph,
            "allow_unused": allow_unused,
            "is_grads_batched": is_grads_batched,
            "materialize_grads": materialize_grads,
        }
        duals = with_tangents(
            as_tuple(outputs), wanted, grad_outputs, create_graph, options
        )
        if duals is not None:
            return duals
    if not wanted:
        raise errors.no_inputs("grad")
    if is_grads_batched:
        return batched(
            as_tuple(outputs),
            wanted,
            grad_outputs,
            retain_graph=retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )
    ends = without_tangents(as_tuple(outputs))
    lifted = above(ends, grad_outputs)
    seeds = seeds_of(ends, grad_outputs, create_graph or lifted)
    nodes = [input_node(place) for place in wanted]
    captured: dict[Node, Any] = dict.fromkeys(nodes)
    keep = create_graph if retain_graph is None else retain_graph
    run(seeds, keep, create_graph or lifted, captured=captured)
    if lifted and not create_graph:
        captured = {
            node: found if found is None else found.detach()
            for node, found in captured.items()
        }
    return tuple(
        [
            gradient(index, place, captured[node], allow_unused, materialize_grads)
            for index, (place, node) in enumerate(zip(wanted, nodes, strict=True))
        ]
    )


def gradient(
    index: int, place: Place, found: Any, allow_unused: bool, materialize: bool
) -> Any:
    """Return what `grad` returns for one input, of which the engine has `found`."""
    if found is not None:
        return found if isinstance(found, Tensor) else wrap_like(found)
    if not allow_unused:
        raise errors.unused_input(index)
    if not materialize:
        return None
    if isinstance(place, GradientEdge):
        raise RuntimeError(
            "materialize_grads cannot be used when the given input is a GradientEdge"
        )
    return wrap_at(level_of(place), zeros_like(place._data))


def batched(
    outputs: tuple[Place, ...], inputs: tuple[Place, ...], grads: Grads, **options: Any
) -> tuple[Tensor, ...]:
    """Return the gradients for each of a batch of `grad_outputs`, by vmap."""
    from ..func import vmap

    def single(*starts: Tensor | None) -> tuple[Tensor, ...]:
        return grad(outputs, inputs, starts, **options)

    starts = (grads,) if isinstance(grads, Tensor) else tuple(grads or ())
    for index, (output, start) in enumerate(zip(outputs, starts, strict=False)):
        if not isinstance(output, Tensor) or not isinstance(start, Tensor):
            continue
        if start.shape[1:] != output.shape:
            raise errors.mismatched_batch(index, start.shape, output.shape)
    axes = tuple([None if start is None else 0 for start in starts])
    rows: tuple[Tensor, ...] = vmap(single, in_dims=axes)(*starts)
    return rows


def run(
    seeds: dict[Node, Any],
    retain_graph: bool | None,
    create_graph: bool,
    *,
    captured: dict[Node, Any] | None = None,
    into: Sequence[Node] | None = None,
) -> None:
    """Run the engine; with `create_graph` what it does is recorded.

    Without, rules compute on arrays, and what calls functions of the user's (hooks,
    custom functions) switches recording off itself.
    """
    keep = create_graph if retain_graph is None else retain_graph
    watch: Any = None
    if modes.special and modes.local.anomaly:
        from .anomaly_mode import watch
    switched = create_graph and not modes.is_grad_enabled()
    if switched:
        modes.switch("grad", True)
    # nothing else asks, so this one does not count in `modes.special`
    before, modes.local.partial = modes.local.partial, bool(captured or into)
    try:
        engine.run(
            seeds,
            keep_graph=keep,
            recorded=create_graph,
            captured=captured,
            into=into,
            fit=fit,
            watch=watch,
        )
    except ValueError as error:
        from .refusal import refused_by_rule

        raise refused_by_rule(error)  # noqa: B904 (often the same one)
    finally:
        modes.local.partial = before
        if switched:
            modes.switch("grad", False)


def seeds_of(
    outputs: Sequence[Place], grads: Grads, create_graph: bool
) -> dict[Node, Any]:
    """Return the nodes of outputs and the gradients to begin with, or refuse them."""
    given: Sequence[Tensor | None]
    if grads is None:
        given = (None,) * len(outputs)
    else:
        given = (grads,) if isinstance(grads, Tensor) else tuple(grads)
    starts = [
        start_of(index, output, value)
        for index, (output, value) in enumerate(zip(outputs, given, strict=False))
    ]
    if len(starts) < len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    seeds: dict[Node, Any] = {}
    for index, (output, start) in enumerate(zip(outputs, starts, strict=True)):
        node = output_node(output)
        if node is None:
            raise errors.nothing_to_differentiate(index)
        seed = start if create_graph else start._data
        seeds[node] = seeds[node] + seed if node in seeds else seed
    return seeds


def start_of(index: int, output: Place, value: Tensor | None) -> Tensor:
    """Return the gradient that an output begins with, checked."""
    if not isinstance(output, (Tensor, GradientEdge)):
        raise TypeError(
            f"element {index} of tensors must be a Tensor, not {type(output).__name__}"
        )
    if value is None:
        if isinstance(output, GradientEdge):
            return implicit_start(stand_in(output))
        if history(output) is None:
            raise errors.nothing_to_differentiate(index)
        return implicit_start(output)
    if not isinstance(value, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(value).__name__}"
        )
    if isinstance(output, GradientEdge):
        if output.of is None:
            return value
        output = stand_in(output)
    if value.shape != output.shape:
        raise errors.mismatched_gradient(index, value.shape, output.shape)
    if value.dtype.is_complex != output.dtype.is_complex:
        raise errors.mismatched_gradient_dtype(index, value.dtype, output.dtype)
    return value if value.dtype is output.dtype else value.to(output.dtype)


def stand_in(edge: GradientEdge) -> Tensor:
    """Return a tensor like the one that an edge was asked of."""
    if edge.of is None:
        raise RuntimeError(
            "give grad_outputs for a GradientEdge that was made by hand: only those of "
            "get_gradient_edge() know the shape"
        )
    shape, dtype, level = edge.of
    return wrap_at(level, np.broadcast_to(np.zeros((), dtype), shape))


def implicit_start(output: Tensor) -> Tensor:
    """Return a one for a scalar output."""
    data = output._data
    if type(data) is np.ndarray:
        if data.size != 1:
            raise errors.needs_scalar_output()
        if data.dtype.kind == "c":
            raise errors.needs_real_output(output.dtype)
        return wrap_like(np.ones(data.shape, data.dtype))
    if output.numel() != 1:
        raise errors.needs_scalar_output()
    return wrap_at(level_of(output), ones_like(data))


def output_node(place: Place) -> Node | None:
    """Return the node that the gradient of a place goes to."""
    if isinstance(place, GradientEdge):
        return output_of(place.node, place.output_nr)
    return history(place)


def input_node(place: Place) -> Node:
    """Return where the gradient of an input arrives."""
    if not isinstance(place, (Tensor, GradientEdge)):
        raise RuntimeError(
            "all inputs have to be Tensors or GradientEdges, but got "
            f"{type(place).__name__}"
        )
    node = output_node(place)
    if node is not None:
        return node
    if isinstance(place, Tensor) and place.requires_grad:
        return Severed()
    raise errors.input_without_grad()


def leaf_node(place: Place) -> Node:
    """Return the node of an input whose ``.grad`` backward is to accumulate."""
    if isinstance(place, Tensor):
        place.retain_grad()
    node = input_node(place)
    if isinstance(place, GradientEdge) and not isinstance(node, AccumulateGrad):
        raise RuntimeError(
            "backward() can accumulate into the .grad of leaves only; give the tensor "
            "itself in place of its GradientEdge"
        )
    return node


def as_tuple(places: Tensors) -> tuple[Place, ...]:
    """Return one tensor, or several, as a tuple."""
    if isinstance(places, (Tensor, GradientEdge)):
        return (places,)
    return tuple(places)


def above(outputs: Sequence[Place], grads: Grads) -> bool:
    """Whether gradients begin with tensors of a transformation that outputs know not.

    What rules compute on is then no longer of one level: tensors are needed.
    """
    if not isinstance(grads, (Tensor, list, tuple)):
        return False
    starts = (grads,) if isinstance(grads, Tensor) else grads
    highest = max([level_of(x) for x in starts if isinstance(x, Tensor)], default=0)
    if not highest:
        return False
    return highest > min([level_of(x) if isinstance(x, Tensor) else 0 for x in outputs])


def of_duals(outputs: tuple[Place, ...], grads: Grads) -> tuple[Any, ...] | None:
    """Return what the gradients' tangents are the gradients of, if there are any.

    The gradient of an output's primal y with cotangent u depends on the point. With
    tangents of both, it moves by the gradient of <u, dy> + <du, y>.
    """
    from .forward_ad import unpack_dual

    unpacked = [unpack_dual(x) if isinstance(x, Tensor) else (x, None) for x in outputs]
    given = (grads,) if isinstance(grads, Tensor) else tuple(grads or ())
    starts = [
        (None, None) if start is None else unpack_dual(start)
        for start in given or (None,) * len(outputs)
    ]
    if all(t is None for _, t in unpacked) and all(t is None for _, t in starts):
        return None
    pairs: list[tuple[Any, Any]] = []
    for (y, dy), (u, du) in zip(unpacked, starts, strict=True):
        if dy is not None and history(dy) is not None:
            pairs.append((dy, u))
        if du is not None:
            pairs.append((y, du))
    return tuple(pairs)


def with_tangents(
    outputs: tuple[Place, ...],
    inputs: tuple[Place, ...],
    grads: Grads,
    create_graph: bool,
    options: dict[str, Any],
) -> tuple[Any, ...] | None:
    """Return the gradients of duals as duals; None if there are no tangents."""
    from .forward_ad import make_dual

    pairs = of_duals(outputs, grads)
    if pairs is None:
        return None
    primal_grads: Any = grads
    if grads is not None:
        given = (grads,) if isinstance(grads, Tensor) else tuple(grads)
        primal_grads = [None if g is None else below(g) for g in given]
    ends, leaves = without_tangents(outputs), without_tangents(inputs)
    again = {**options, "retain_graph": True, "create_graph": create_graph}
    found = grad(ends, leaves, primal_grads, **again)
    if not pairs:
        return found
    tangents = grad(
        [y for y, _ in pairs],
        leaves,
        [u for _, u in pairs],
        retain_graph=options["retain_graph"] or create_graph,
        create_graph=create_graph,
        allow_unused=True,
    )
    return tuple(
        [
            g if g is None or t is None else make_dual(g, t)
            for g, t in zip(found, tangents, strict=True)
        ]
    )


def without_tangents(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return places with the primals of duals, whose record is that of the dual."""
    if not forward_levels:
        return places
    return tuple([below(x) if isinstance(x, Tensor) else x for x in places])


ONES = {kind: np.ones((), kind) for kind in (np.dtype("f4"), np.dtype("f8"))}
"""What the gradient of a loss begins with; nobody writes into it."""


def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradient of this tensor to the ``.grad`` of the leaves it came from.

    See `torch.autograd.backward`; `gradient` is what this tensor begins with.
    """
    if gradient is None and inputs is None and not create_graph and not modes.special:
        # a loss in the ordinary way: a fifth of the time of a small network's backward
        data, node = self._data, self._node
        if self._special is None and node is not None and data.shape == ():
            one = ONES.get(data.dtype)
            if one is not None:
                try:
                    engine.run({node: one}, keep_graph=bool(retain_graph), fit=fit)
                except ValueError as error:
                    from .refusal import refused_by_rule

                    raise refused_by_rule(error)  # noqa: B904
                return
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


Tensor.backward = tensor_backward
