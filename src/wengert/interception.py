"""Modes that see every call of a function or method: `torch.overrides`.

Note [Intercepted calls]
    While no mode is on, nothing is looked at and nothing costs anything. With the first
    one the modules of functions, and the class `Tensor`, begin to say what their names
    mean by a ``__getattribute__``, which hands functions over; operators, which Python
    looks for in the class itself, are exchanged. A mode is off while it handles a call.
    So what an op does inside is seen by no mode, and what it is called by, inside a
    handler, is the very function that is handled. The modules of `nn` have functions by
    their names: these are exchanged, too. A function that a program has imported by its
    name before is not seen.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import Any, Self

from . import modes
from .ops import namespace
from .subclassing import (
    OPERATORS,
    candidates,
    handle_torch_function,
    know_all,
    name_of,
    overloaded,
    overrides,
)
from .tensor import Tensor

Function = Callable[..., Any]
Held = tuple[Any, str, Function, Function]
"""A place, a name there, the function that it has, and as what modes see that."""
PACKAGE = __name__.rpartition(".")[0]
NN = f"{PACKAGE}.nn."
CHOSEN = {
    f"{PACKAGE}.autograd": {"backward", "grad"},
    f"{NN}init": {"constant_", "kaiming_uniform_", "normal_", "uniform_"},
}
"""Modules of which only some functions can be overridden."""
MODULES = [PACKAGE, f"{NN}functional", f"{PACKAGE}.linalg", f"{PACKAGE}.special"]
MODULES += CHOSEN

IGNORED = {
    *("can_cast", "compile", "enable_grad", "from_numpy", "get_default_dtype"),
    *("get_rng_state", "set_anomaly_enabled"),
    *("inference_mode", "initial_seed", "is_anomaly_check_nan_enabled"),
    *("is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled"),
    *("is_tensor", "load", "manual_seed", "no_grad", "promote_types"),
    *("save", "seed", "set_default_device", "set_default_dtype", "set_grad_enabled"),
    *("set_printoptions", "set_rng_state", "vmap"),
}
"""Functions that have nothing to do with any tensor: nobody overrides them."""


class TorchFunctionMode:
    """A context in which all calls go to a method of its own, ``__torch_function__``.

    That is called as ``(func, types, args, kwargs)``, with the mode itself off. What it
    returns is the result of the call.

    >>> import wengert as torch
    >>> from wengert.overrides import TorchFunctionMode
    >>> class Says(TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Says():
    ...     x = torch.ones(2) + 1
    ones
    add
    """

    def __torch_function__(
        self,
        func: Function,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Handle a call."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        modes.switch("function_modes", (*modes.local.function_modes, self))
        count(1)
        return self

    def __exit__(self, *exception: object) -> None:
        modes.switch("function_modes", modes.local.function_modes[:-1])
        count(-1)

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Self:
        """Make a mode: an older way to say the same."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that does what would be done without it."""

    def __torch_function__(
        self,
        func: Function,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return func(*args, **(kwargs or {}))


@contextmanager
def DisableTorchFunction() -> Iterator[None]:
    """Inside, neither modes nor subclasses see any call."""
    stack = modes.switch("function_modes", ())
    overriding = modes.switch("overriding", False)
    try:
        yield
    finally:
        modes.switch("overriding", overriding)
        modes.switch("function_modes", stack)


def intercept(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the innermost mode handle a call, and if it does not, the arguments."""
    stack = modes.local.function_modes
    mode = stack[-1]
    overriding = modes.local.overriding
    found = overloaded(candidates((*args, *kwargs.values()))) if overriding else []
    types = tuple([type(arg) for arg in found])
    modes.switch("function_modes", stack[:-1])
    # the modes outside see what the handler calls
    handled = watched(func) if len(stack) > 1 else func
    try:
        result = mode.__torch_function__(handled, types, args, kwargs)
        if result is not NotImplemented:
            return result
        if found:
            return handle_torch_function(func, found, *args, **kwargs)
    finally:
        modes.switch("function_modes", stack)
    raise TypeError(
        f"Multiple dispatch failed for 'torch.{name_of(func)}'; all __torch_function__ "
        f"handlers returned NotImplemented:\n\n  - mode object {mode}"
    )


@functools.cache
def watched(func: Function) -> Function:
    """Return a function that modes see calls of."""

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not modes.local.function_modes:
            return func(*args, **kwargs)
        return intercept(func, args, kwargs)

    return call


# --- functions of instances of classes with handlers ----------------------------------

classes_handle = False
"""Whether functions look for arguments whose classes have handlers."""


def let_classes_handle() -> None:
    """Let functions look for handlers, from the first class that has one on."""
    global classes_handle
    if classes_handle:
        return
    classes_handle = True
    known = holders(len(sys.modules), len(namespace))
    found = [*zip(MODULES, spaces(), strict=True), (PACKAGE, vars(loaded()[0]))]
    for module, space in found:
        for name, value in list(space.items()):
            if is_seen(module, name, value):
                space[name] = handed_to_classes(value)
    for place, name, _, public in known:
        put(place, name, handed_to_classes(public))
    holders.cache_clear()


@functools.cache
def handed_to_classes(func: Function) -> Function:
    """Return a function that lets the classes of its arguments handle the call."""

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        if modes.local.overriding:
            for arg in candidates((*args, *kwargs.values())):
                if overrides(type(arg)):
                    relevant = candidates((*args, *kwargs.values()))
                    return handle_torch_function(call, relevant, *args, **kwargs)
        return func(*args, **kwargs)

    return call


# --- where names are looked up --------------------------------------------------------


class WatchedModule(ModuleType):
    """A module of functions while a mode is on."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if not modes.local.function_modes or type(value) is not FunctionType:
            return value
        module = super().__getattribute__("__name__")
        return watched(value) if is_seen(module, name, value) else value


def is_seen(module: str, name: str, value: Any) -> bool:
    """Whether modes see calls of what a module has by a name."""
    if type(value) is not FunctionType or name[0] == "_" or name in IGNORED:
        return False
    return module not in CHOSEN or name in CHOSEN[module]


def get_attribute(self: Tensor, name: str) -> Any:
    """Look up an attribute of a tensor while a mode is on."""
    if name[0] == "_" or not modes.local.function_modes:
        return object.__getattribute__(self, name)
    known = vars(Tensor).get(name)
    if isinstance(known, property):
        return intercept(known.__get__, (self,), {})
    value = object.__getattribute__(self, name)
    if type(value) is MethodType and isinstance(known, FunctionType):
        return functools.partial(intercept_method, known, self)
    return value


def set_attribute(self: Tensor, name: str, value: Any) -> None:
    """Set an attribute of a tensor while a mode is on."""
    known = vars(Tensor).get(name)
    if isinstance(known, property) and name[0] != "_" and modes.local.function_modes:
        intercept(known.__set__, (self, value), {})
    else:
        object.__setattr__(self, name, value)


def intercept_method(func: Function, *args: Any, **kwargs: Any) -> Any:
    return watched(func)(*args, **kwargs)


UNSEEN = {
    *("__init__", "__new__", "__hash__", "__del__", "__getattribute__", "__setattr__"),
    *("__reduce_ex__", "__init_subclass__", "__torch_function__", "__array__"),
    *("__dir__", "__sizeof__", "__iter__"),
}
"""The special methods that are no operators."""


def operators() -> dict[str, Function]:
    """Return the special methods of `Tensor` that modes see, as they are without."""
    return {
        name: value
        for name, value in vars(Tensor).items()
        if name.startswith("__") and name not in UNSEEN and type(value) is FunctionType
    }


active = 0
exchanged: dict[str, Function] = {}
held: list[Held] = []
"""What has functions of a module by a name, while they are exchanged."""
lock = threading.Lock()


def count(change: int) -> None:
    """Count the modes that are on in all threads, and look names up accordingly."""
    global active
    with lock:
        before, active = active, active + change
        if not before:
            install()
        elif not active:
            uninstall()


def install() -> None:
    """Begin to look names up for modes, see Note [Intercepted calls]."""
    know_all()
    for module in loaded():
        module.__class__ = WatchedModule
    exchanged.update(operators())
    for name, function in exchanged.items():
        known = vars(Tensor).get(OPERATORS.get(name, name), function)
        setattr(Tensor, name, watched(known))
    held.extend(holders(len(sys.modules), len(namespace)))
    for place, name, _, public in held:
        put(place, name, watched(public))
    Tensor.__getattribute__ = get_attribute  # type: ignore[method-assign,assignment]
    Tensor.__setattr__ = set_attribute  # type: ignore[method-assign,assignment]


def uninstall() -> None:
    """Look names up as ever."""
    for module in loaded():
        module.__class__ = ModuleType
    for name, function in exchanged.items():
        setattr(Tensor, name, function)
    exchanged.clear()
    for place, name, function, _ in held:
        put(place, name, function)
    held.clear()
    del Tensor.__getattribute__, Tensor.__setattr__


@functools.lru_cache(1)
def holders(modules: int, functions: int) -> list[Held]:
    """Return what holds functions that modules of `nn` call by name: names, classes.

    Args:
        modules, functions: how many are loaded: they decide what there is to find.
    """
    known = {
        inspect.unwrap(value): value
        for module, space in zip(MODULES, spaces(), strict=True)
        for name, value in space.items()
        if is_seen(module, name, value)
    }
    root = importlib.import_module(f"{NN}module").Module
    kinds = [kind for kind in subclasses(root) if kind.__module__.startswith(NN)]
    places: list[Any] = [
        vars(module)
        for name, module in list(sys.modules.items())
        if name.startswith(NN) and name not in MODULES
    ]
    # what `of_function` has written calls its function by a name of its own
    places += [kind.forward.__globals__ for kind in kinds if "function" in vars(kind)]
    return [
        (place, name, value, known[inspect.unwrap(value)])
        for place in [*places, *kinds]
        for name, value in (place if isinstance(place, dict) else vars(place)).items()
        if type(value) is FunctionType and inspect.unwrap(value) in known
    ]


def spaces() -> list[dict[str, Any]]:
    """Return the functions of each of `MODULES` by name."""
    return [namespace, *[vars(module) for module in loaded()[1:]]]


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    """Return all classes that are derived from a class."""
    for derived in kind.__subclasses__():
        yield derived
        yield from subclasses(derived)


def put(place: Any, name: str, value: Function) -> None:
    """Give a name of a module, or an attribute of a class, a value."""
    if isinstance(place, dict):
        place[name] = value
    else:
        setattr(place, name, value)


def loaded() -> list[ModuleType]:
    """Return the modules of functions."""
    return [importlib.import_module(name) for name in MODULES]
