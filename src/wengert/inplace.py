"""Writing in place: what happens to memory, to versions, and to history.

Every in-place op is its functional twin followed by `assign`: the tensor takes over the
twin's values and history. So no op needs an in-place rule. For ``x.mul_(y)``:

- the product is recorded as usual, then copied into the memory of ``x``;
- what its node saved of ``x`` is replaced by a copy of the old values, what it saved of
  the result by the memory of ``x`` at its new version;
- ``x`` gets the product's node. If ``x`` is a view, its base gets a `CopySlices` node:
  the base's gradient goes to the old base outside of the view, to the product inside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
from numpy import ndarray

from . import dispatch, dtypes, errors, modes
from .engine import Cotangents, Edges, Node, clock
from .hooks import carry_retained
from .primitive import OpNode, camel
from .primitives.copying import constant
from .primitives.fitting import fit
from .recording import numpy_dtype, recorded_specially
from .saved import WRITTEN, Packed
from .tensor import (
    AccumulateGrad,
    Layer,
    Tensor,
    below,
    counter,
    history,
    is_differentiable,
    is_inference,
    level_of,
    new,
    plain,
    wrap_at,
)
from .views import Steps, View, birth, replay, shown_node


def check_writable(tensor: Tensor, *, recorded: bool = False) -> None:
    """Refuse to write into what must not be written to.

    Args:
        recorded: what is written has a history itself.
    """
    if tensor._special is not None:
        tensor = below(tensor)
    check_not_inference(tensor)
    if modes.special and max(level_of(tensor), birth(tensor)) < modes.local.pure:
        # above this module in the order of imports
        from .layers.messages import captured_written

        raise captured_written()
    if not records(tensor):
        return
    view = tensor._special
    if isinstance(view, View):
        requires_grad = tensor.requires_grad
        if view.origin != "recorded" and (requires_grad or recorded):
            producer = shown_node(tensor._node)
            raise errors.written_view(view.origin, producer, indirect=False)
        if requires_grad and view.base.is_leaf:
            raise errors.leaf_view_in_place()
    if isinstance(history(tensor), AccumulateGrad):
        raise errors.leaf_in_place()


def check_not_inference(tensor: Tensor) -> None:
    """Refuse to write outside of inference mode into what was made in it."""
    if is_inference(tensor) and not modes.is_inference_mode_enabled():
        raise errors.inference_written()


def records(tensor: Tensor) -> bool:
    """Whether what is written into a tensor is recorded at present.

    What was made inside a transformation goes by the grad mode that is set there.
    """
    if not modes.special:
        return True
    return modes.is_grad_enabled_at(max(level_of(tensor), birth(tensor)))


def overlaps(data: Any) -> bool:
    """Whether several elements of an array lie at one place in memory."""
    return (
        type(data) is ndarray
        and data.size > 0
        and any(
            step == 0 and size > 1
            for step, size in zip(data.strides, data.shape, strict=True)
        )
    )


def check_fits(tensor: Tensor, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse values that the tensor's memory cannot take."""
    if tuple(shape) != tuple(tensor._data.shape):
        raise RuntimeError(
            f"output with shape {list(tensor._data.shape)} doesn't match the broadcast "
            f"shape {list(shape)}"
        )
    source = dtype if isinstance(dtype, dtypes.dtype) else dtypes.from_numpy(dtype)
    target = tensor.dtype
    if source is not target and not dtypes.can_cast(source, target):
        raise RuntimeError(
            f"result type {source.scalar_type} can't be cast to the desired output "
            f"type {target.scalar_type}"
        )


def assign(tensor: Tensor, result: Tensor, *, uniform: bool = False) -> Tensor:
    """Let a tensor take over the values and history of a result computed from it.

    Args:
        uniform: all values are the same, so that it does not matter if several elements
            lie at one place.
    """
    if dispatch.tracing is not None:
        dispatch.tracing((tensor, result))
    check_fits(tensor, result._data.shape, result._data.dtype)
    if not uniform and overlaps(tensor._data):
        raise errors.overlapping_memory()
    if modes.special and modes.local.before_write is not None:
        modes.local.before_write(tensor)
    node = history(result)
    if isinstance(node, OpNode) and node.primitive.saves:
        keep_old_values(node, tensor)
    lifted(tensor, result)
    data = tensor._data
    write(data, result._data)
    version = counter(tensor)
    version[0] += 1
    if isinstance(node, OpNode) and node.primitive.saves:
        follow_new_values(node, result, tensor)
    if records(tensor):
        take_history(tensor, result)
    return tensor


def lifted(tensor: Tensor, values: Tensor) -> bool:
    """Bring a tensor to the level of values to be written, if it is of a lower one."""
    if not level_of(values):
        return False
    # above this module in the order of imports
    from .layers.level import is_below, lift

    if not is_below(tensor, values):
        return False
    lift(tensor, values)
    return True


def write(data: Any, values: Any) -> None:
    """Copy values into an array of any layer."""
    if type(data) is ndarray:
        np.copyto(data, values, casting="unsafe")
    elif isinstance(data, Tensor):
        assign(data, values)
    else:
        data.write(values)


def keep_old_values(node: OpNode, tensor: Tensor) -> None:
    """Let a node that saved the tensor keep a copy of it as it is now."""
    saved = list(node.saved)
    for i in range(0, len(saved), 2):
        if saved[i] is tensor:
            data = tensor._data
            copy = data.clone() if isinstance(data, Tensor) else data.copy()
            old = wrap_at(level_of(tensor), copy)
            old._node = history(tensor)
            saved[i : i + 2] = old, 0
    node.saved = tuple(saved)


def follow_new_values(node: OpNode, result: Tensor, tensor: Tensor) -> None:
    """Let a node that saved its result save it where it has been written to."""
    saved = list(node.saved)
    for i in range(0, len(saved), 2):
        if saved[i] is result._data and type(saved[i]) is not Packed:
            versions = counter(tensor)
            saved[i : i + 2] = tensor._data, (versions, versions[0])
    node.saved = tuple(saved)


def take_history(tensor: Tensor, result: Tensor) -> None:
    """Give a tensor that was written to the history of the values written."""
    node = history(result)
    view = tensor._special
    if not isinstance(view, View):
        before = tensor._node
        if node is not None or before is not None:
            tensor._node = node
            carry_retained(tensor, before)
        return
    base = view.base
    if node is None and history(base) is None:
        return
    before = base._node
    base._node = made = copy_slices(before, node, tensor._node, view.steps_now(tensor))
    data = base._data
    strided = type(data) is ndarray and not data.flags.c_contiguous
    made.layout = data.strides if strided else None
    if made.inner is not None and "result" in made.inner.primitive.saves:
        made.memory, made.level = base._data, view.level
        made.inner.outputs = {WRITTEN: ref(made)}
    carry_retained(base, before)


class CopySlices(Node):
    """The node of a base that was written to through a view.

    Outside of the view the gradient goes to the base as it was. Inside, it is that of
    the values written: it goes through `inner`, the node of the functional twin, whose
    gradient for the old values takes its place, and whose others are passed on. Where
    the twin has no such node (it is composed of several ops), `inner` is None, and the
    gradient of the values goes where they came from.
    """

    __slots__ = ("inner", "layout", "level", "memory", "steps")

    inner: OpNode | None
    steps: Steps
    layout: tuple[int, ...] | None
    """The strides of the base's array, if it is not contiguous."""
    memory: Any
    """The array of the base, if the twin has saved what it has written there."""
    level: int

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    @property
    def saved(self) -> Any:
        return self.inner and self.inner.saved

    @saved.setter
    def saved(self, value: Any) -> None:
        if self.inner is not None:
            self.inner.saved = value

    def of_view(self) -> Node:
        """Return the node of the view after it was written to."""
        base = wrap_at(self.level, self.memory)
        base._node = self
        return history(replay(self.steps, base))  # type: ignore[return-value]

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        return self.carried(grad, edges, recorded=False)

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        return self.carried(grad, edges, recorded=True)

    def carried(self, grad: Any, edges: Edges, *, recorded: bool) -> Cotangents:
        if self.layout is not None:
            grad = laid_out(grad, self.layout)
        part = inside(grad, self.steps)
        inner = self.inner
        if inner is None:
            first, rest = None, [part] * (len(edges) - 1)
        elif not any(edges):
            return (None,) * len(edges)
        else:
            pull = inner.apply_recorded if recorded else inner.apply
            cotangents = pull(part, edges)
            if inner.fits is not None:
                cotangents = fit(inner, cotangents, edges)
            first, *rest = cotangents
        if edges[0] is None:
            return (None, *rest)
        return (overwritten(grad, self.steps, first, self.layout), *rest)


def copy_slices(
    before: Node | None, node: Node | None, viewed: Node | None, steps: Steps
) -> CopySlices:
    """Return the node of a base that was written to.

    Args:
        before: its node until now.
        node: that of the values that were written.
        viewed: that of the view until now.
        steps: how the view shows the base.
    """
    made = new(CopySlices)
    made.number = next(clock)
    made.fits = None
    made.steps = steps
    if isinstance(node, OpNode) and node.edges[0] is viewed and not node.several:
        made.inner, made.edges = node, (before, *node.edges[1:])
    else:
        made.inner, made.edges = None, (before, *([] if node is None else [node]))
    if modes.special:
        recorded_specially(made)
    return made


def laid_out(grad: Any, strides: tuple[int, ...]) -> Any:
    """Return a copy of a gradient whose elements lie as those of the base do.

    Views by strides find them there.
    """
    array = grad._data if isinstance(grad, Tensor) else grad
    if type(array) is not ndarray:
        return grad
    extent = sum([(n - 1) * s for n, s in zip(array.shape, strides, strict=True)])
    memory = np.zeros(max(extent, 0) // array.itemsize + 1, array.dtype)
    copy = ndarray(array.shape, array.dtype, memory, 0, strides)
    if isinstance(grad, Tensor):
        return wrap_at(level_of(grad), copy).copy_(grad)
    copy[...] = grad
    return copy


def overwritten(
    grad: Any, steps: Steps, values: Any, layout: tuple[int, ...] | None
) -> Any:
    """The gradient with other values where the view shows it: zeros for None."""
    if isinstance(grad, Tensor):
        copy = grad.clone() if layout is None else laid_out(grad, layout)
        part = replay(steps, copy)
        part.zero_() if values is None else part.copy_(values)
        return copy
    values = np.zeros((), numpy_dtype(grad)) if values is None else values
    if isinstance(grad, Layer):
        whole = wrap_at(grad.level, grad.copy())
    else:  # a NumPy scalar has no memory to write to
        copy = np.array(grad) if layout is None else laid_out(grad, layout)
        whole = plain(copy)
    write(showing(whole, steps)._data, values)
    return whole._data


def inside(grad: Any, steps: Steps) -> Any:
    """The gradient as the view shows it."""
    if isinstance(grad, Tensor):
        return replay(steps, grad)
    layered = isinstance(grad, Layer)
    whole = wrap_at(grad.level, grad) if layered else plain(np.asarray(grad))
    return showing(whole, steps)._data


def showing(tensor: Tensor, steps: Steps) -> Tensor:
    """Return a view of a tensor that is not recorded."""
    previous = modes.switch("grad", False)
    try:
        return replay(steps, tensor)
    finally:
        modes.switch("grad", previous)


WRITTEN_NAMES = {
    "AsStridedBackward0": "AsStridedBackward1",
    "CeluBackward0": "CeluBackward1",
    "EluBackward0": "EluBackward1",
    "FillBackward1": "FillBackward3",
    "LeakyReluBackward0": "LeakyReluBackward1",
    "PolygammaBackward0": "PolygammaBackward1",
    "RreluWithNoiseBackward0": "RreluWithNoiseBackward1",
    "SqueezeBackward0": "SqueezeBackward3",
    "SqueezeBackward1": "SqueezeBackward4",
    "SqueezeBackward2": "SqueezeBackward5",
    "TBackward0": "TBackward1",
    "ThresholdBackward0": "ThresholdBackward1",
    "TransposeBackward0": "TransposeBackward1",
    "UnsqueezeBackward0": "UnsqueezeBackward1",
}
"""What PyTorch calls the nodes of some ops if they were done in place."""


@functools.cache
def named_class(kind: type[Node], name: str) -> type[Node]:
    """Return the class of nodes like these that have another name."""
    return type(name, (kind,), {"__slots__": ()})


def rename(node: Node | None, name: str) -> None:
    """Give a node another name."""
    if node is not None:
        node.__class__ = named_class(type(node), name)  # type: ignore[arg-type]


def name_written(node: Node | None) -> None:
    """Give the node of what was computed for an op in place the op's own name."""
    if node is not None and type(node).__name__ in WRITTEN_NAMES:
        rename(node, WRITTEN_NAMES[type(node).__name__])


def write_constant(tensor: Tensor, values: Any, name: str) -> Tensor:
    """Let a tensor have values that nothing has a derivative by.

    Args:
        name: of the node, if the tensor has a history, which ends here.
    """
    result = constant(tensor, values)
    rename(history(result), name)
    return assign(tensor, result)


def inplace(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Return the in-place twin of an op: ``exp_`` of ``exp``."""

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self)
        result = function(self, *args, **kwargs)
        if history(result) is not None:
            check_writable(self, recorded=True)
        elif history(self) is not None and not is_differentiable(result._data.dtype):
            check_fits(self, result._data.shape, result._data.dtype)
            overload = int(any([isinstance(arg, Tensor) for arg in args]))
            return write_constant(self, result, f"{title}Backward{overload}")
        if lifted(self, result):
            # What was recorded on lower levels has saved what is lifted now.
            result = function(self, *args, **kwargs)
        name_written(history(result))
        return assign(self, result)

    title = camel(function.__name__)

    call.__name__ = call.__qualname__ = function.__name__ + "_"
    call.__doc__ = f"In-place version of `{function.__name__}`."
    return call
