"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import index
from typing import Any, Self, overload

from .module import Module, indented, layout


class Numbered(Module):
    """A module that holds others in an order: what Sequential and ModuleList share."""

    if __debug__:
        # the modules of these containers are never None
        _modules: dict[str, Any]

    def _key(self, position: Any) -> str:
        """Return the name of the module at a position, which may count from the end."""
        at, size = index(position), len(self)
        if not -size <= at < size:
            raise IndexError(f"index {at} is out of range")
        return list(self._modules)[at]

    def _renumber(self, modules: Iterable[Module]) -> None:
        """Hold these modules, under the names "0", "1" and so on."""
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, position: int, module: Module) -> None:
        setattr(self, self._key(position), module)

    def __delitem__(self, position: int | slice) -> None:
        keys = list(self._modules)
        chosen = (
            keys[position] if isinstance(position, slice) else [self._key(position)]
        )
        for key in chosen:
            del self._modules[key]
        self._renumber(list(self))

    def pop(self, key: int | slice) -> Any:
        """Take the module at a position out and return it."""
        module = self[key]  # type: ignore[index]
        del self[key]
        return module

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but "
                f"got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def _insert(self, position: int, module: Module) -> None:
        modules = list(self)
        modules.insert(position, module)
        self._renumber(modules)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(Numbered):
    """Modules that are called one after the other.

    Args:
        args: the modules, or one ordered dictionary of them by name.

    >>> from wengert import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    @overload
    def __init__(self, *args: Module) -> None: ...
    @overload
    def __init__(self, arg: Mapping[str, Module], /) -> None: ...
    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = args[0].items()
        else:
            named = {str(i): module for i, module in enumerate(args)}.items()
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Call the modules in turn, each with what the previous one returned."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return type(self)(dict(list(self._modules.items())[position]))
        return self._modules[self._key(position)]

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at a position."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        self._insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        self._check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        self._check_sequential(other)
        return self.extend(other)

    def _check_sequential(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )

    def _times(self, count: Any) -> list[Module]:
        if not isinstance(count, int):
            raise TypeError(
                f"unsupported operand type(s) for *: {type(self)} and {type(count)}"
            )
        if count <= 0:
            raise ValueError(
                f"Non-positive multiplication factor {count} for {type(self)}"
            )
        return list(self) * count

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(self._times(other)[len(self) :])


class ModuleList(Numbered):
    """Modules in a list.

    Args:
        modules: what is in it at first.

    >>> from wengert import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return type(self)(list(self)[position])
        return self._modules[self._key(position)]

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at a position."""
        self._insert(index, module)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        lines = []
        for first, last, text in runs([repr(module) for module in self]):
            many = f"{last - first + 1} x " if last > first else ""
            place = f"{first}-{last}" if last > first else f"{first}"
            lines.append(f"({place}): {indented(many + text)}")
        return layout(self._get_name(), [], lines)


def runs(texts: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield where runs of equal texts begin and end."""
    start = 0
    for i, text in enumerate(texts):
        if i + 1 == len(texts) or texts[i + 1] != text:
            yield start, i, text
            start = i + 1


class ModuleDict(Module):
    """Modules by name.

    Args:
        modules: what is in it at first: a mapping, or pairs of a name and a module.

    >>> from wengert import nn
    >>> nn.ModuleDict({"act": nn.ReLU()})["act"]
    ReLU()
    """

    _modules: dict[str, Any]

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take the module of a name out and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """The pairs of a name and a module."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]
    ) -> None:
        """Add modules, replacing those of the same names."""
        for key, module in pairs_of(modules, "ModuleDict"):
            self[key] = module


def pairs_of(entries: Any, kind: str) -> list[tuple[str, Any]]:
    """Return the pairs of a mapping or of an iterable of pairs."""
    if not isinstance(entries, Iterable):
        raise TypeError(
            f"{kind}.update should be called with an iterable of key/value pairs, but "
            f"got {type(entries).__name__}"
        )
    if hasattr(entries, "items"):
        return list(entries.items())
    pairs = list(entries)
    for i, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{kind} update sequence element #{i} should be Iterable; is"
                f"{type(pair).__name__}"
            )
        if len(tuple(pair)) != 2:
            raise ValueError(
                f"{kind} update sequence element #{i} has length {len(tuple(pair))}; 2 "
                "is required"
            )
    return [tuple(pair) for pair in pairs]
