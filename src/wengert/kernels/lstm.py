"""A layer of long short-term memory over all times, forward and backward.

    a = x + U h + d,  i, f, o = σ(a), g = tanh(a);  c' = f c + i g,  h' = o tanh(c')

At each time the state is small, and calls take most of the time: all that does not
depend on the time before is computed for all times at once.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

Optional = ndarray | None


def lstm(
    gates: ndarray,
    h: ndarray,
    c: ndarray,
    weight: ndarray,
    bias: Optional = None,
    *,
    reverse: bool = False,
) -> tuple[ndarray, ...]:
    """Go through all times.

    Args:
        gates: (L, N, 4 H), what the input contributes to i, f, g, o.
        h, c: (N, H), the first state.
        weight: U, (4 H, H).
        bias: d, (4 H).
        reverse: go from the last time to the first.

    Returns:
        h at each time (L, N, H) and the last c (N, H); then what the gradient needs:
        the values of the gates (L, N, 4 H), c and tanh(c) at each time (L, N, H).
    """
    size = h.shape[1]
    cell = slice(2 * size, 3 * size)
    values = gates.copy() if bias is None else gates + bias
    outputs = np.empty((*gates.shape[:2], size), gates.dtype)
    cells, bounded = np.empty_like(outputs), np.empty_like(outputs)
    transposed = weight.T
    product = np.empty_like(values[0])
    times = range(len(gates))
    with np.errstate(over="ignore"):
        for t in reversed(times) if reverse else times:
            now, memory, output = values[t], cells[t], outputs[t]
            now += np.dot(h, transposed, product)
            g = np.tanh(now[:, cell])
            np.negative(now, now)
            np.exp(now, now)
            now += 1
            np.reciprocal(now, now)
            now[:, cell] = g
            np.multiply(now[:, size : 2 * size], c, memory)
            g *= now[:, :size]
            memory += g
            np.multiply(now[:, 3 * size :], np.tanh(memory, bounded[t]), output)
            h, c = output, memory
    return outputs, c.copy(), values, cells, bounded


def lstm_vjp(
    grad_outputs: Optional,
    grad_c: Optional,
    h: ndarray,
    c: ndarray,
    weight: ndarray,
    outputs: ndarray,
    values: ndarray,
    cells: ndarray,
    bounded: ndarray,
    *,
    reverse: bool = False,
) -> tuple[ndarray, ...]:
    """The gradients of the gates, of the first h and c, and of the weight.

    Args:
        grad_outputs, grad_c: the gradients of the results; None for zero.
        outputs, values, cells, bounded: what `lstm` has returned.
    """
    length, count, size = outputs.shape
    order = slice(None, None, -1 if reverse else 1)
    slopes = np.empty_like(values)
    i, f, g, o = (part(values, k) for k in range(4))
    state, memory = before(h, outputs[order]), before(c, cells[order])[order]
    opening = values * (1 - values)
    np.multiply(part(opening, 0), g, part(slopes, 0))
    np.multiply(part(opening, 1), memory, part(slopes, 1))
    np.multiply(1 - g * g, i, part(slopes, 2))
    np.multiply(part(opening, 3), bounded, part(slopes, 3))
    through = (1 - bounded * bounded) * o
    of_c = np.zeros_like(c) if grad_c is None else grad_c.copy()
    of_h = np.zeros_like(h)
    by_gate = slopes.reshape(length, count, 4, size)
    for t in range(length) if reverse else reversed(range(length)):
        if grad_outputs is not None:
            of_h += grad_outputs[t]
        of_c += of_h * through[t]
        of_gates = by_gate[t]
        of_gates[:, :3] *= of_c[:, None]
        of_gates[:, 3] *= of_h
        of_c *= f[t]
        np.dot(slopes[t], weight, of_h)
    flat = slopes[order].reshape(-1, 4 * size)
    of_weight = flat.T @ state.reshape(-1, size)
    return slopes, of_h, of_c, of_weight


def before(first: ndarray, steps: ndarray) -> ndarray:
    """What each step began with: the first state, then what the one before has left."""
    return np.concatenate([first[None], steps[:-1]])


def part(values: ndarray, gate: int) -> ndarray:
    """One of the four gates."""
    size = values.shape[-1] // 4
    return values[..., gate * size : (gate + 1) * size]
