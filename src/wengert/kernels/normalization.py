"""Normalization over rows, over groups of channels and over the batch.

Each takes statistics of an array and returns them for the gradient: the mean, and the
reciprocal standard deviation `rstd = 1 / √(variance + eps)`. With x̂ = (x - mean) rstd,

    out = x̂ weight + bias
    d weight = Σ grad x̂,   d bias = Σ grad,   and with γ = grad weight
    d input = rstd (γ - mean of γ - x̂ mean of γ x̂)

where means are over what the statistics are over. `weight` and `bias` may be None.
Statistics are float32 at least, and the variance is that of centred values. A vjp takes
`needs`, whether the gradients of input, weight and bias are wanted, and returns them in
this order, None for those that are not.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy import ndarray

from .precision import widened
from .sums import LONG_ROW, channel_sums, column_sums, inner_sums, row_sums
from .windows import Sizes, blocks

Needs = tuple[bool, bool, bool]
Gradients = tuple[ndarray | None, ndarray | None, ndarray | None]


def _as_rows(x: ndarray, width: int) -> ndarray:
    """(rows, width), contiguous, float32 at least."""
    return np.ascontiguousarray(widened(x)).reshape(x.size // max(width, 1), width)


def _statistics_shape(shape: Sizes, dims: int) -> Sizes:
    return shape[: len(shape) - dims] + (1,) * dims


def _center(x: ndarray, out: ndarray, eps: float) -> tuple[ndarray, ndarray]:
    """Subtract each row's mean, into `out`; return the means and `rstd`, (rows, 1)."""
    width = max(x.shape[1], 1)
    mean = row_sums(x)[:, None] / width
    np.subtract(x, mean, out=out)
    variance = np.vecdot(out, out)[:, None] / width
    return mean, 1 / np.sqrt(variance + eps)


# Over rows


def layer_norm(
    input: ndarray,
    dims: int,
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    """Normalize over the last `dims` axes, whose sizes `weight` and `bias` have.

    Returns:
        The result, the means and `rstd`, these with sizes 1 where they are over.
    """
    shape, width = input.shape, prod(input.shape[input.ndim - dims :])
    x = _as_rows(input, width)
    out = np.empty_like(x)
    mean, rstd = np.empty((2, len(x), 1), x.dtype)
    for part in blocks(len(x), 4 * width * x.itemsize):
        rows = out[part]
        mean[part], rstd[part] = _center(x[part], rows, eps)
        rows *= rstd[part]
        if weight is not None:
            rows *= weight.reshape(width)
        if bias is not None:
            rows += bias.reshape(width)
    result = out.reshape(shape).astype(input.dtype, copy=False)
    statistics = _statistics_shape(shape, dims)
    return result, mean.reshape(statistics), rstd.reshape(statistics)


def layer_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    dims: int,
    needs: Needs,
) -> Gradients:
    """The gradients of `layer_norm`."""
    sizes = input.shape[input.ndim - dims :]
    width = prod(sizes)
    x, g = _as_rows(input, width), _as_rows(grad, width)
    means, rstds = mean.reshape(-1, 1), rstd.reshape(-1, 1)
    d_input = np.empty_like(x)
    d_weight, d_bias = np.zeros((2, width), x.dtype)
    for part in blocks(len(x), 4 * width * x.itemsize):
        centered = np.subtract(x[part], means[part], out=d_input[part])
        rstd = rstds[part]
        if needs[1]:
            d_weight += rstd[:, 0] @ (g[part] * centered)
        if needs[2]:
            d_bias += column_sums(g[part])
        if needs[0]:
            scaled = g[part] * (
                rstd if weight is None else rstd * weight.reshape(width)
            )
            slope = np.vecdot(scaled, centered)[:, None]
            centered *= slope * rstd * rstd / -width
            centered += scaled
            centered -= row_sums(scaled)[:, None] / width
    return (
        _finished(d_input, input.shape, grad) if needs[0] else None,
        _finished(d_weight, sizes, grad) if needs[1] else None,
        _finished(d_bias, sizes, grad) if needs[2] else None,
    )


def _finished(x: ndarray, shape: Sizes, like: ndarray) -> ndarray:
    found = x if x.shape == shape else x.reshape(shape)
    return found.astype(like.dtype, copy=False)


def rms_norm(
    input: ndarray, dims: int, weight: ndarray | None, eps: float
) -> tuple[ndarray, ndarray]:
    """Divide by the root of the mean square over the last `dims` axes.

    Returns:
        The result, and what it was multiplied by, with sizes 1 where means are over.
    """
    shape, width = input.shape, prod(input.shape[input.ndim - dims :])
    x = _as_rows(input, width)
    out, rstd = np.empty_like(x), np.empty((len(x), 1), x.dtype)
    for part in blocks(len(x), 4 * width * x.itemsize):
        rows = x[part]
        square = np.vecdot(rows, rows)[:, None] / width
        rstd[part] = 1 / np.sqrt(square + eps)
        scaled = np.multiply(rows, rstd[part], out=out[part])
        if weight is not None:
            scaled *= weight.reshape(width)
    return _finished(out, shape, input), rstd.reshape(_statistics_shape(shape, dims))


def rms_norm_vjp(
    grad: ndarray,
    input: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    dims: int,
    needs: tuple[bool, bool],
) -> tuple[ndarray | None, ndarray | None]:
    """The gradients of `rms_norm`, of the input and of the weight."""
    sizes = input.shape[input.ndim - dims :]
    width = prod(sizes)
    x, g, rstds = _as_rows(input, width), _as_rows(grad, width), rstd.reshape(-1, 1)
    d_input, d_weight = np.empty_like(x), np.zeros(width, x.dtype)
    for part in blocks(len(x), 4 * width * x.itemsize):
        normal = np.multiply(x[part], rstds[part], out=d_input[part])
        if needs[1]:
            d_weight += column_sums(g[part] * normal)
        if needs[0]:
            scaled = g[part] if weight is None else g[part] * weight.reshape(width)
            normal *= np.vecdot(scaled, normal)[:, None] / -width
            normal += scaled
            normal *= rstds[part]
    return (
        _finished(d_input, input.shape, grad) if needs[0] else None,
        _finished(d_weight, sizes, grad) if needs[1] else None,
    )


# Over groups of channels


def _as_channels(x: ndarray) -> ndarray:
    """(N, C, inner), contiguous, float32 at least."""
    batch, channels, *sizes = x.shape
    return np.ascontiguousarray(widened(x)).reshape(batch, channels, prod(sizes))


def _of_channels(vector: ndarray, groups: int) -> ndarray:
    """(groups, C / groups, 1) of (C,)."""
    return vector.reshape(groups, len(vector) // groups, 1)


def group_norm(
    input: ndarray,
    groups: int,
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
) -> tuple[ndarray, ndarray, ndarray]:
    """Normalize each image's groups of channels; `weight` and `bias` are (C,).

    Args:
        input: (N, C, *spatial)
        groups: how many there are.
        weight: (C,), or None.
        bias: (C,), or None.
        eps: added to the variances.

    Returns:
        The result, the means and `rstd`, these (N, groups).
    """
    batch, channels, *sizes = input.shape
    width = channels // groups * prod(sizes)
    x = _as_rows(input, width)
    out = np.empty_like(x)
    mean, rstd = np.empty((2, len(x), 1), x.dtype)
    for part in blocks(len(x), 4 * width * x.itemsize):
        mean[part], rstd[part] = _center(x[part], out[part], eps)
    scale = rstd.reshape(batch, groups, 1, 1)
    if weight is not None:
        scale = scale * _of_channels(weight, groups)
    by_channel = out.reshape(batch, groups, channels // groups, prod(sizes))
    by_channel *= scale
    if bias is not None:
        by_channel += _of_channels(bias, groups)
    statistics = (batch, groups)
    result = _finished(out, input.shape, input)
    return result, mean.reshape(statistics), rstd.reshape(statistics)


def group_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    groups: int,
    needs: Needs,
) -> Gradients:
    """The gradients of `group_norm`."""
    batch, channels, *sizes = input.shape
    inner, each = prod(sizes), channels // groups
    grouped = (batch, groups, each, inner)
    x, g = _as_channels(input), _as_channels(grad)
    rstds = rstd.reshape(batch, groups, 1)
    centered = x.reshape(grouped) - mean.reshape(batch, groups, 1, 1)
    # Σ grad and Σ grad x̂ of each image's channels
    sums = inner_sums(g)
    products = inner_sums(g * centered.reshape(g.shape))
    alongs = (products.reshape(grouped[:3]) * rstds).reshape(batch, channels)
    d_weight = column_sums(alongs) if needs[1] else None
    d_bias = column_sums(sums) if needs[2] else None
    if needs[0]:
        scale = np.broadcast_to(rstds, grouped[:3])
        if weight is not None:
            scale = scale * weight.reshape(groups, each)
            sums, alongs = sums * weight, alongs * weight
        width, by_group = each * inner, (batch * groups, each)
        factor = rstd.reshape(-1) / width
        slope = row_sums(alongs.reshape(by_group)) * factor * rstd.reshape(-1)
        shift = row_sums(sums.reshape(by_group)) * factor
        rows = centered.reshape(batch * groups, width)
        rows *= slope[:, None]
        rows += shift[:, None]
        np.subtract(g.reshape(grouped) * scale[..., None], centered, out=centered)
    return (
        _finished(centered, input.shape, grad) if needs[0] else None,
        None if d_weight is None else _finished(d_weight, (channels,), grad),
        None if d_bias is None else _finished(d_bias, (channels,), grad),
    )


# Over the batch


def batch_norm(
    input: ndarray, weight: ndarray | None, bias: ndarray | None, eps: float
) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Normalize each channel by its mean and variance in this batch.

    Args:
        input: (N, C, *spatial)
        weight: (C,), or None.
        bias: (C,), or None.
        eps: added to the variances.

    Returns:
        The result, and for each channel the mean, `rstd` and the unbiased variance,
        which running statistics are made of.
    """
    x = _as_channels(input)
    count = x.size // max(x.shape[1], 1)
    mean = channel_sums(x) / max(count, 1)
    out = x - mean[:, None]
    squares = np.zeros_like(mean)
    for part in blocks(len(x), 4 * x[:1].nbytes):
        squares += channel_sums(out[part] * out[part])
    rstd = 1 / np.sqrt(squares / max(count, 1) + eps)
    _scale_and_shift(out, rstd, weight, bias)
    unbiased = squares / max(count - 1, 1)
    return _finished(out, input.shape, input), mean, rstd, unbiased


def batch_norm_with(
    input: ndarray,
    mean: ndarray,
    variance: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
) -> tuple[ndarray, ndarray]:
    """Normalize each channel by a mean and a variance that are given.

    Returns:
        The result, and `rstd` of each channel.
    """
    x = _as_channels(input)
    rstd = (1 / np.sqrt(variance + eps)).astype(x.dtype, copy=False)
    out = x - mean.astype(x.dtype, copy=False)[:, None]
    _scale_and_shift(out, rstd, weight, bias)
    return _finished(out, input.shape, input), rstd


def _scale_and_shift(
    centered: ndarray, rstd: ndarray, weight: ndarray | None, bias: ndarray | None
) -> None:
    scale = rstd if weight is None else rstd * weight
    for part in blocks(len(centered), 4 * centered[:1].nbytes):
        images = centered[part]
        images *= scale[:, None]
        if bias is not None:
            images += bias[:, None]


def batch_norm_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    needs: Needs,
) -> Gradients:
    """The gradients of `batch_norm`."""
    x, g = _as_channels(input), _as_channels(grad)
    count = max(x.size // max(x.shape[1], 1), 1)
    mean = mean.astype(x.dtype, copy=False)[:, None]
    d_bias, d_weight = channel_sums(g), _weight_gradient(g, x, mean, rstd)
    d_input = None
    if needs[0]:
        slope = (d_weight * rstd / -count)[:, None]
        shift = (d_bias / count)[:, None]
        scale = (rstd if weight is None else rstd * weight)[:, None]
        d_input = np.empty_like(x)
        for part in blocks(len(x), 4 * x[:1].nbytes):
            images = np.subtract(x[part], mean, out=d_input[part])
            images *= slope
            images += g[part]
            images -= shift
            images *= scale
    return (
        None if d_input is None else _finished(d_input, input.shape, grad),
        _finished(d_weight, rstd.shape, grad) if needs[1] else None,
        _finished(d_bias, rstd.shape, grad) if needs[2] else None,
    )


def batch_norm_with_vjp(
    grad: ndarray,
    input: ndarray,
    mean: ndarray,
    rstd: ndarray,
    weight: ndarray | None,
    needs: Needs,
) -> Gradients:
    """The gradients of `batch_norm_with`, whose statistics are constants."""
    g = _as_channels(grad)
    d_input, d_weight, d_bias = None, None, None
    if needs[0]:
        scale = rstd if weight is None else rstd * weight
        d_input = _finished(g * scale[:, None], input.shape, grad)
    if needs[1]:
        x = _as_channels(input)
        total = _weight_gradient(g, x, mean.astype(x.dtype)[:, None], rstd)
        d_weight = _finished(total, rstd.shape, grad)
    if needs[2]:
        d_bias = _finished(channel_sums(g), rstd.shape, grad)
    return d_input, d_weight, d_bias


def _inner_products(a: ndarray, b: ndarray) -> ndarray:
    """Sums of products over the inner axis: (N, C) of (N, C, inner), `b` spare."""
    if 1 < b.shape[2] <= LONG_ROW:
        return np.asarray(np.vecdot(a, b))
    b *= a
    return inner_sums(b)


def _weight_gradient(
    grad: ndarray, x: ndarray, mean: ndarray, rstd: ndarray
) -> ndarray:
    """Σ grad x̂ of each channel."""
    total = np.zeros_like(rstd)
    for part in blocks(len(x), 4 * x[:1].nbytes):
        total += column_sums(_inner_products(grad[part], x[part] - mean))
    total *= rstd
    return total
