"""What recurrent cells do element by element, after their matrix products.

The gates stand side by side in the last dimension: i, f, g, o of an LSTM, r, z, n of a
GRU. A cell of composed ops would record five times as many nodes; these go by the name
of the last of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ..kernels import lstm as kernel
from ..kernels.sums import column_sums
from .activation import logistic
from .joining import stack
from .matmul import linear
from .op import fused

# --- LSTM: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c') -----------------------------


def _lstm_state(gates: ndarray, c: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    size = c.shape[-1]
    opened = logistic(gates[:, : 2 * size])
    g = np.tanh(gates[:, 2 * size : 3 * size])
    state = opened[:, size:] * c
    state += opened[:, :size] * g
    return state, opened, g


def _lstm_state_vjp(grad: ndarray, c: ndarray, opened: ndarray, g: ndarray) -> Any:
    size = c.shape[-1]
    i, f = opened[:, :size], opened[:, size:]
    of_gates = np.zeros((len(c), 4 * size), grad.dtype)
    slope = opened * (1 - opened)
    np.multiply(slope[:, :size], grad * g, out=of_gates[:, :size])
    np.multiply(slope[:, size:], grad * c, out=of_gates[:, size : 2 * size])
    np.multiply(grad * i, 1 - g * g, out=of_gates[:, 2 * size : 3 * size])
    return of_gates, grad * f


def _lstm_state_composed(gates: Any, c: Any) -> Any:
    size = c.shape[-1]
    i, f, g = [gates.narrow(1, k * size, size) for k in range(3)]
    return f.sigmoid() * c + i.sigmoid() * g.tanh()


lstm_state = fused(
    "lstm_state",
    _lstm_state,
    inputs=("gates", "c"),
    hidden=("opened", "g"),
    grad_fn="AddBackward0",
    vjp=_lstm_state_vjp,
    decomposition=_lstm_state_composed,
)


def _lstm_output(gates: ndarray, c: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    o, t = logistic(gates[:, -c.shape[-1] :]), np.tanh(c)
    return o * t, o, t


def _lstm_output_vjp(grad: ndarray, o: ndarray, t: ndarray) -> Any:
    size = o.shape[-1]
    of_gates = np.zeros((len(o), 4 * size), grad.dtype)
    through = grad * o
    np.multiply(through * t, 1 - o, out=of_gates[:, -size:])
    return of_gates, through * (1 - t * t)


def _lstm_output_composed(gates: Any, c: Any) -> Any:
    size = c.shape[-1]
    return gates.narrow(1, 3 * size, size).sigmoid() * c.tanh()


lstm_output = fused(
    "lstm_output",
    _lstm_output,
    inputs=("gates", "c"),
    hidden=("o", "t"),
    grad_fn="MulBackward0",
    vjp=_lstm_output_vjp,
    decomposition=_lstm_output_composed,
)


def _lstm_layer_vjp(
    grads: list[Any],
    needs: list[bool],
    h: ndarray,
    c: ndarray,
    weight: ndarray,
    outputs: ndarray,
    values: ndarray,
    cells: ndarray,
    bounded: ndarray,
    reverse: bool,
) -> Any:
    given = [*grads, h, c, weight, outputs, values, cells, bounded]
    of_gates, of_h, of_c, of_weight = kernel.lstm_vjp(*given, reverse=reverse)
    flat = of_gates.reshape(-1, of_gates.shape[-1])
    of_bias = column_sums(flat) if needs[4] else None
    return of_gates, of_h, of_c, of_weight, of_bias


def _lstm_layer_composed(
    gates: Any, h: Any, c: Any, weight: Any, bias: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    order = range(len(gates))
    outputs = {}
    for t in reversed(order) if reverse else order:
        product = linear(h, weight)
        now = gates[t] + (product if bias is None else product + bias)
        c = lstm_state(now, c)
        h = outputs[t] = lstm_output(now, c)
    return stack(*[outputs[t] for t in order], dim=0), c


lstm_layer = fused(
    "lstm_layer",
    kernel.lstm,
    inputs=("gates", "h", "c", "weight", "bias"),
    outputs=("outputs", "last"),
    hidden=("values", "cells", "bounded"),
    grad_fn="MkldnnRnnLayerBackward0",
    vjp=_lstm_layer_vjp,
    decomposition=_lstm_layer_composed,
)

# --- GRU: n = tanh(x + σ(r) y), h' = (h - n) σ(z) + n ---------------------------------


def _gru_state(
    of_input: ndarray, of_state: ndarray, h: ndarray
) -> tuple[ndarray, ndarray, ndarray]:
    size = h.shape[-1]
    last = 2 * size
    opened = logistic(of_input[:, :last] + of_state[:, :last])
    n = np.tanh(of_input[:, last:] + opened[:, :size] * of_state[:, last:])
    state = h - n
    state *= opened[:, size:]
    state += n
    return state, opened, n


def _gru_state_vjp(
    grad: ndarray, of_state: ndarray, h: ndarray, opened: ndarray, n: ndarray
) -> Any:
    size = h.shape[-1]
    r, z = opened[:, :size], opened[:, size:]
    through = grad * z
    of_input = np.empty_like(of_state)
    of_n = (grad - through) * (1 - n * n)
    of_input[:, 2 * size :] = of_n
    slope = opened * (1 - opened)
    np.multiply(slope[:, :size], of_n * of_state[:, 2 * size :], out=of_input[:, :size])
    np.multiply(slope[:, size:], grad * (h - n), out=of_input[:, size : 2 * size])
    back = of_input.copy()
    back[:, 2 * size :] *= r
    return of_input, back, through


def _gru_state_composed(of_input: Any, of_state: Any, h: Any) -> Any:
    size = h.shape[-1]
    x, y = [
        [p.narrow(1, k * size, size) for k in range(3)] for p in (of_input, of_state)
    ]
    r, z = (x[0] + y[0]).sigmoid(), (x[1] + y[1]).sigmoid()
    n = (x[2] + r * y[2]).tanh()
    return (h - n) * z + n


gru_state = fused(
    "gru_state",
    _gru_state,
    inputs=("of_input", "of_state", "h"),
    hidden=("opened", "n"),
    grad_fn="AddBackward0",
    vjp=_gru_state_vjp,
    decomposition=_gru_state_composed,
)
