"""What nodes keep of the inputs and outputs of their ops, and getting it back checked.

`node.saved` holds two entries for each name in `primitive.saves`: the value, and how to
check it. A tensor (an input) is checked against the version it had: an integer. An
array (a result; its tensor would make a cycle) has a pair: the result's version
counter, and its version. A constant has None. What a saved-tensor hook has packed is a
`Packed`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import dtypes, errors, modes
from .engine import Node, output_of, source
from .tensor import (
    AccumulateGrad,
    Tensor,
    counter,
    history,
    is_differentiable,
    is_inference,
    level_of,
    new,
    wrap_at,
    wrap_like,
)


class Packed:
    """What a pack hook made of a saved tensor, and the hook that unpacks it.

    `edge` is the history of a saved input, which the unpacked tensor gets again.
    """

    __slots__ = ("content", "edge", "unpack_hook")
    _counter = ()

    def __init__(
        self, content: Any, unpack_hook: Callable[[Any], Any], edge: Node | None
    ) -> None:
        self.content = content
        self.unpack_hook = unpack_hook
        self.edge = edge

    def unpack(self) -> Any:
        """Return the tensor that the hook makes of the content."""
        previous = modes.switch("grad", False)
        try:
            tensor = self.unpack_hook(self.content)
        finally:
            modes.switch("grad", previous)
        if not isinstance(tensor, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got "
                f"result of type {type(tensor).__name__}"
            )
        alias = wrap_at(level_of(tensor), tensor._data)
        if self.edge is not None and not is_differentiable(tensor._data.dtype):
            raise errors.integers_require_no_grad()
        alias._node = self.edge
        return alias


def bare(tensor: Tensor) -> Tensor:
    """Return a tensor of the same memory, version and level without history."""
    alias = wrap_at(level_of(tensor), tensor._data)
    alias._counter = counter(tensor)
    return alias


Hooks = tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]


def saved_hooks() -> Hooks | None:
    """Return the innermost pair of hooks that is to have what is saved now."""
    pairs = modes.local.saved_hooks
    return None if not pairs or isinstance(pairs[-1], str) else pairs[-1]


def check_hooks(name: str, *hooks: Any) -> None:
    """Refuse hooks that cannot be called, for which `name` was called."""
    if not all(map(callable, hooks)):
        kinds = ", ".join([type(hook).__name__ for hook in hooks])
        raise TypeError(
            f"{name}(): incompatible function arguments. The following argument types "
            f"are supported:\n    two functions\n\nInvoked with: {kinds}"
        )


def pack(shown: Tensor, hooks: Hooks, edge: Node | None) -> Packed:
    """Let a pack hook have a tensor, and return what is kept in its place."""
    before = shown._version
    previous = modes.switch("grad", False)
    try:
        content = hooks[0](shown)
    finally:
        modes.switch("grad", previous)
    if shown._version != before:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors "
            "provided as input to pack hook cannot be modified by in-place "
            "operations as this can lead to unexpected side-effects. Please open an "
            "issue if you need to perform in-place operations on the input to a pack "
            "hook."
        )
    return Packed(content, hooks[1], edge)


def pack_saved(node: Any, hooks: Hooks, index: int) -> None:
    """Let a pack hook have one of the values that an op's node has saved."""
    saved = list(node.saved)
    value, check = saved[2 * index : 2 * index + 2]
    if isinstance(check, int):
        saved[2 * index] = pack(value, hooks, history(value))
    elif check is not None:
        level = check[2] if len(check) == 3 else 0
        result = wrap_at(level, value)
        shown = with_history(node, index, wrap_at(level, value))
        shown._counter = check[0]
        saved[2 * index] = packed = pack(shown, hooks, None)
        if packed.content is shown:  # which would hold the node that holds it
            packed.content = result
    node.saved = tuple(saved)
    if node.packs is None:
        node.__class__ = unpacking(node.__class__)


@functools.cache
def unpacking(kind: type[Node]) -> type[Node]:
    """Return the class of nodes like these that have packed values.

    All of them are unpacked, each once, before the rules run.
    """

    def apply(node: Any, grad: Any, edges: Any) -> Any:
        return kind.apply(unpacked(node, kind), grad, edges)

    def apply_recorded(node: Any, grad: Any, edges: Any) -> Any:
        return kind.apply_recorded(unpacked(node, kind), grad, edges)

    members = {
        "__slots__": (),
        "packs": kind,
        "apply": apply,
        "apply_recorded": apply_recorded,
    }
    return type(kind.__name__, (kind,), members)


def unpacked(node: Any, kind: type[Node]) -> Any:
    """Return a node like this whose values are unpacked."""
    if node.saved is None:
        raise errors.freed_graph()
    twin = new(kind)
    twin.number, twin.edges, twin.fits = node.number, node.edges, node.fits
    if hasattr(node, "params"):
        twin.params = node.params
    saved = list(node.saved)
    for index in range(len(saved) // 2):
        if type(saved[2 * index]) is Packed:
            tensor = unpack_one(node, index)
            saved[2 * index : 2 * index + 2] = tensor, tensor._version
    twin.saved = tuple(saved)
    return twin


def unpack_one(node: Any, index: int) -> Tensor:
    """Return a packed value as a tensor with its history."""
    packed, check = node.saved[2 * index : 2 * index + 2]
    tensor: Tensor = packed.unpack()
    return with_history(node, index, tensor) if type(check) is tuple else tensor


def with_history(node: Any, index: int, tensor: Tensor) -> Tensor:
    """Let a tensor of a result that was saved have the result's history."""
    name = node.primitive.saves[index]
    if name in node.primitive.outputs and is_differentiable(tensor._data.dtype):
        place = node.primitive.outputs.index(name)
        tensor._node = output_of(node, place)
    return tensor


class RawSaved:
    """One of the values that an op has saved, for which hooks can be registered."""

    def __init__(self, node: Any, index: int) -> None:
        self.node = node
        self.index = index

    def register_hooks(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        """Pack the value at once, and unpack it whenever it is needed."""
        saved = self.node.saved
        if saved is None:
            raise errors.hooks_on_freed()
        check_hooks("register_hooks", pack_hook, unpack_hook)
        if type(saved[2 * self.index]) is Packed:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already "
                "been set. Hint: only one pair of hooks is allowed at a time."
            )
        pack_saved(self.node, (pack_hook, unpack_hook), self.index)


def unpack(node: Any, index: int) -> Any:
    """Return the array of a saved value, checked to be as it was when it was saved."""
    saved = node.saved
    if saved is None:
        raise errors.freed_graph()
    value = saved[2 * index]
    check = saved[2 * index + 1]
    if check is None:
        return value
    if type(check) is int:
        version = value._counter
        if (0 if version is None else version[0]) == check:
            return value._data
    elif check[0][0] == check[1]:
        return value
    return saved_value(node, index)


def unpack_recorded(node: Any, index: int) -> Any:
    """Return a saved value as a tensor with its history."""
    if node.saved is not None and type(node.saved[2 * index]) is Packed:
        return unpack_one(node, index)
    value = saved_value(node, index)
    check = node.saved[2 * index + 1]
    if type(check) is int:
        refuse_detached(node, index, value)
    if type(check) is not tuple:
        return value
    tensor = wrap_at(check[2], value) if len(check) == 3 else wrap_like(value)
    name = node.primitive.saves[index]
    if is_differentiable(value.dtype):
        tensor._node = node_of_result(node, node.primitive.outputs.index(name))
    return tensor


def node_of_result(node: Any, index: int) -> Node:
    """Return where the gradient of a saved result goes.

    What was written into a view has the history of the view after that.
    """
    written = getattr(node, "outputs", {}).get(WRITTEN)
    return output_of(node, index) if written is None else written().of_view()


WRITTEN = -1
"""The key, among a node's outputs, of the node of the base that it has written to."""


def refuse_detached(node: Any, index: int, value: Tensor) -> None:
    """Refuse a saved input whose history was taken away after it was saved."""
    if value._node is None:
        edge = node.edges[node.primitive.inputs.index(node.primitive.saves[index])]
        if edge is not None and not isinstance(edge, AccumulateGrad):
            raise errors.detached_in_place()


def saved_value(node: Any, index: int) -> Any:
    """Return a saved value after checking it."""
    saved = node.saved
    if saved is None:
        raise errors.freed_graph()
    value, check = saved[2 * index : 2 * index + 2]
    if check is None:
        return value
    if type(check) is int:
        version, expected = value._version, check
    else:
        now, expected = check[:2]
        version = now[0]
    if version != expected:
        raise stale(node, value, check, version, expected)
    return value


# --- what custom functions save -------------------------------------------------------


class SavedInput:
    """A tensor that `save_for_backward` keeps, with its version."""

    __slots__ = ("packed", "tensor", "version")

    def __init__(self, tensor: Tensor | None) -> None:
        self.tensor = tensor
        if tensor is not None and tensor._special is not None:
            check_savable(tensor)
        self.version = 0 if tensor is None else tensor._version
        self.packed = None
        hooks = saved_hooks()
        if hooks is not None and tensor is not None:
            self.packed = pack(tensor, hooks, history(tensor))
            self.tensor = None

    def unpack(self, node: Any) -> Tensor | None:
        if self.packed is not None:
            return self.packed.unpack()
        tensor = self.tensor
        if tensor is not None and tensor._version != self.version:
            raise modified(tensor._data, tensor._node, tensor._version, self.version)
        return tensor


class SavedOutput:
    """An output that is kept: its array, for the tensor itself would make a cycle."""

    __slots__ = ("data", "index", "packed", "version", "versions")

    def __init__(self, tensor: Tensor, index: int) -> None:
        self.data = tensor._data
        self.index = index
        self.versions = counter(tensor)
        self.version = self.versions[0]
        self.packed = None
        hooks = saved_hooks()
        if hooks is not None:
            self.packed = pack(bare(tensor), hooks, None)
            self.data = None

    def unpack(self, node: Any) -> Tensor:
        if self.packed is not None:
            tensor = self.packed.unpack()
        else:
            if self.versions[0] != self.version:
                raise modified(self.data, node, self.versions[0], self.version)
            tensor = wrap_at(node.level, self.data)
            tensor._counter = self.versions
        if node.differentiable[self.index]:
            tensor._node = output_of(node, self.index)
        return tensor


# --- errors ---------------------------------------------------------------------------


def check_savable(tensor: Tensor) -> None:
    """Refuse to save a tensor that must not have to do with recording."""
    if is_inference(tensor):
        raise errors.inference_saved()


def stale(node: Any, value: Any, check: Any, version: int, expected: int) -> Exception:
    """Return the error about a saved value that was written to since."""
    if type(check) is int:
        return modified(value._data, value._node, version, expected)
    return modified(value, node, version, expected)


def modified(
    data: Any, made_by: Node | None, version: int, expected: int
) -> RuntimeError:
    """Return the error about a saved array that was written to since."""
    found = data.dtype
    known = found if type(found) is dtypes.dtype else dtypes.from_numpy(found)
    producer = None
    if made_by is not None and not isinstance(made_by, AccumulateGrad):
        producer = source(made_by)
    return errors.modified_in_place(
        f"{known.scalar_type}Tensor",
        data.shape,
        producer,
        version,
        expected,
        modes.local.anomaly,
    )
