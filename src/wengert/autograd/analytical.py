"""The derivatives that the engine computes, by reverse and by forward mode.

They have the form of those in `numerical`: reverse mode gives columns of the matrices,
forward mode rows. With complex outputs the cotangents 1 and i give the gradients of the
real and the imaginary part, and the gradient by a complex number is df/dx + i df/dy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from ..tensor import Tensor, plain
from .backward import grad
from .numerical import Point, differentiable, values_of


class GradcheckError(RuntimeError):
    """What was computed differs from finite differences, or cannot be trusted."""


class Reverse(NamedTuple):
    """Reverse mode at a point, and what is asked of it.

    Attributes:
        nondet_tol: how much two runs may differ.
        check_dtypes: whether gradients must have the dtypes of their inputs.
    """

    point: Point
    nondet_tol: float
    check_dtypes: bool

    def gradients(self, out: Tensor, turn: complex) -> list[ndarray]:
        """Return for each input the gradients of all elements of an output's part."""
        shape, count = tuple(out.shape), out.numel()
        columns: list[list[ndarray]] = [[] for _ in self.point.wanted]
        for position in range(count):
            start = np.zeros(count, out.dtype.numpy)
            start[position] = turn
            pulled = self.pull(out, start.reshape(shape))
            for column, gradient in zip(columns, pulled, strict=True):
                column.append(gradient.reshape(-1))
        return [
            np.array(column).reshape(count, self.point.inputs[i].numel()).T
            for i, column in zip(self.point.wanted, columns, strict=True)
        ]

    def pull(self, out: Tensor, start: ndarray) -> list[ndarray]:
        """Return the gradients of the inputs, after computing them twice."""
        once, again = self.pull_once(out, start), self.pull_once(out, start)
        for a, b in zip(once, again, strict=True):
            if a.size and np.abs(a - b).max() > self.nondet_tol:
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input "
                    "and grad_output multiple times gives different values, although "
                    "analytical gradient matches numerical gradient. The tolerance for "
                    f"nondeterminism was {self.nondet_tol}."
                )
        return once

    def pull_once(self, out: Tensor, start: ndarray) -> list[ndarray]:
        """Return the gradients of the inputs, zeros where there is none."""
        wanted = [self.point.inputs[i] for i in self.point.wanted]
        found: tuple[Tensor | None, ...] = grad(
            out, wanted, plain(start), retain_graph=True, allow_unused=True
        )
        for x, gradient in zip(wanted, found, strict=True):
            if gradient is not None:
                self.check(x, gradient)
        return [
            np.zeros(tuple(x.shape), x.dtype.numpy) if g is None else values_of(g)
            for x, g in zip(wanted, found, strict=True)
        ]

    def check(self, x: Tensor, gradient: Tensor) -> None:
        """Refuse a gradient that is not like its input."""
        if gradient.shape != x.shape:
            raise GradcheckError("Analytical gradient has incorrect size")
        if self.check_dtypes and gradient.dtype is not x.dtype:
            raise GradcheckError(
                f"Gradient has dtype mismatch: it is {gradient.dtype}, that of the "
                f"input {x.dtype}"
            )


def as_gradient(changes: ndarray, turn: complex, of_complex: bool) -> ndarray:
    """Return the gradients of an output's part from its change with each step."""
    part = changes.imag if turn == 1j else changes.real
    if not of_complex:
        return part
    half = len(part) // 2
    result: ndarray = part[:half] + 1j * part[half:]
    return result


def forward_jacobians(point: Point, index: int) -> list[ndarray]:
    """Return for each output its change with each step of an input, by forward mode."""
    return point.rows([push(point, index, unit) for unit in point.steps(index)])


def push(point: Point, index: int, direction: ndarray) -> list[ndarray]:
    """Return the tangents of the outputs when one input has a tangent."""
    return [values_of(t) for t in tangents(point, index, plain(direction))]


def tangents(point: Point, index: int, tangent: Tensor) -> list[Tensor]:
    """Return the tangents of the outputs, zeros where there is none."""
    from .forward_ad import dual_level, make_dual, unpack_dual

    with dual_level():
        inputs = list(point.inputs)
        inputs[index] = make_dual(inputs[index], tangent)
        unpacked = [unpack_dual(out) for out in differentiable(point.func(*inputs))]
        return [
            dual.primal.detach() * 0 if dual.tangent is None else dual.tangent
            for dual in unpacked
        ]
