"""Families of ops that are loaded when one of their functions is first asked for.

A program uses few of the 900 functions and methods, and loading all of them would take
longer than most of what is done with them in a session of trying things out. The
families that nearly every program needs are loaded at once; of the others `contents`
lists what they have. A function is found by `public.namespace`, whose missing names
come here; in place of each method the class has a `Later`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..tensor import Layer, Tensor
from .contents import CONTENTS
from .public import namespace

FUNCTIONS = {
    name: family
    for family, (functions, _) in CONTENTS.items()
    for name in functions.split()
}
"""The functions that are left for later, and their families."""


def load(family: str) -> None:
    """Load a family, if it is not yet there."""
    import_module(f"{__package__}.{family}")


def load_all() -> None:
    """Load what was left for later: for whoever wants to know all ops."""
    for family in CONTENTS:
        load(family)


class Later:
    """What stands in a class for a method or property that is left for later.

    It is a data descriptor, as the property that it stands for may be.
    """

    __slots__ = ("family", "name")

    def __init__(self, family: str, name: str) -> None:
        self.family = family
        self.name = name

    def loaded(self) -> Any:
        """Load the family, and return what it has put in this one's place."""
        load(self.family)
        found = vars(Tensor)[self.name]
        if found is self:
            raise AttributeError(f"{self.name} is asked for while it is being made")
        if vars(Layer).get(self.name) is self:
            setattr(Layer, self.name, found)
        return found

    def __get__(self, tensor: Any, owner: type | None = None) -> Any:
        found = self.loaded()
        bind = getattr(type(found), "__get__", None)
        return found if bind is None else bind(found, tensor, owner)

    def __set__(self, tensor: Any, value: Any) -> None:
        self.loaded()
        setattr(tensor, self.name, value)


def stand_in() -> None:
    """Put what stands for the methods that are left for later into the class."""
    for family, (_, methods) in CONTENTS.items():
        for name in methods.split():
            setattr(Tensor, name, Later(family, name))


def find(name: str) -> Any:
    """Return a function that is left for later; raise KeyError if it is none."""
    load(FUNCTIONS[name])
    return namespace[name]


namespace.missing = find
stand_in()
