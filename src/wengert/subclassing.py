"""Classes of the user's own in place of tensors, as `torch.overrides` has them.

Ops on instances of a subclass of `Tensor` are handed to its ``__torch_function__``; the
one that it inherits calls the op and makes what comes out instances of the subclass.

Note [Where overriding is noticed]
    Not in the quick calls, which look for tensors of exactly two classes, and leave all
    else to `dispatch.general`: that notices instances of other classes, and primitives
    go to their handlers. A subclass also gets methods that hand themselves over as they
    are called; so handlers see ``Tensor.mean`` and not what it is made of. Functions
    see to it if their first argument is no tensor at all but of a class with a handler.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from . import modes
from .ops import load_all
from .ops.constructors import as_subclass
from .tensor import Parameter, Tensor

Function = Callable[..., Any]
PACKAGE = __name__.partition(".")[0] + "."
PLAIN = frozenset({Tensor, Parameter})
"""The classes that leave ops as they are."""


def _disabled_torch_function_impl(
    func: Function, types: Any, args: Any = (), kwargs: Any = None
) -> Any:
    """Leave ops as they are, where set as a class's ``__torch_function__``."""
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


@contextmanager
def DisableTorchFunctionSubclass() -> Iterator[None]:
    """Inside, ops on instances of subclasses are ordinary, and return tensors."""
    before = modes.switch("overriding", False)
    try:
        yield
    finally:
        modes.switch("overriding", before)


@classmethod  # type: ignore[misc]
def __torch_function__(
    cls: Any, func: Function, types: Iterable[Any], args: Any = (), kwargs: Any = None
) -> Any:
    """Call an op, and make tensors that come out instances of the class."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    return result if cls in PLAIN else converted(result, cls, args)


def converted(result: Any, kind: type[Tensor], args: Sequence[Any]) -> Any:
    """Return results as instances of a class."""
    if type(result) in PLAIN and not any(result is arg for arg in args):
        return as_subclass(result, kind)
    if isinstance(result, tuple | list):
        items = [converted(item, kind, args) for item in result]
        return getattr(type(result), "_make", type(result))(items)
    return result


def make_subclass(
    cls: type[Any], data: Tensor, require_grad: bool = False, **ignored: Any
) -> Any:
    """Return an instance of a subclass: a leaf with the memory of a tensor."""
    made = as_subclass(data.detach(), cls)
    made.requires_grad_(require_grad)
    return made


# --- who handles a call ---------------------------------------------------------------


def overrides(kind: type[Any]) -> bool:
    """Whether ops on instances of a class are handed to the class."""
    if kind in PLAIN:
        return False
    handler = getattr(kind, "__torch_function__", None)
    return handler is not None and handler is not _disabled_torch_function_impl


def overloaded(args: Iterable[Any]) -> list[Any]:
    """Return the arguments whose classes handle ops, one of each class.

    Instances of a subclass come before those of its bases, else the order is kept.
    """
    found: list[Any] = []
    for arg in args:
        kind = type(arg)
        if overrides(kind) and all(type(other) is not kind for other in found):
            place = len(found)
            for index, other in enumerate(found):
                if issubclass(kind, type(other)):
                    place = index
                    break
            found.insert(place, arg)
    return found


def candidates(args: Iterable[Any]) -> Iterator[Any]:
    """Return arguments, and what is in those that are lists or tuples."""
    for arg in args:
        if isinstance(arg, tuple | list):
            yield from arg
        else:
            yield arg


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether any argument's class handles ops."""
    return modes.local.overriding and any(overrides(type(a)) for a in relevant_args)


def has_torch_function_unary(arg: Any) -> bool:
    """Whether the argument's class handles ops."""
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """Whether any argument's class handles ops."""
    return has_torch_function(args)


def handle_torch_function(
    public_api: Function, relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Let the classes of arguments handle a call, the first that does.

    Raises:
        TypeError: all of them returned NotImplemented.
    """
    relevant_args = tuple(relevant_args)
    if modes.local.function_modes:
        # above this module in the order of imports
        from .interception import intercept

        return intercept(public_api, args, kwargs)
    handlers = overloaded(relevant_args)
    types = tuple([type(arg) for arg in handlers])
    for arg in handlers:
        result = type(arg).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(
        f"Multiple dispatch failed for 'torch.{name_of(public_api)}'; all "
        "__torch_function__ handlers returned NotImplemented: "
        + ", ".join([repr(kind) for kind in types])
    )


def name_of(function: Function) -> str:
    return getattr(function, "__name__", repr(function))


def is_tensor_like(inp: Any) -> bool:
    """Whether something is a tensor, or of a class that handles ops."""
    return type(inp) is Tensor or hasattr(type(inp), "__torch_function__")


def is_tensor_method_or_property(func: Function) -> bool:
    """Whether something is a method of `Tensor`."""
    return any(func is value for value in vars(Tensor).values())


# --- classes with handlers ------------------------------------------------------------

ORDINARY = {
    *("__new__", "__init__", "__init_subclass__", "__class__", "__hash__", "__del__"),
    *(
        "__torch_function__",
        "__getattr__",
        "__getattribute__",
        "__setattr__",
        "__dict__",
    ),
    *("__reduce_ex__", "__deepcopy__", "as_subclass", "_make_subclass", "is_inference"),
    *("__array__", "__dir__", "__sizeof__", "__weakref__", "__doc__", "__slots__"),
    "__iter__",
}
"""The methods that a class with a handler inherits as they are."""

SHOWN = ("T", "H", "mT", "mH", "real", "imag", "data")
"""The properties that are tensors."""


def __init_subclass__(cls: type[Tensor], **options: Any) -> None:
    """Let the methods of a class with a handler go to that."""
    super(Tensor, cls).__init_subclass__(**options)
    own = cls.__dict__.get("__torch_function__")
    if cls.__module__.startswith(PACKAGE):
        own = _disabled_torch_function_impl
    if own is _disabled_torch_function_impl:
        cls.__torch_function__ = staticmethod(own)
    if not overrides(cls) or (own is None and cls.__base__ is not Tensor):
        return
    know_all()
    if own is not None:
        # above this module in the order of imports
        from .interception import let_classes_handle

        let_classes_handle()
    for name, value in vars(Tensor).items():
        if name in cls.__dict__ or name in ORDINARY:
            continue
        value = vars(Tensor).get(OPERATORS.get(name, name), value)
        if isinstance(value, property):
            if name in SHOWN and value.fget is not None:
                # what handlers compare with is ``Tensor.data.__get__``
                setattr(cls, name, property(handed_over(value.__get__), value.fset))
        elif callable(value) and not isinstance(value, staticmethod | classmethod):
            setattr(cls, name, handed_over(value))


OPERATORS = {
    **{f"__{r}{name}__": name for name in ("add", "mul") for r in ("", "r")},
    **{f"__i{name}__": f"{name}_" for name in ("add", "sub", "mul")},
    **{f"__r{name}__": f"bitwise_{name}" for name in ("and", "or", "xor")},
    **{f"__{name}__": name for name in ("sub", "neg", "matmul", "pow", "abs")},
    **{f"__{name}__": name for name in ("ne", "lt", "le", "gt", "ge")},
    "__truediv__": "div",
    "__itruediv__": "div_",
    "__mod__": "remainder",
    "__rtruediv__": "__rdiv__",
}
"""The operators that are methods with a name, too."""


def know_all() -> None:
    """Load every op, and give methods their public names, which handlers ask for."""
    load_all()
    methods = dict(vars(Tensor))
    # first the names that are no operators: these are often the same functions
    for name in sorted(methods, key=lambda name: name.startswith("__")):
        value = methods[name]
        if (
            isinstance(value, FunctionType)
            and name not in ORDINARY
            and methods.get(value.__name__) is not value
        ):
            value.__name__ = name


def handed_over(method: Function) -> Function:
    """Return a method that lets the class of its arguments handle the call."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not modes.local.overriding:
            return method(*args, **kwargs)
        relevant = candidates((*args, *kwargs.values()))
        return handle_torch_function(method, relevant, *args, **kwargs)

    return call


Tensor.__torch_function__ = __torch_function__
Tensor.__init_subclass__ = classmethod(__init_subclass__)  # type: ignore[assignment,arg-type]
Parameter.__torch_function__ = staticmethod(_disabled_torch_function_impl)
Tensor.as_subclass = as_subclass
Tensor._make_subclass = staticmethod(make_subclass)
