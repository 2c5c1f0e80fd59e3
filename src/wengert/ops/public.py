"""Making ops public: as functions, as methods of `Tensor`, in place, and with `out=`.

An op module writes each op once as a function and publishes it:

    @op(inplace=True)
    def hypot(input, other): ...

makes ``torch.hypot`` (which also takes ``out=``), ``Tensor.hypot`` and
``Tensor.hypot_``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from inspect import CO_VARARGS as VARIADIC, CO_VARKEYWORDS as VARIADIC_KEYWORDS
from typing import Any

import numpy as np

from .. import dtypes, errors, inplace as in_place
from ..dispatch import general
from ..primitive import Primitive
from ..quick.elementwise import binary, predicate
from ..tensor import Layer, Tensor, plain

Function = Callable[..., Any]


class Namespace(dict[str, Any]):
    """Functions by name; `missing` finds those that have not been loaded."""

    missing: Callable[[str], Any]

    def __missing__(self, name: str) -> Any:
        return self.missing(name)


namespace = Namespace()
"""The functions of the package by name."""


def op(
    *aliases: str,
    name: str | None = None,
    function: bool = True,
    method: bool = True,
    inplace: bool = False,
    out: bool = True,
    numbers: bool = False,
) -> Callable[[Function], Function]:
    """Publish the decorated function as an op.

    Args:
        aliases: other names for it.
        name: its name, by default the function's (a trailing underscore is dropped, so
            that ``sum_`` can be written where ``sum`` is a builtin).
        function: make it ``torch.<name>``.
        method: make it ``Tensor.<name>``.
        inplace: make ``Tensor.<name>_`` and ``torch.<name>_`` too.
        out: let ``torch.<name>`` take ``out=``.
        numbers: let its first argument be a number.
    """

    def decorate(call: Function) -> Function:
        title = name or call.__name__.rstrip("_")
        publish(
            call,
            (title, *aliases),
            function=function,
            method=method,
            inplace=inplace,
            out=out,
            numbers=numbers,
        )
        return call

    return decorate


def publish(
    call: Function,
    names: Iterable[str],
    *,
    function: bool = True,
    method: bool = True,
    inplace: bool = False,
    out: bool = True,
    numbers: bool = False,
) -> None:
    """Publish an op under its names, see `op`."""
    names = tuple(names)
    public = with_out(call, names[0], numbers) if out else call
    written = in_place.inplace(call) if inplace else None
    for name in names:
        if function:
            namespace[name] = public
        if method:
            setattr(Tensor, name, call)
        if written is not None:
            setattr(Tensor, name + "_", written)
            if function:
                namespace[name + "_"] = written


def describe(call: Function, text: str) -> Function:
    """Give a primitive's quick call, which is published as it is, its documentation."""
    call.__doc__ = text
    return call


def of_tensors(call: Function) -> Function:
    """Return the quick call of a primitive of two inputs that must both be tensors."""
    primitive: Primitive = call.primitive  # type: ignore[attr-defined]

    def checked(primitive: Primitive, args: Sequence[Any], params: Any) -> Any:
        for position, (name, arg) in enumerate(
            zip(primitive.inputs, args, strict=True)
        ):
            check_operand(primitive.name, name, position, arg)
        return general(primitive, args, params)

    make = binary if primitive.differentiable else predicate
    strict = make(primitive, checked, numbers=False)
    strict.__name__ = strict.__qualname__ = primitive.name
    return strict


def check_operand(op: str, name: str, position: int, value: Any) -> None:
    """Refuse an argument, numbered from 0, that is no tensor."""
    if not isinstance(value, (Tensor, Layer)):
        name = "input" if name == "self" else name
        raise errors.not_a_tensor(op, name, position + 1, value)


def with_out(call: Function, name: str, numbers: bool = False) -> Function:
    """Return the op with an argument ``out``: the tensor (or tensors) to write into.

    Ops of one or two tensors and nothing else get a function of just these: it takes
    half a microsecond less than one of any arguments.
    """
    is_of_tensor = parameters(inspect.unwrap(call))[:1] == ("input",)

    def of_any(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if args and not isinstance(args[0], Tensor):
            if hasattr(type(args[0]), "__torch_function__"):
                from ..subclassing import handle_torch_function

                return handle_torch_function(of_any, args, *args, **kwargs)
            if numbers:
                args = with_tensor(name, args)
            elif is_of_tensor:
                raise not_of_tensor(name, args)
        if out is None:
            return call(*args, **kwargs)
        from .outputs import check_out, written

        check_out(name, out, args)
        return written(name, out, args, call(*args, **kwargs))

    def of_one(input: Any, *, out: Any = None) -> Any:
        if out is None and isinstance(input, Tensor):
            return call(input)
        return of_any(input, out=out)

    def of_two(input: Any, other: Any, *, out: Any = None) -> Any:
        if out is None and isinstance(input, Tensor):
            return call(input, other)
        return of_any(input, other, out=out)

    quick: dict[Any, Function] = {("input",): of_one, ("input", "other"): of_two}
    public: Function = functools.wraps(call)(quick.get(parameters(call), of_any))
    public.__name__ = public.__qualname__ = name.replace(".", "_")
    return public


OF_NUMBERS = {"add", "div", "floor_divide", "mul", "sub"}
"""The ops that take numbers alone."""


def with_tensor(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments of which one is a tensor, the first if need be and allowed."""
    if any([isinstance(arg, Tensor) for arg in args]):
        return args
    first, *rest = args
    if name not in OF_NUMBERS or not isinstance(first, (int, float, complex)):
        raise errors.invalid_combination(name, args)
    return (plain(np.asarray(first, dtypes.result_dtype(first))), *rest)


def parameters(call: Function) -> tuple[str, ...]:
    """Return the names of a function's parameters."""
    code = getattr(call, "__code__", None)
    if code is None or code.co_flags & (VARIADIC | VARIADIC_KEYWORDS):
        return ()
    names: tuple[str, ...] = code.co_varnames
    return names[: code.co_argcount + code.co_kwonlyargcount]


OVERLOADED = {
    *("add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "all", "any"),
    *("argsort", "baddbmm", "bernoulli", "clamp", "clamp_max", "clamp_min", "clip"),
    *("copysign", "count_nonzero", "div", "divide", "eq", "fill", "float_power"),
    *("floor_divide", "fmod", "ge", "greater", "greater_equal", "gt", "index_fill"),
    *("isin", "le", "lerp", "less", "less_equal", "lt", "masked_fill", "max", "mean"),
    *("min", "ne", "not_equal", "pow", "prod", "quantile", "nanquantile", "remainder"),
    *("round", "rsub", "sort", "sub", "subtract", "sum", "true_divide", "xlogy"),
}
"""Ops that PyTorch has in several forms, of which none is named in its messages."""


def not_of_tensor(name: str, args: tuple[Any, ...]) -> TypeError:
    """Return the error about a first argument ``input`` that is no tensor."""
    if name in OVERLOADED and len(args) > 1:
        return errors.invalid_combination(name, args)
    return errors.not_a_tensor(name, "input", 1, args[0])
