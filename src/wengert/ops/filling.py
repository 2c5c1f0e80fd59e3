"""Methods that fill a tensor with random numbers, in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dispatch, modes
from ..generator import Generator
from ..inplace import check_writable, write_constant
from ..kernels.memory_order import in_order_of_memory, order_of
from ..primitive import camel
from ..tensor import Tensor, counter, history
from .drawing import fresh, source


def filling(
    name: str,
    draw: Callable[..., ndarray],
    text: str,
    scattered: Callable[..., ndarray] | None = None,
) -> None:
    """Make a method that fills a tensor with numbers drawn for its shape.

    Args:
        scattered: draws for memory that is not contiguous, if that makes a difference.
    """

    def fill(
        self: Tensor, *args: Any, generator: Generator | None = None, **kwargs: Any
    ) -> Tensor:
        check_writable(self)
        data, random, kind = self._data, source(generator), self.dtype.numpy
        drawing = draw
        if scattered is not None and not self.is_contiguous():
            drawing = scattered
        order = order_of(data)
        if order is not None:
            args = tuple([in_order(arg, self.shape, order) for arg in args])
            kwargs = {k: in_order(arg, self.shape, order) for k, arg in kwargs.items()}
        drawn = in_order_of_memory(
            lambda shape: drawing(random, shape, kind, *args, **kwargs), data
        )
        observed = modes.special or dispatch.tracing is not None
        if observed or history(self) is not None:
            values = fresh(drawn, tuple(self.shape))
            return write_constant(self, values, node_name(name, args, kwargs))
        data[...] = drawn(data.shape)
        counter(self)[0] += 1
        return self

    fill.__name__ = fill.__qualname__ = name
    fill.__doc__ = text
    setattr(Tensor, name, fill)


def in_order(arg: Any, shape: Any, order: tuple[int, ...]) -> Any:
    """Return an argument with one number for each element in the order of these."""
    return arg.expand(shape).permute(order) if isinstance(arg, Tensor) else arg


def node_name(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the name of the node of a method that fills, of several the overload's."""
    given = [*args, *kwargs.values()]
    overload = 0
    if name == "random_":
        overload = 2 - len(given)
    elif name == "bernoulli_":
        overload = 1 if given and isinstance(given[0], Tensor) else 2
    return f"{camel(name.rstrip('_'))}Backward{overload}"


def _uniform(
    source: Any, shape: Any, dtype: Any, from_: float = 0, to: float = 1, **named: Any
) -> ndarray:
    return source.uniform(shape, dtype, float(named.get("from", from_)), float(to))


def _normal(
    source: Any,
    shape: Any,
    dtype: Any,
    mean: float = 0,
    std: float = 1,
    in_blocks: bool = True,
) -> ndarray:
    return source.normal(shape, dtype, float(mean), float(std), in_blocks)


def _random(
    source: Any, shape: Any, dtype: Any, low: int | None = None, high: Any = None
) -> ndarray:
    if low is None:
        return source.random(shape, dtype)
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= "
            f"to={high}"
        )
    return source.integers(low, high, shape, dtype)


def _bernoulli(source: Any, shape: Any, dtype: Any, p: Any = 0.5) -> ndarray:
    if isinstance(p, Tensor):
        given = np.broadcast_to(p.detach()._data, shape)
        return source.bernoulli(np.ascontiguousarray(given), dtype=dtype)
    return source.bernoulli(p, shape, dtype)


filling("uniform_", _uniform, "Fill with numbers spread evenly over [from, to).")
filling(
    "normal_",
    _normal,
    "Fill with normal numbers of a mean and deviation.",
    scattered=partial(_normal, in_blocks=False),
)
filling("random_", _random, "Fill with integers from low to high, exclusive.")
filling("bernoulli_", _bernoulli, "Fill with ones of probability p, and zeros.")
for _name, _text in {
    "exponential": "Fill with exponential numbers of a rate `lambd`.",
    "geometric": "Fill with the numbers of trials up to the first success.",
    "cauchy": "Fill with Cauchy numbers of a median and width.",
    "log_normal": "Fill with numbers whose logarithms are normal.",
}.items():
    filling(
        f"{_name}_",
        lambda source, shape, dtype, *args, _name=_name, **kwargs: getattr(
            source, _name
        )(shape, dtype, *args, **kwargs),
        _text,
    )
