"""`torch.autograd.Function`: ops whose derivative the user writes.

The context that forward and backward get *is* the node of the op: what a user puts on
``ctx`` is found on ``grad_fn`` later. Recording is off while forward runs; afterwards its
results get the node, whose rule is the user's backward.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import errors, modes
from .engine import Bundle, Cotangents, Edges, Node, Output, clock
from .inplace import check_writable
from .primitives.copying import zeros_like
from .primitives.fitting import fit_one
from .saved import modified
from .tensor import (
    AccumulateGrad,
    Tensor,
    counter,
    history,
    is_differentiable,
    plain,
    wrap_like,
)
from .views import View, attach


class FunctionCtx:
    """What forward and backward share; see `Function`."""

    needs_input_grad: tuple[bool, ...]
    to_save: tuple[Tensor | None, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    saved_for_forward: tuple[Tensor, ...] = ()
    materialize_grads = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for backward; see ``ctx.saved_tensors`` there."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    "save_for_backward can only save variables, but argument has type "
                    f"{type(tensor).__name__}"
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor) -> None:
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """State that forward has written into these inputs."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """State that these outputs have no derivative."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros for the gradient of an unused output, or None."""
        self.materialize_grads = value


class FunctionNode(Node, FunctionCtx):
    """The node of a custom function; each has a class of its own, with a dictionary."""

    function: type[Function]
    runs_undefined = True
    inputs: Sequence[Any]
    """For each argument whether it was a tensor, and then its shape and dtype."""
    results: Sequence[Any]
    """For each output its shape and dtype, or None if it has no gradient."""

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` has kept, checked to be as it was."""
        try:
            saved = self.saved
        except AttributeError:
            return self.to_save
        if saved is None:
            raise errors.freed_graph()
        return tuple([entry.unpack(self) for entry in saved])

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        edges = super().next_functions
        return tuple(
            [edge for edge, spec in zip(edges, self.inputs, strict=True) if spec]
        )

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        if modes.is_grad_enabled():
            return modes.unrecorded(self.apply, grad, edges)
        given = self.gradients(grad, wrap_like)
        return [
            None if found is None else found._data for found in self.call(given, edges)
        ]

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        return self.call(self.gradients(grad, lambda tensor: tensor), edges)

    def output_count(self) -> int:
        return len(self.results)

    def output_node(self, index: int) -> Node:
        """Return where the gradient of an output goes."""
        return self if len(self.results) == 1 else Output(self, index)

    def gradients(self, grad: Any, show: Callable[[Any], Tensor]) -> list[Tensor | None]:
        """Return the gradients of all outputs as backward gets them."""
        if len(self.results) == 1:
            found = {0: grad}
        else:
            found = grad if type(grad) is Bundle else Bundle()
        given: list[Tensor | None] = []
        for index, spec in enumerate(self.results):
            value = found.get(index)
            if value is not None:
                given.append(show(value))
            elif self.materialize_grads and spec is not None:
                given.append(zeros_like(spec()))
            else:
                given.append(None)
        return given

    def call(self, grads: list[Tensor | None], edges: Edges) -> list[Tensor | None]:
        """Call the user's backward and check what it returns."""
        returned = self.function.backward_rule()(self, *grads)
        if not isinstance(returned, tuple):
            returned = (returned,) if not isinstance(returned, list) else tuple(returned)
        return self.checked(returned, edges)

    def checked(self, returned: tuple[Any, ...], edges: Edges) -> list[Tensor | None]:
        """Refuse gradients that are too few, or do not fit the inputs; fit the others."""
        name, count = self.name(), len(self.inputs)
        if len(returned) > count and all(g is None for g in returned[count:]):
            returned = returned[:count]
        if len(returned) != count:
            raise errors.wrong_gradient_count(name, count, len(returned))
        fitted: list[Tensor | None] = []
        for index, (value, spec) in enumerate(zip(returned, self.inputs, strict=True)):
            if value is None:
                fitted.append(None)
                continue
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"expected Variable or None (got {type(value).__name__})"
                )
            if spec is None:
                raise RuntimeError(
                    f"function {name} returned a gradient different than None at position "
                    f"{index + 1}, but the corresponding forward input was not a Variable"
                )
            if edges[index] is None:
                fitted.append(None)
                continue
            fitted.append(fit_to(name, index, value, *spec))
        return fitted


def fit_to(name: str, index: int, value: Tensor, shape: Any, dtype: Any) -> Tensor:
    """Bring a returned gradient to its input's shape and dtype, or refuse it."""
    found = tuple(value.shape)
    if found != shape:
        lead = len(found) - len(shape)
        fits = lead >= 0 and all(
            want in (1, have) for want, have in zip(shape, found[lead:], strict=True)
        )
        if not fits:
            raise errors.invalid_gradient(name, index, found, shape)
    fitted: Tensor = fit_one(value, shape, dtype)
    return fitted


class SavedInput:
    """A tensor that `save_for_backward` keeps, with its version."""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor | None) -> None:
        self.tensor = tensor
        self.version = 0 if tensor is None else tensor._version

    def unpack(self, node: FunctionNode) -> Tensor | None:
        tensor = self.tensor
        if tensor is not None and tensor._version != self.version:
            raise modified(tensor._data, tensor._node, tensor._version, self.version)
        return tensor


class SavedOutput:
    """An output that is kept: its array, for the tensor itself would make a cycle."""

    __slots__ = ("data", "index", "version", "versions")

    def __init__(self, tensor: Tensor, index: int) -> None:
        self.data = tensor._data
        self.index = index
        self.versions = counter(tensor)
        self.version = self.versions[0]

    def unpack(self, node: FunctionNode) -> Tensor:
        tensor = wrap_like(self.data)
        tensor._counter = self.versions
        if self.versions[0] != self.version:
            raise modified(self.data, node, self.versions[0], self.version)
        if node.results[self.index] is not None and any(node.edges):
            tensor._node = node.output_node(self.index)
        return tensor


class Function:
    """An op with a derivative of your own: subclass it and call `apply`.

    `forward(ctx, *args)` computes; `backward(ctx, *grads)` returns the gradient of each
    argument, None for those that have none. Or `forward(*args)` with
    `setup_context(ctx, inputs, output)`.

    >>> import wengert as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return grad * 2
    >>> x = torch.ones(1, requires_grad=True)
    >>> Double.apply(x)
    tensor([2.], grad_fn=<DoubleBackward>)
    """

    generate_vmap_rule = False
    _node_class: type[FunctionNode] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. "
            "Please use new-style autograd function with static forward method: call "
            f"{type(self).__name__}.apply(...) instead of an instance."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the op."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keep on `ctx` what backward needs, if forward does not take it."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradients of the arguments for those of the outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the tangents of the outputs for those of the arguments."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it "
            "with forward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the op."""
        if kwargs:
            raise TypeError(f"{cls.__name__}.apply() takes no keyword arguments")
        level = max(
            [
                arg._special.level
                for arg in args
                if isinstance(arg, Tensor) and arg._special is not None
            ],
            default=0,
        )
        if level:
            from .layers.functions import apply_on_level

            return apply_on_level(cls, level, args)
        return apply_plain(cls, args)

    @classmethod
    def has_own(cls, name: str) -> bool:
        """Whether the subclass defines one of the methods."""
        return getattr(cls, name) is not getattr(Function, name)

    @classmethod
    def backward_rule(cls) -> Callable[..., Any]:
        """Return the method that is the derivative rule, whichever name it has."""
        return cls.vjp if cls.has_own("vjp") else cls.backward

    @classmethod
    def new_node(cls) -> FunctionNode:
        """Return a fresh node, which is the context."""
        kind = cls.__dict__.get("_node_class")
        if kind is None:
            kind = type(f"{cls.__name__}Backward", (FunctionNode,), {"function": cls})
            cls._node_class = kind
        node: FunctionNode = kind()
        node.number = next(clock)
        node.edges = ()
        node.fits = None
        return node


def apply_plain(cls: type[Function], args: tuple[Any, ...]) -> Any:
    """Call a function on tensors that belong to no transformation."""
    node = cls.new_node()
    edges = tuple([history(arg) if isinstance(arg, Tensor) else None for arg in args])
    node.needs_input_grad = tuple([edge is not None for edge in edges])
    node.inputs = [
        (tuple(arg._data.shape), arg._data.dtype) if isinstance(arg, Tensor) else None
        for arg in args
    ]
    recorded = modes.is_grad_enabled() and any(edges)
    result = run_forward(cls, node, args)
    outputs = result if isinstance(result, tuple) else (result,)
    outputs = finish(node, args, outputs, edges if recorded else ())
    return outputs if isinstance(result, tuple) else outputs[0]


def run_forward(cls: type[Function], node: FunctionNode, args: tuple[Any, ...]) -> Any:
    """Call the user's forward, in whichever style, with recording off."""
    previous = modes.switch("grad", False)
    try:
        if not cls.has_own("setup_context"):
            return cls.forward(node, *args)
        result = cls.forward(*args)
        cls.setup_context(node, args, result)
        return result
    finally:
        modes.switch("grad", previous)


def finish(
    node: FunctionNode, args: tuple[Any, ...], outputs: tuple[Any, ...], edges: Edges
) -> tuple[Any, ...]:
    """Give the outputs the node, and the node what it keeps.

    Args:
        edges: empty if nothing is to be recorded.
    """
    without = {id(tensor) for tensor in node.non_differentiable}
    dirty = {id(tensor) for tensor in node.dirty_tensors}
    inputs = {id(arg) for arg in args if isinstance(arg, Tensor)}
    made = []
    for out in outputs:
        if isinstance(out, Tensor):
            if id(out) in dirty:
                if edges:
                    check_dirty(out)
                counter(out)[0] += 1
            elif id(out) in inputs:
                out = aliased(out)
            elif history(out) is not None:
                out = aliased(out) if not edges else out
        made.append(out)
    node.results = [spec_of(out) if id(out) not in without else None for out in made]
    if edges:
        node.edges = edges
        for index, out in enumerate(made):
            if node.results[index] is not None:
                give_history(node, out, index)
    originals = {id(out): index for index, out in enumerate(outputs)}
    if edges:
        node.saved = tuple(
            [
                SavedOutput(made[originals[id(tensor)]], originals[id(tensor)])
                if id(tensor) in originals
                else SavedInput(tensor)
                for tensor in node.to_save
            ]
        )
    node.to_save = node.dirty_tensors = node.non_differentiable = ()
    return tuple(made)


def spec_of(out: Any) -> Callable[[], Any] | None:
    """Return how to make zeros for an output's gradient; None if it has none."""
    if not isinstance(out, Tensor) or not is_differentiable(out._data.dtype):
        return None
    shape, dtype = tuple(out._data.shape), out._data.dtype
    return lambda: plain(np.zeros(shape, dtype))


def check_dirty(out: Tensor) -> None:
    """Refuse that forward has written into a leaf that requires grad."""
    if isinstance(history(out), AccumulateGrad):
        raise RuntimeError(
            "a leaf Variable that requires grad has been used in an in-place operation."
        )
    check_writable(out, recorded=True)


def aliased(tensor: Tensor) -> Tensor:
    """Return another tensor of the same memory, for an input that is an output too."""
    alias = wrap_like(tensor._data)
    attach(alias, tensor, lambda base: aliased(base), "function")
    return alias


def give_history(node: FunctionNode, out: Tensor, index: int) -> None:
    """Let an output's gradient go to the node."""
    out._node = node.output_node(index)
    special = out._special
    if isinstance(special, View):
        special.origin = "function"
        special.version = special.base._version


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that is not made of differentiable ops.

    Its result is right, but asking for its derivative raises an error.
    """

    @functools.wraps(backward)
    def call(ctx: Any, *grads: Any) -> Any:
        previous = modes.switch("grad", False)
        try:
            returned = backward(ctx, *grads)
        finally:
            modes.switch("grad", previous)
        if not modes.is_grad_enabled():
            return returned
        if not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return returned
        several = returned if isinstance(returned, tuple) else (returned,)
        guarded = tuple([guard(value) for value in several])
        return guarded if isinstance(returned, tuple) else guarded[0]

    return call


def guard(value: Any) -> Any:
    """Return a tensor like this whose derivative is refused."""
    if not isinstance(value, Tensor):
        return value
    guarded = value.detach()
    guarded._node = Error()
    return guarded


class Error(Node):
    """The node of what must not be differentiated a second time."""

    __slots__ = ()

    def __init__(self) -> None:
        self.number = next(clock)
        self.edges = (AccumulateGrad(plain(np.zeros(()))),)
        self.fits = None

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with "
            "@once_differentiable"
        )

    apply_recorded = apply
