"""`torch.overrides`: who handles a call, if it is not the library itself."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from .interception import (
    IGNORED,
    PACKAGE,
    BaseTorchFunctionMode as BaseTorchFunctionMode,
    DisableTorchFunction as DisableTorchFunction,
    TorchFunctionMode as TorchFunctionMode,
    is_seen,
    loaded,
)
from .modes import local
from .subclassing import (
    DisableTorchFunctionSubclass as DisableTorchFunctionSubclass,
    _disabled_torch_function_impl as _disabled_torch_function_impl,
    handle_torch_function as handle_torch_function,
    has_torch_function as has_torch_function,
    has_torch_function_unary as has_torch_function_unary,
    has_torch_function_variadic as has_torch_function_variadic,
    is_tensor_like as is_tensor_like,
    is_tensor_method_or_property as is_tensor_method_or_property,
    know_all,
)
from .tensor import Tensor

Function = Callable[..., Any]


def wrap_torch_function(
    dispatcher: Callable[..., Iterable[Any]],
) -> Callable[[Function], Function]:
    """Let the classes of arguments, and modes, handle calls of a function.

    Args:
        dispatcher: called with the function's arguments; returns those that matter.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant) or local.function_modes:
                return handle_torch_function(call, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return call

    return decorate


def get_ignored_functions() -> set[Function]:
    """Return the functions that nobody can override."""
    package = sys.modules[PACKAGE]
    return {getattr(package, name) for name in IGNORED}


def get_overridable_functions() -> dict[Any, list[Function]]:
    """Return the functions that can be overridden, by where they are."""
    found: dict[Any, list[Function]] = {
        module: [
            function
            for name in dir(module)
            if is_seen(module.__name__, name, function := getattr(module, name))
        ]
        for module in loaded()
    }
    know_all()
    found[Tensor] = [f for f in vars(Tensor).values() if type(f) is FunctionType]
    return found


def resolve_name(function: Function) -> str | None:
    """Return the public name of a function or method; None if it has none."""
    for place, functions in get_overridable_functions().items():
        if function in functions:
            names = [name for name in dir(place) if getattr(place, name, 0) is function]
            inside = place.__name__.partition(".")[2]
            parts = ("torch", inside if place is not Tensor else "Tensor", names[0])
            return ".".join([part for part in parts if part])
    return None
