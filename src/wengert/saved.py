"""What nodes keep of the inputs and outputs of their ops, and getting it back checked.

`node.saved` holds two entries for each name in `primitive.saves`: the value, and how to
check it. A tensor (an input) is checked against the version it had: an integer. An array
(a result; its tensor would make a cycle) has a pair: the result's version counter, and
its version. A constant has None. What a saved-tensor hook has packed is a `Packed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dtypes, errors, modes
from .engine import Node, output_of, source
from .tensor import AccumulateGrad, Tensor, is_differentiable, level_of, wrap_at, wrap_like


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
        alias._node = self.edge
        return alias


Hooks = tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]


def saved_hooks() -> Hooks | None:
    """Return the innermost pair of hooks that is to have what is saved now."""
    pairs = modes.local.saved_hooks
    return None if not pairs or isinstance(pairs[-1], str) else pairs[-1]


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
            "A saved tensor pack hook is modifying its input in place. Tensors provided "
            "as input to pack hook can not be modified by in-place operations as this "
            "can lead to unexpected side-effects. Please open an issue if you need to "
            "perform in-place operations on the input to a pack hook."
        )
    return Packed(content, hooks[1], edge)


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
        if type(value) is Packed:
            return saved_value(node, index)._data
        version = value._counter
        if (0 if version is None else version[0]) == check:
            return value._data
    elif check[0][0] == check[1] and type(value) is not Packed:
        return value
    return saved_value(node, index)


def unpack_recorded(node: Any, index: int) -> Any:
    """Return a saved value as a tensor with its history."""
    value = saved_value(node, index)
    check = node.saved[2 * index + 1]
    if type(check) is not tuple:
        return value
    tensor = wrap_at(check[2], value) if len(check) == 3 else wrap_like(value)
    name = node.primitive.saves[index]
    if is_differentiable(value.dtype):
        tensor._node = output_of(node, node.primitive.outputs.index(name))
    return tensor


def saved_value(node: Any, index: int) -> Any:
    """Return a saved value after checking it."""
    saved = node.saved
    if saved is None:
        raise errors.freed_graph()
    value, check = saved[2 * index : 2 * index + 2]
    if check is None:
        return value
    if type(check) is int:
        if value.__class__ is Packed:
            return value.unpack()
        version, expected = value._version, check
    else:
        now, expected = check[:2]
        version = now[0]
        if value.__class__ is Packed:
            return value.unpack()._data
    if version != expected:
        raise stale(node, value, check, version, expected)
    return value


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
        producer,  # type: ignore[arg-type]
        version,
        expected,
        modes.local.anomaly,
    )
