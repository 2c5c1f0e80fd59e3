"""What a captured program relies on besides values, and whether that still holds.

What a function reaches by itself (closure cells, globals, defaults, and what these
hold: modules, optimizers, containers, other functions) is looked through once by
`Reached`, which notes for each place what was found there.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import dtypes, modes
from ..tensor import AccumulateGrad, Tensor

Name = Callable[[Any], str]
PLAIN = (int, float, complex, str, bytes, bool, type(None))
DEPTH = 6
LIMIT = 20000


def key_of(leaves: Sequence[Any]) -> tuple[Any, ...]:
    """Return what must be equal for a function to run eagerly again."""
    seen: dict[int, int] = {}
    key: list[Any] = [
        modes.is_grad_enabled(),
        modes.local.inference,
        dtypes.get_default_dtype(),
    ]
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, Tensor):
            data = leaf._data
            first = seen.setdefault(id(leaf), place)
            node = leaf._node
            key.append(
                (
                    first,
                    data.shape,
                    data.dtype,
                    node is not None,
                    node is None or type(node) is AccumulateGrad,
                    getattr(leaf, "_grad", None) is None,
                    () if data.base is None else sharing(leaf, leaves),
                )
            )
        elif isinstance(leaf, PLAIN):
            key.append((type(leaf), repr(leaf)))
        else:
            key.append(Same(leaf))
    return tuple(key)


def sharing(tensor: Tensor, leaves: Sequence[Any]) -> tuple[int, ...]:
    """Return which other arguments may share memory with a tensor."""
    return tuple(
        [
            place
            for place, leaf in enumerate(leaves)
            if leaf is not tensor
            and isinstance(leaf, Tensor)
            and np.may_share_memory(leaf._data, tensor._data)
        ]
    )


class Same:
    """Equal for the very same object alone."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.thing is self.thing

    __hash__ = object.__hash__


class Reached:
    """The places that a function reads, and what was found there."""

    def __init__(self, function: Callable[..., Any], leaves: Sequence[Any]) -> None:
        self.seen: set[int] = set()
        self.held: list[Any] = []
        self.cells: list[tuple[Any, Any]] = []
        self.items: list[tuple[Any, Any, Any]] = []
        self.lengths: list[tuple[Any, int]] = []
        for thing in (function, *leaves):
            self.visit(thing, DEPTH)

    def conditions(self, name: Name) -> Iterator[str]:
        """Write the conditions that a place holds something else now.

        Args:
            name: returns what an object is called there.
        """
        for cell, value in self.cells:
            yield differs(f"{name(cell)}.cell_contents", value, name)
        for container, key, value in self.items:
            plain = type(key) in (int, str)
            where = f"{name(container)}[{repr(key) if plain else name(key)}]"
            yield differs(where, value, name)
        for container, size in self.lengths:
            yield f"len({name(container)}) != {size}"

    def visit(self, value: Any, depth: int) -> None:
        """Look through a value."""
        kind = type(value)
        if depth == 0 or isinstance(value, (*PLAIN, Tensor, types.ModuleType, type)):
            return
        if id(value) in self.seen or len(self.items) > LIMIT:
            return
        self.seen.add(id(value))
        self.held.append(value)
        if kind is types.FunctionType:
            self.visit_function(value, depth)
        elif kind is types.MethodType:
            self.visit(value.__func__, depth)
            self.visit(value.__self__, depth)
        elif kind in (list, tuple):
            self.note_all(value, range(len(value)), depth)
        elif isinstance(value, dict):
            self.note_all(value, list(value), depth)
        elif is_module(value):
            self.visit_module(value, depth)
        elif not is_optimizer(value) and not foreign(kind):
            attributes = getattr(value, "__dict__", None)
            if isinstance(attributes, dict):
                self.note_all(attributes, list(attributes), depth)
            self.visit(getattr(kind, "__call__", None), depth)  # noqa: B004 (its code)

    def note_all(self, container: Any, keys: Any, depth: int) -> None:
        if not isinstance(container, tuple):
            self.lengths.append((container, len(container)))
        for key in keys:
            value = container[key]
            if not isinstance(container, tuple):
                self.items.append((container, key, value))
            self.visit(value, depth - 1)

    def visit_function(self, function: types.FunctionType, depth: int) -> None:
        if foreign(function):
            return
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self.cells.append((cell, value))
            self.visit(value, depth - 1)
        for name in names_in(function.__code__):
            if name in function.__globals__:
                value = function.__globals__[name]
                self.items.append((function.__globals__, name, value))
                self.visit(value, depth - 1)
        self.visit(function.__defaults__, depth - 1)
        self.visit(function.__kwdefaults__, depth - 1)

    def visit_module(self, module: Any, depth: int) -> None:
        for part in module.modules():
            own = vars(part)
            self.seen.add(id(part))
            for name, value in own.items():
                if name in ("_parameters", "_buffers", "_modules"):
                    self.lengths.append((value, len(value)))
                    for key, item in value.items():
                        self.items.append((value, key, item))
                elif name.endswith("_hooks") and isinstance(value, dict):
                    self.lengths.append((value, len(value)))
                elif isinstance(value, (*PLAIN, Tensor)):
                    self.items.append((own, name, value))
                elif not name.startswith("_"):
                    self.visit(value, depth - 1)
            forward = type(part).forward
            if isinstance(forward, types.FunctionType):
                self.visit(forward, depth - 1)


def differs(place: str, value: Any, name: Name) -> str:
    """Return the condition that a place does not hold a value, or what equals it."""
    if value is None or isinstance(value, bool):
        return f"{place} is not {value}"
    if isinstance(value, PLAIN):
        return f"{place} is not {name(value)} and not same({place}, {name(value)})"
    return f"{place} is not {name(value)}"


def same(found: Any, value: Any) -> bool:
    """Whether two plain values are equal: of one type, and zeros of one sign."""
    return type(found) is type(value) and repr(found) == repr(value)


def names_in(code: types.CodeType) -> list[str]:
    """Return the global names of a function and of those that are defined in it."""
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += names_in(constant)
    return names


def foreign(thing: Any) -> bool:
    """Whether something belongs to this package, to NumPy or to Python itself."""
    module = getattr(thing, "__module__", None) or ""
    return module.split(".")[0] in (
        "wengert",
        "numpy",
        "builtins",
        "functools",
        "random",
    )


def is_module(value: Any) -> bool:
    from ..nn.module import Module

    return isinstance(value, Module)


def is_optimizer(value: Any) -> bool:
    from ..optim.optimizer import Optimizer

    return isinstance(value, Optimizer)
