"""`torch.autograd.Function`: ops whose derivative the user writes.

The context that forward and backward get *is* the node of the op: what a user puts on
``ctx`` is found on ``grad_fn`` later. Recording is off while forward runs; afterwards
its results get the node, whose rule is the user's backward.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import errors, modes
from .engine import Bundle, Cotangents, Edges, Node, clock, outputs_of
from .hooks import carry_retained
from .inplace import check_writable, take_history
from .primitives.fitting import fit_returned
from .recording import edges_of, numpy_dtype, recorded_specially
from .saved import SavedInput, SavedOutput, bare
from .tensor import (
    AccumulateGrad,
    Tensor,
    counter,
    history,
    is_differentiable,
    level_of,
    plain,
    wrap_at,
)
from .views import Severed, View, attach


class FunctionCtx:
    """What forward and backward share; see `Function`."""

    needs_input_grad: tuple[bool, ...]
    to_save: tuple[Tensor | None, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    saved_for_forward: tuple[Tensor | None, ...] = ()
    materialize_grads = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for backward; see ``ctx.saved_tensors`` there."""
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    "save_for_backward can only save variables, but argument "
                    f"{position} is of type {type(tensor).__name__}"
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`."""
        if not all(isinstance(tensor, Tensor | None) for tensor in tensors):
            raise AssertionError(
                "save_for_forward expects all arguments to be tensors; you should save "
                "non-tensors as attributes on ctx."
            )
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
    level = 0
    """The level of the transformation that the inputs belong to."""
    inputs: Sequence[Any]
    """For each argument its shape and dtype, or None if it is no tensor."""
    results: Sequence[Any]
    """For each output its shape and dtype, or None if it is no tensor."""
    differentiable: Sequence[bool]
    """For each output whether its gradient comes here."""

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
    def several(self) -> bool:  # type: ignore[override]
        return len(self.results) > 1

    def output_count(self) -> int:
        return len(self.results)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        edges = super().next_functions
        return tuple(
            [edge for edge, spec in zip(edges, self.inputs, strict=True) if spec]
        )

    def __repr__(self) -> str:
        return f"<{__name__}.{self.name()} object at {id(self):#x}>"

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        given = self.gradients(grad, lambda value: wrap_at(self.level, value))
        if not self.level:
            found = modes.unrecorded(self.call, given, edges)
            return [None if value is None else value._data for value in found]
        return [
            value._data
            if value is not None and level_of(value) == self.level
            else value
            for value in self.call(given, edges)
        ]

    def apply_recorded(self, grad: Any, edges: Edges) -> Cotangents:
        return self.call(self.gradients(grad, lambda tensor: tensor), edges)

    def gradients(
        self, grad: Any, show: Callable[[Any], Tensor]
    ) -> list[Tensor | None]:
        """Return the gradients of all outputs as backward gets them."""
        if not self.several:
            found = {0: grad}
        else:
            found = grad if type(grad) is Bundle else Bundle()
        given: list[Tensor | None] = []
        for index, spec in enumerate(self.results):
            value = found.get(index)
            if value is not None:
                given.append(show(value))
            elif self.materialize_grads and spec is not None:
                given.append(plain(np.zeros(*spec)))
            else:
                given.append(None)
        return given

    def release(self) -> None:
        """Forget the tensors that forward has named: outputs would make a cycle."""
        self.to_save = self.dirty_tensors = self.non_differentiable = ()
        self.saved_for_forward = ()

    def call(self, grads: list[Tensor | None], edges: Edges) -> list[Tensor | None]:
        """Call the user's backward and check what it returns."""
        returned = self.function.backward_rule()(self, *grads)
        if not isinstance(returned, tuple):
            returned = (returned,)
        return self.checked(returned, edges)

    def checked(self, returned: tuple[Any, ...], edges: Edges) -> list[Tensor | None]:
        """Refuse gradients that are too few or do not fit; fit the others."""
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
                    f"function {name} returned a gradient different than None at "
                    f"position {index + 1}, but the corresponding forward input was "
                    "not a Variable"
                )
            if edges[index] is None:
                fitted.append(None)
                continue
            fitted.append(fit_returned(name, index, value, *spec))
        return fitted


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
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions "
            "are all static, so you should invoke them on the class itself. "
            "Instantiating an autograd function will raise an error in a future "
            "version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. "
            "Please use new-style autograd function with static forward method. (Call "
            f"{type(self).__name__}.apply(...), not an instance.)"
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
            "You must implement the jvp function for custom autograd.Function to use "
            "it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """Return the outputs for a batch, and the dimensions that number its elements.

        Args:
            info: has ``batch_size`` and ``randomness``.
            in_dims: for each argument the dimension that numbers the elements, or None.

        Without this method a batch goes through forward and backward as they are.
        """
        raise NotImplementedError("vmap is not implemented.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the op."""
        if kwargs or (cls.forward.__defaults__ and cls.has_own("setup_context")):
            args = cls.bound(args, kwargs)
        called = call(cls, args)
        called.context.release()
        return called.outputs[0] if called.single else called.outputs

    @classmethod
    def bound(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return all arguments of forward in their places, with defaults."""
        context = () if cls.has_own("setup_context") else (None,)
        found = inspect.signature(cls.forward).bind(*context, *args, **kwargs)
        if not context:
            found.apply_defaults()
        return found.args[len(context) :]

    @classmethod
    def has_own(cls, name: str) -> bool:
        """Whether the subclass defines one of the methods."""
        return getattr(cls, name) is not getattr(Function, name)

    @classmethod
    def backward_rule(cls) -> Callable[..., Any]:
        """Return the method that is the derivative rule, whichever name it has."""
        if cls.has_own("vjp") and cls.has_own("backward"):
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not "
                "allowed. You should only implement one of them."
            )
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


class Called(NamedTuple):
    """What calling a function has given."""

    outputs: tuple[Any, ...]
    single: bool
    """Whether forward has returned no tuple."""
    context: FunctionNode


def call(cls: type[Function], args: tuple[Any, ...]) -> Called:
    """Call a function on tensors of any level."""
    level = max([level_of(arg) for arg in args if isinstance(arg, Tensor)], default=0)
    if level:
        from .layers.functions import call_on_level

        return call_on_level(cls, level, args)
    context = new_context(cls, args)
    result = run_forward(cls, context, args)
    single = not isinstance(result, tuple)
    return Called(
        finish(context, args, (result,) if single else result), single, context
    )


def new_context(
    cls: type[Function], args: tuple[Any, ...], level: int = 0
) -> FunctionNode:
    """Return a node for a call with tensors of a level, not yet recorded."""
    node = cls.new_node()
    if level:
        node.level = level
    node.edges, cut_off = edges_of(args, level)
    if cut_off:
        node.edges = severed(args, node.edges)
    node.needs_input_grad = tuple([edge is not None for edge in node.edges])
    node.inputs = [spec_of(arg) if isinstance(arg, Tensor) else None for arg in args]
    return node


def severed(args: tuple[Any, ...], edges: Edges) -> Edges:
    """Return edges with ends for arguments that require grad without having a node."""
    return tuple(
        [
            Severed()
            if edge is None and isinstance(arg, Tensor) and arg.requires_grad
            else edge
            for arg, edge in zip(args, edges, strict=True)
        ]
    )


def run_forward(cls: type[Function], node: FunctionNode, args: tuple[Any, ...]) -> Any:
    """Call the user's forward, in whichever style, with recording off."""
    with nothing_recorded():
        if not cls.has_own("setup_context"):
            return cls.forward(node, *args)
        result = cls.forward(*args)
        cls.setup_context(node, args, result)
        return result


class nothing_recorded:
    """A context in which nothing is recorded, on no level."""

    def __enter__(self) -> None:
        self.grad = modes.switch("grad", False)
        self.outer = modes.local.levels
        if self.outer:
            modes.switch("levels", tuple([(number, False) for number, _ in self.outer]))

    def __exit__(self, *exception: object) -> None:
        modes.switch("grad", self.grad)
        if self.outer:
            modes.switch("levels", self.outer)


def finish(
    node: FunctionNode, args: tuple[Any, ...], outputs: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Give the outputs the node, and the node what it keeps, if this is recorded."""
    enabled = modes.is_grad_enabled_at(node.level)
    recorded = enabled and any(node.edges)
    without = {id(tensor) for tensor in node.non_differentiable}
    dirty = {id(tensor) for tensor in node.dirty_tensors}
    inputs = {id(arg) for arg in args if isinstance(arg, Tensor)}
    check_dirty(node, outputs)
    made = [
        out
        if not isinstance(out, Tensor)
        else lifted(out, node.level, recorded)
        if level_of(out) < node.level
        else written_output(out, recorded)
        if id(out) in dirty
        else aliased(out)
        if id(out) in inputs and enabled
        else bare(out)
        if id(out) in inputs or (out._node is not None and not recorded)
        else out
        for out in outputs
    ]
    node.results = [spec_of(out) if isinstance(out, Tensor) else None for out in made]
    node.differentiable = [
        recorded
        and spec is not None
        and id(old) not in without
        and is_differentiable(spec[1])
        for spec, old in zip(node.results, outputs, strict=True)
    ]
    if not recorded:
        node.edges = (None,) * len(args)
        return tuple(made)
    collectors = outputs_of(node, len(made)) if node.several else [node]
    for out, collector, differentiable in zip(
        made, collectors, node.differentiable, strict=False
    ):
        if differentiable:
            give_history(node, out, collector)
    places = {id(out): index for index, out in enumerate(outputs)}
    node.saved = tuple(
        [
            SavedOutput(made[places[id(tensor)]], places[id(tensor)])
            if id(tensor) in places
            else SavedInput(tensor)
            for tensor in node.to_save
        ]
    )
    if modes.special:
        recorded_specially(node)
    return tuple(made)


def check_dirty(node: FunctionNode, outputs: tuple[Any, ...]) -> None:
    """Refuse tensors marked as dirty that are no outputs, or views with company."""
    tensors = [out for out in outputs if isinstance(out, Tensor)]
    returned = {id(out) for out in tensors}
    for tensor in node.dirty_tensors:
        if id(tensor) not in returned:
            raise errors.dirty_not_returned()
        if isinstance(tensor._special, View) and len(tensors) > 1:
            raise errors.dirty_view()


def lifted(out: Tensor, level: int, recorded: bool) -> Tensor:
    """Return an output that is of a lower level, and so constant on this one."""
    return wrap_at(level, out) if recorded else out


def written_output(out: Tensor, recorded: bool) -> Tensor:
    """Let an input that was written to be an output, or refuse it."""
    if recorded:
        if isinstance(history(out), AccumulateGrad):
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place "
                "operation."
            )
        check_writable(out, recorded=True)
    counter(out)[0] += 1
    return out


def spec_of(tensor: Tensor) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return a tensor's shape and NumPy dtype."""
    data = tensor._data
    if type(data) is np.ndarray:
        return data.shape, data.dtype
    return tuple(data.shape), numpy_dtype(data)


def aliased(tensor: Tensor) -> Tensor:
    """Return another tensor of the same memory, for an input that is an output too."""
    alias = wrap_at(level_of(tensor), tensor._data)
    attach(alias, tensor, aliased, "function")
    return alias


def give_history(node: FunctionNode, out: Tensor, collector: Node) -> None:
    """Let an output's gradient go to what collects it for the node."""
    view = out._special
    if not isinstance(view, View):
        before, out._node = out._node, collector
        carry_retained(out, before)
    elif any(out is tensor for tensor in node.dirty_tensors):
        value = wrap_at(node.level, out._data)
        value._node = collector
        take_history(out, value)
    else:
        out._node = collector
        view.origin = "several" if len(node.results) > 1 else "function"
        view.version = counter(view.base)[0]
