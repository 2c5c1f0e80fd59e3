"""The graph's vocabulary: every op's class, result dtype and meaning in NumPy.

An op is one row here. Its class says how the later stages treat it:

- ``elementwise``: one result element from the operands' elements at the same index;
- ``view``: the operand's elements, read through another index (nothing is computed);
- ``reduction``: folds the dims named by ``dims``;
- ``source``: no operands (inputs, constants, ``iota``);
- ``other``: everything with a schedule of its own (matmul, gather, cat, call ...).

The NumPy function of a row is the meaning that compiled code is tested against.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # a NumPy array; its functions' results are Any to a type checker
Dims = tuple[int, ...]
BOOL = np.dtype(bool)


@dataclass(frozen=True, slots=True)
class Op:
    """What the compiler knows about one op.

    ``cost`` is a rough number of machine operations per element, by which the
    scheduler weighs computing a value again against keeping it in memory.
    """

    name: str
    kind: str
    arity: int
    run: Callable[..., Any]
    boolean: bool = False
    cost: int = 1
    commutes: bool = False


OPS: dict[str, Op] = {}


def _declare(
    kind: str, arity: int, rows: dict[str, Callable[..., Any]], **facts: Any
) -> None:
    for name, run in rows.items():
        OPS[name] = Op(name, kind, arity, run, **facts)


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small).astype(x.dtype) / (1 + small)


def _erf(x: Array) -> Array:
    try:
        from scipy.special import erf
    except ImportError:
        return np.vectorize(math.erf, otypes=[x.dtype])(x)
    return erf(x)


def _rsqrt(x: Array) -> Array:
    return x.dtype.type(1) / np.sqrt(x)


def _trunc_division(x: Array, y: Array) -> Array:
    """C's integer division (towards zero); a zero divisor gives zero."""
    safe = np.where(y == 0, 1, y)
    result = np.abs(x) // np.abs(safe) * (np.sign(x) * np.sign(y))
    return result.astype(x.dtype)


_declare("elementwise", 2, {"add": np.add, "mul": np.multiply}, commutes=True)
_declare("elementwise", 2, {"sub": np.subtract})
_declare("elementwise", 2, {"div": np.true_divide}, cost=4)
_declare("elementwise", 2, {"div_trunc": _trunc_division}, cost=20)
_declare(
    "elementwise",
    2,
    {"maximum": np.maximum, "minimum": np.minimum},
    cost=3,
)
_declare("elementwise", 2, {"pow": np.power}, cost=60)
_declare(
    "elementwise",
    1,
    {"neg": np.negative, "abs": np.abs, "sign": np.sign, "reciprocal": np.reciprocal},
)
_declare(
    "elementwise",
    1,
    {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": np.rint},
)
_declare("elementwise", 1, {"sqrt": np.sqrt, "rsqrt": _rsqrt}, cost=6)
_declare(
    "elementwise",
    1,
    {
        "exp": np.exp,
        "expm1": np.expm1,
        "log": np.log,
        "log1p": np.log1p,
        "tanh": np.tanh,
        "sigmoid": _sigmoid,
        "erf": _erf,
        "sin": np.sin,
        "cos": np.cos,
    },
    cost=25,
)
_declare("elementwise", 2, {"eq": np.equal, "ne": np.not_equal}, boolean=True)
_declare(
    "elementwise",
    2,
    {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal},
    boolean=True,
)
_declare(
    "elementwise",
    2,
    {
        "logical_and": np.logical_and,
        "logical_or": np.logical_or,
        "logical_xor": np.logical_xor,
    },
    boolean=True,
    commutes=True,
)
_declare("elementwise", 1, {"logical_not": np.logical_not}, boolean=True)
_declare("elementwise", 1, {"isnan": np.isnan}, boolean=True)
_declare("elementwise", 3, {"where": np.where})
_declare("elementwise", 1, {"copy": np.array})
_declare("elementwise", 1, {"cast": lambda x, *, dtype: x.astype(dtype)})


def _slice(x: Array, *, starts: Dims, steps: Dims, shape: Dims) -> Array:
    bounds = zip(starts, steps, shape, strict=True)
    return x[tuple(_python_slice(*bound) for bound in bounds)]


def _python_slice(start: int, step: int, count: int) -> slice:
    stop = start + step * count
    return slice(start, None if stop < 0 else stop, step)


_declare(
    "view",
    1,
    {
        "expand": lambda x, *, shape: np.broadcast_to(x, shape),
        "reshape": lambda x, *, shape: x.reshape(shape),
        "permute": lambda x, *, dims: x.transpose(dims),
        "slice": _slice,
    },
    cost=0,
)


def _reducer(ufunc: np.ufunc) -> Callable[..., Array]:
    def reduce(x: Array, *, dims: tuple[int, ...], keepdim: bool) -> Array:
        result = ufunc.reduce(x, axis=dims, keepdims=keepdim, dtype=x.dtype)
        return np.asarray(result)

    return reduce


_declare(
    "reduction",
    1,
    {
        "sum": _reducer(np.add),
        "prod": _reducer(np.multiply),
        "amax": _reducer(np.maximum),
        "amin": _reducer(np.minimum),
    },
)


def _iota(*, shape: tuple[int, ...], dim: int, dtype: np.dtype) -> Array:
    line = np.arange(shape[dim], dtype=dtype)
    line_shape = [1] * len(shape)
    line_shape[dim] = -1
    return np.broadcast_to(line.reshape(line_shape), shape)


def _checked(index: Array, size: int) -> Array:
    if index.size and (index.min() < 0 or index.max() >= size):
        raise IndexError(f"index out of range in a dimension of size {size}")
    return index


def _gather(x: Array, index: Array, *, dim: int) -> Array:
    return np.take_along_axis(x, _checked(index, x.shape[dim]), axis=dim)


def _scatter_add(x: Array, index: Array, source: Array, *, dim: int) -> Array:
    result = x.copy()
    where: list[Any] = list(np.indices(index.shape, sparse=True))
    where[dim] = _checked(index, x.shape[dim])
    np.add.at(result, tuple(where), source)
    return result


def _unavailable(*_: Any, **__: Any) -> Any:
    raise AssertionError("the program binds inputs and calls itself")


_declare("source", 0, {"input": _unavailable, "scalar": _unavailable}, cost=0)
_declare("source", 0, {"constant": lambda *, value: value, "iota": _iota}, cost=0)
_declare("other", 2, {"matmul": np.matmul, "gather": _gather})
_declare("other", 3, {"scatter_add": _scatter_add})
_declare("other", -1, {"cat": lambda *xs, dim: np.concatenate(xs, axis=dim)})
_declare("other", -1, {"call": lambda *xs, function: function(*xs)})
_declare("other", 1, {"result": lambda results, *, index: results[index]})
