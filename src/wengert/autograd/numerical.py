"""A function at a point, and its derivatives by finite differences.

For each input and output there is a matrix of partial derivatives, a row for each
element of the input and a column for each of the output. What is complex counts as two
real numbers: the rows of an input come once for its real part, once for its imaginary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..tensor import Tensor, plain

Function = Callable[..., Any]


class Tolerance(NamedTuple):
    """How close derivatives must be, and the step of finite differences."""

    eps: float
    atol: float
    rtol: float

    def agree(self, a: Any, b: Any) -> bool:
        """Whether derivatives are the same, as far as one can tell."""
        return bool(np.allclose(a, b, rtol=self.rtol, atol=self.atol, equal_nan=True))


class Point:
    """A function and the inputs at which it is differentiated.

    Attributes:
        wanted: the positions of the inputs to differentiate by.
    """

    def __init__(
        self, func: Function, inputs: tuple[Any, ...], tolerance: Tolerance
    ) -> None:
        self.func = func
        self.inputs = inputs
        self.tolerance = tolerance
        self.wanted = [
            i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad
        ]

    def results(self) -> list[Any]:
        """Return all results of the function."""
        return as_list(self.func(*self.inputs))

    def outputs(self) -> list[Tensor]:
        """Return those of the function's results that have derivatives."""
        return differentiable(self.func(*self.inputs))

    def steps(self, index: int) -> Iterator[ndarray]:
        """Return each direction in which one element of an input can go."""
        x = self.inputs[index]
        for direction in (1, 1j) if x.dtype.is_complex else (1,):
            for position in range(x.numel()):
                unit = np.zeros(x.numel(), x.dtype.numpy)
                unit[position] = direction
                yield unit.reshape(tuple(x.shape))

    def difference(self, index: int, direction: ndarray) -> list[ndarray]:
        """Return how the outputs change, per unit, when an input moves."""
        data = self.inputs[index]._data
        before = data.copy()
        step = (self.tolerance.eps * direction).astype(before.dtype)
        try:
            data[...] = before + step
            ahead = [values_of(out) for out in self.outputs()]
            data[...] = before - step
            behind = [values_of(out) for out in self.outputs()]
        finally:
            data[...] = before
        width = 2 * self.tolerance.eps
        return [(a - b) / width for a, b in zip(ahead, behind, strict=True)]

    def jacobians(self, index: int) -> list[ndarray]:
        """Return for each output the change with each step of an input: rows."""
        changes = [self.difference(index, unit) for unit in self.steps(index)]
        return self.rows(changes)

    def rows(self, changes: list[list[ndarray]]) -> list[ndarray]:
        """Return for each output a matrix, from the outputs' changes with each step."""
        if not changes:
            return [np.zeros((0, out.numel())) for out in self.outputs()]
        return [
            np.array([out.reshape(-1) for out in of_output])
            for of_output in zip(*changes, strict=True)
        ]

    def random_direction(self, index: int, random: np.random.Generator) -> ndarray:
        """Return a random vector of length 1, like an input."""
        x = self.inputs[index]
        vector = random.standard_normal(tuple(x.shape))
        if x.dtype.is_complex:
            vector = vector + 1j * random.standard_normal(tuple(x.shape))
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-300))


def random_like(out: Tensor, strided: bool) -> Tensor:
    """Return random numbers like an output, which require grad."""
    random = np.random.default_rng(0)
    shape = (*out.shape, 2) if strided else tuple(out.shape)
    values = random.standard_normal(shape)
    if out.dtype.is_complex:
        values = values + 1j * random.standard_normal(shape)
    whole = plain(np.asarray(values, out.dtype.numpy))
    return (whole[..., 0] if strided else whole).detach().requires_grad_()


def as_list(result: Any) -> list[Any]:
    """Return the results of a function, which may be one."""
    return list(result) if isinstance(result, tuple | list) else [result]


def differentiable(result: Any) -> list[Tensor]:
    """Return those of a function's results that have derivatives."""
    results = as_list(result)
    return [out for out in results if isinstance(out, Tensor) and out.requires_grad]


def values_of(tensor: Tensor) -> ndarray:
    """Return a copy of the values of a tensor."""
    return np.array(tensor.detach().numpy())
