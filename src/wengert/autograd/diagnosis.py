"""What is said of derivatives that differ: where, and what is usually the cause."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ..tensor import plain


def describe(
    numerical: ndarray,
    analytical: ndarray,
    *,
    output: int,
    input: int,
    shape: tuple[int, ...],
    complex_part: str,
    mode: str,
    tolerance: Any,
    precise: bool,
    scalars: tuple[Any, Any] | None = None,
) -> str:
    """Return the message about a Jacobian that is not what finite differences give.

    Args:
        numerical, analytical: a row for each element of the input (and once more, for
            the imaginary direction), a column for each element of the output.
        shape: that of the input.
        complex_part: which part of a complex output is considered.
        mode: "reverse" or "forward".
        precise: whether the input is of double precision.
        scalars: the products with random vectors that differed in fast mode.
    """
    which = f"While considering the {complex_part} part of complex outputs only, "
    title = (
        f"{which if complex_part else ''}Jacobian "
        f"{'computed with forward mode ' if mode == 'forward' else ''}mismatch for "
        f"output {output} with respect to input {input},"
    )
    return (
        f"{title}\nnumerical:{plain(numerical)}\nanalytical:{plain(analytical)}\n"
        f"{in_fast_mode(scalars)}{worst(numerical, analytical, shape)}\n"
        f"{cause(numerical, analytical, mode, tolerance, precise)}"
    )


def in_fast_mode(scalars: tuple[Any, Any] | None) -> str:
    """Return what is said about the products that were compared in fast mode."""
    if scalars is None:
        return ""
    return (
        f"(In fast mode a random product was {scalars[0]} numerically and {scalars[1]} "
        "analytically; above is the whole.)\n"
    )


def worst(numerical: ndarray, analytical: ndarray, shape: tuple[int, ...]) -> str:
    """Return the sentence about the element where the difference is largest."""
    difference = np.abs(analytical - numerical)
    difference = np.where(np.isnan(difference), np.inf, difference)
    row, column = np.unravel_index(int(difference.argmax()), difference.shape)
    size = int(np.prod(shape))
    element = np.unravel_index(int(row) % size, shape) if shape else ()
    where = [int(index) for index in element]
    return (
        f"The worst element: the derivative of the output's element {int(column)} (of "
        f"the flattened output) by the input's element {where} is "
        f"{numerical[row, column]:.8g} "
        f"numerically but {analytical[row, column]:.8g} analytically; the difference "
        f"is {np.abs(analytical - numerical)[row, column]:.3g}."
    )


def cause(
    numerical: ndarray, analytical: ndarray, mode: str, tolerance: Any, precise: bool
) -> str:
    """Return what is usually the cause of such a difference."""
    rule = "backward" if mode == "reverse" else "jvp"
    agree = tolerance.agree
    if not np.isfinite(analytical).all():
        return (
            f"Usually: {rule} divides by zero, or multiplies zero by infinity, at this "
            "point; torch.where before the division, not after it, avoids that."
        )
    if not np.isfinite(numerical).all():
        return "Usually: the point lies at the edge of where the function is defined."
    if not precise:
        return (
            "Usually: the input is of single precision, in which finite differences "
            "are mostly rounding errors; use torch.float64, or a larger eps and "
            "tolerance."
        )
    if not analytical.any():
        return (
            f"Usually: {rule} returns zeros or None, or the record is cut between "
            "input and output, by detach(), .data, numpy() or no_grad()."
        )
    if agree(analytical.conj(), numerical) or agree(-analytical.conj(), numerical):
        return (
            f"Usually: {rule} lacks a conjugate: the gradient of a complex product "
            "needs grad * factor.conj()."
        )
    factor = constant_factor(numerical, analytical)
    if factor is not None:
        return (
            f"All elements are {factor:.4g} times what they should be. Usually: a "
            f"factor is forgotten in {rule}, or the same tensor is given as two inputs."
        )
    square = analytical.shape[0] == analytical.shape[1]
    if square and agree(analytical.T, numerical):
        return f"Usually: {rule} multiplies by a matrix where it needs its transpose."
    if np.abs(numerical).max() > 1e3 * max(float(np.abs(analytical).max()), 1.0):
        return (
            "Usually: the function gives something else each time it is called (it "
            "draws random numbers or has state), or has a jump here."
        )
    wrong = ~np.isclose(analytical, numerical, tolerance.rtol, tolerance.atol)
    if wrong.mean() < 0.5:
        return (
            f"{int(wrong.sum())} of {wrong.size} elements differ. Usually: the point "
            "lies at a kink (relu at 0, ties of max), where finite differences give "
            "the "
            f"mean of both sides; or {rule} is wrong for a special case."
        )
    return f"Usually: the formula in {rule} is wrong."


def constant_factor(numerical: ndarray, analytical: ndarray) -> float | None:
    """Return the one factor by which all elements differ, or None."""
    telling = np.abs(numerical) > 1e-6 * np.abs(numerical).max()
    if not telling.any() or np.abs(analytical[~telling]).max(initial=0.0) > 1e-6:
        return None
    ratios = (analytical[telling] / numerical[telling]).real
    factor = float(ratios.mean())
    alike = np.allclose(ratios, factor, rtol=1e-4) and np.count_nonzero(telling) > 1
    return factor if alike else None
