"""`torch.autograd.graph`: looking at the record, and at what it keeps."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np

from .. import dtypes, engine, modes
from ..engine import Bundle, Node as Node, source
from ..hooks import RemovableHandle, hooks_of
from ..primitive import OpNode
from ..recording import numpy_dtype, recording_hooks
from ..saved import bare, check_hooks, pack_saved, saved_hooks
from ..tensor import (
    CPU,
    AccumulateGrad,
    Tensor,
    counter,
    history,
    is_inference,
    level_of,
)

Hook = Callable[..., Any]


def call_node(self: Node, *grads: Tensor | None) -> Any:
    """Return what a node makes of the gradients of its op's outputs, without hooks.

    That is recorded in the ordinary way.
    """
    for index, grad in enumerate(grads):
        if grad is not None and not isinstance(grad, Tensor):
            raise TypeError(f"argument {index} is not a Variable")
    if len(grads) != self.output_count():
        count = self.output_count()
        raise TypeError(f"expected {count} arguments, got {len(grads)} instead")
    given: Any = grads[0]
    if self.several:
        given = Bundle({i: g for i, g in enumerate(grads) if g is not None})
    found: tuple[Any, ...] = (None,) * len(self.edges)
    if given is not None:
        kind: Any = self.unhooked or type(self)
        found = tuple(kind.apply_recorded(self, given, self.edges))
    return found[0] if len(found) == 1 else found


for _kind in (OpNode, AccumulateGrad):
    setattr(_kind, "__call__", call_node)  # noqa: B010 (mypy refuses to assign it)


class InputMetadata(NamedTuple):
    """What the gradient is like that a node gets for one of its op's outputs."""

    shape: dtypes.Size
    dtype: dtypes.dtype
    device: dtypes.device
    is_nested_tensor: bool = False
    is_cpp_nested_tensor: bool = False


def input_metadata(self: Node) -> list[InputMetadata]:
    """Return what the gradients are like that a node gets.

    A node does not know the results of its op; one whose `grad_fn` is asked for tells.
    """
    known = engine.shown_results.get(self, {})
    if isinstance(self, AccumulateGrad) and self.variable is not None:
        leaf = self.variable
        known = {0: (leaf.shape, leaf.dtype, leaf.device)}
    for index, spec in enumerate(getattr(self, "results", ())):  # a custom function's
        if spec is not None:
            shape, dtype = dtypes.Size(spec[0]), dtypes.from_numpy(spec[1])
            known.setdefault(index, (shape, dtype, CPU))
    if len(known) < self.output_count():
        raise NotImplementedError(
            f"{self.name()} does not know the shapes of its op's results: ask first "
            "for the grad_fn of each of these."
        )
    return [InputMetadata(*known[index]) for index in range(self.output_count())]


Node._input_metadata = property(input_metadata)  # type: ignore[attr-defined]


class _Edge(NamedTuple):
    node: Node
    output_nr: int
    ownership_token: Any = None


class GradientEdge(_Edge):
    """Where the gradient of a tensor goes: a node, and which of its outputs.

    `of` is the tensor's shape, NumPy dtype and level. A node knows nothing of its
    result, so that an edge made by hand has None there.
    """

    of: tuple[tuple[int, ...], np.dtype[Any], int] | None = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return where the gradient of a tensor goes; it can stand for the tensor."""
    node = history(tensor)
    if node is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not "
            "require gradients"
        )
    found, index = source(node)
    assert found is not None
    keep = tensor if isinstance(found, AccumulateGrad) else None
    edge = GradientEdge(found, index, keep)
    edge.of = (tuple(tensor.shape), numpy_dtype(tensor), level_of(tensor))
    return edge


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Let a tensor count as written to."""
    if not isinstance(tensor, Tensor | Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    several = (tensor,) if isinstance(tensor, Tensor) else tuple(tensor)
    for item in several:
        if not isinstance(item, Tensor):
            raise RuntimeError(
                "increment_version expects each element of the iterable to be a tensor"
            )
    for item in several:
        if not is_inference(item):
            counter(item)[0] += 1


class saved_tensors_hooks:
    """Inside, what ops save goes through a pair of functions.

    Args:
        pack_hook: called with each saved tensor; what it returns is kept instead.
        unpack_hook: called with that in backward; returns a tensor like the first.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 3, lambda t: t):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([6., 6.])
    """

    def __init__(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        self.pair: Any = (pack_hook, unpack_hook)

    def __enter__(self) -> Any:
        check_hooks("_push_saved_tensors_default_hooks", *self.pair)
        self.before = modes.local.saved_hooks
        if self.before and isinstance(self.before[-1], str):
            raise RuntimeError(self.before[-1])
        modes.switch("saved_hooks", (*self.before, self.pair))

    def __exit__(self, *exception: object) -> None:
        modes.switch("saved_hooks", self.before)


class save_on_cpu(saved_tensors_hooks):
    """Keep what ops save on the CPU, where it is already: a copy of it."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda packed: packed)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, entering `saved_tensors_hooks` raises an error with this message."""
    if not isinstance(error_message, str):
        raise TypeError(
            "_saved_tensors_hooks_disable(): incompatible function arguments. The "
            "following argument types are supported:\n    a string\n\nInvoked with: "
            f"{error_message!r}"
        )
    before = modes.local.saved_hooks
    if before and not isinstance(before[-1], str):
        raise RuntimeError(error_message)
    modes.switch("saved_hooks", (error_message,))
    try:
        yield
    finally:
        modes.switch("saved_hooks", before)


def pack_all(node: Node) -> None:
    """Let the innermost pair of hooks have what an op's node has just saved."""
    hooks = saved_hooks()
    if hooks is not None and isinstance(node, OpNode):
        for index in range(len(node.primitive.saves)):
            pack_saved(node, hooks, index)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_SavedCopies]:
    """Inside, what ops have saved may be written to: it is copied before that.

    >>> import wengert as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x * 3
    ...     z = y * y
    ...     y.zero_()
    ...     z.sum().backward()
    tensor([0., 0.], grad_fn=<ZeroBackward0>)
    >>> x.grad
    tensor([18., 18.])
    """
    if modes.local.before_write is not None:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    copies = _SavedCopies()
    with saved_tensors_hooks(copies.keep, copies.give_back):
        modes.switch("before_write", copies.copy)
        try:
            yield copies
        finally:
            modes.switch("before_write", None)
            copies.clear()


class _SavedCopies:
    """What ops have saved inside `allow_mutation_on_saved_tensors`."""

    def __init__(self) -> None:
        self.known: WeakSet[Kept] = WeakSet()
        self.by_memory: dict[int, WeakSet[Kept]] = {}

    def clear(self) -> None:
        """Forget what has been saved: nothing that needs it can be run any more."""
        self.known.clear()
        self.by_memory.clear()

    def keep(self, tensor: Tensor) -> Kept:
        """Keep a saved tensor in a way that lets it be replaced."""
        kept = Kept(bare(tensor))
        self.known.add(kept)
        self.by_memory.setdefault(id(counter(tensor)), WeakSet()).add(kept)
        return kept

    def copy(self, tensor: Tensor) -> None:
        """Replace what is kept of a tensor's memory by copies before a write."""
        for kept in self.by_memory.pop(id(counter(tensor)), ()):
            kept.tensor = kept.tensor.clone()

    def give_back(self, kept: Kept) -> Tensor:
        """Return a saved tensor as it was."""
        if kept not in self.known:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' "
                "context in which the graph was originally recorded."
            )
        return kept.tensor


class Kept:
    """A saved tensor; a copy takes its place before it is written to."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


recording_hooks.append(pack_all)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Hook, *, mode: str = "all"
) -> RemovableHandle:
    """Call a function when the gradients of several tensors have been computed.

    Args:
        tensors: all must require grad.
        fn: with mode "all" called once per backward with a tuple of all gradients (None
            for those that were not computed); with "any" with the first.
        mode: "all" or "any".
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    nodes = [history(tensor) for tensor in tensors]
    if any(node is None for node in nodes):
        raise AssertionError("Expected gradient function to be set")
    gathering = _Gathering(nodes, fn, mode)
    handles = []
    for index, node in enumerate(nodes):
        assert node is not None
        hooks = hooks_of(node).tensor
        handle = RemovableHandle(hooks)
        hooks[handle.id] = functools.partial(gathering.arrived, index)
        handles.append(handle)
    return _Together(handles, gathering)


class _Together(RemovableHandle):
    """A handle that removes several hooks."""

    def __init__(self, handles: list[RemovableHandle], gathering: _Gathering) -> None:
        super().__init__({})
        self.handles = handles
        self.gathering = gathering
        engine.listening.append(gathering.begin)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()
        if self.gathering.begin in engine.listening:
            engine.listening.remove(self.gathering.begin)


class _Gathering(threading.local):
    """Collects the gradients of the backward that is under way in this thread."""

    def __init__(self, nodes: Sequence[Node | None], fn: Hook, mode: str) -> None:
        self.nodes = nodes
        self.fn = fn
        self.mode = mode
        self.begin(set())

    def begin(self, visited: set[Node]) -> None:
        """Forget what an earlier backward has brought; count what this one will."""
        self.expected = sum(node in visited for node in self.nodes)
        self.grads: list[Tensor | None] = [None] * len(self.nodes)
        self.count = 0

    def arrived(self, index: int, grad: Tensor) -> None:
        """Take note of a gradient, and call the function when it is time."""
        self.grads[index] = grad
        self.count += 1
        if self.mode == "any":
            if self.count == 1:
                self.fn(grad)
        elif self.count == self.expected:
            self.fn(tuple(self.grads))
