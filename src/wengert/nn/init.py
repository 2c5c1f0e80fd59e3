"""Filling parameters with their first values, in place and without recording it.

For the same `manual_seed` the numbers are PyTorch's.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

GAINS = {
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}
LINEAR = ("linear", *[f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)])


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by how much weights before a nonlinearity are to be larger.

    Args:
        nonlinearity: its name, such as "relu".
        param: the negative slope of "leaky_relu", 0.01 by default.

    >>> from wengert import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in LINEAR:
        return 1
    if nonlinearity in GAINS:
        return 1 if nonlinearity == "sigmoid" else GAINS[nonlinearity]
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        elif isinstance(param, bool) or not isinstance(param, int | float):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs each output of a layer has, and outputs each input.

    Args:
        tensor: the weight of the layer, of shape (out, in, *kernel).
    """
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 "
            "dimensions"
        )
    outputs, inputs, *kernel = tensor.shape
    area = math.prod(kernel)
    return inputs * area, outputs * area


def fan(tensor: Tensor, mode: str) -> int:
    """Return one of the `fans`: that of ``mode``, "fan_in" or "fan_out"."""
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return fans(tensor)[modes.index(mode.lower())]


# --- by one formula -------------------------------------------------------------------


@no_grad()
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None
) -> Tensor:
    """Fill with uniform numbers from a to b."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None
) -> Tensor:
    """Fill with normal numbers."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return tensor.fill_(val)


@no_grad()
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return tensor.zero_()


@no_grad()
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with uniform numbers of variance 2 gain² / (fan_in + fan_out) (Glorot)."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(fans(tensor)))
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with normal numbers of variance 2 gain² / (fan_in + fan_out) (Glorot)."""
    std = gain * math.sqrt(2.0 / sum(fans(tensor)))
    return tensor.normal_(0.0, std, generator=generator)


@no_grad()
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill with uniform numbers of variance gain² / fan (He 2015).

    Args:
        a: the negative slope of "leaky_relu".
        mode: "fan_in" keeps variances in the forward pass, "fan_out" in the backward.
        nonlinearity: what comes after the layer; gives the gain.
    """
    if is_empty(tensor):
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill with normal numbers of variance gain² / fan (He 2015).

    Args:
        a: the negative slope of "leaky_relu".
        mode: "fan_in" keeps variances in the forward pass, "fan_out" in the backward.
        nonlinearity: what comes after the layer; gives the gain.
    """
    if is_empty(tensor):
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode))
    return tensor.normal_(0.0, std, generator=generator)


def is_empty(tensor: Tensor) -> bool:
    """Whether there is nothing to fill, which is said."""
    empty = 0 in tensor.shape
    if empty:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
    return empty


# --- truncated ------------------------------------------------------------------------


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fill with normal numbers that are drawn again until they are between a and b.

    Where few would be, uniform numbers are drawn and kept with the probability that
    belongs to their density (Robert 1995).
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The "
            "distribution of values may be incorrect.",
            stacklevel=3,
        )
    inside = normal_below((b - mean) / std) - normal_below((a - mean) / std)
    draw = draw_normal if inside > 0.3 else draw_uniform
    missing = np.ones(tensor.shape, bool)
    while missing.any():
        values, kept = draw(tensor, mean, std, a, b, generator)
        np.copyto(tensor._data, values, where=missing & kept)
        missing &= ~kept
    tensor.add_(0)  # tell those who saved the tensor
    return tensor


def normal_below(x: float) -> float:
    """Return the probability that a normal number is below x."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def draw_normal(
    like: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Any, Any]:
    """Return normal numbers, and which of them are between a and b."""
    values = like.new_empty(like.shape).normal_(mean, std, generator=generator)._data
    return values, (values >= a) & (values <= b)


def draw_uniform(
    like: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Any, Any]:
    """Return uniform numbers between a and b, and which of them to keep."""
    values = like.new_empty(like.shape).uniform_(a, b, generator=generator)._data
    chance = like.new_empty(like.shape).uniform_(generator=generator)._data
    peak = min(max(mean, a), b) - mean
    return values, chance <= np.exp((peak**2 - (values - mean) ** 2) / (2 * std**2))


# --- matrices -------------------------------------------------------------------------


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros elsewhere."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(tensor.new_tensor(np.eye(*tensor.shape)))


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the kernel of a convolution so that it leaves its input as it is.

    As many channels as possible are kept in each of the groups.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ValueError("dim 0 must be divisible by groups")
    filled = np.zeros(tuple(tensor.shape))
    center = tuple([size // 2 for size in kernel])
    per_group = outputs // groups
    for group in range(groups):
        for channel in range(min(per_group, inputs)):
            filled[(group * per_group + channel, channel, *center)] = 1
    return tensor.copy_(tensor.new_tensor(filled))


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with an orthogonal matrix (Saxe 2013): rows, or columns, are orthonormal.

    Args:
        tensor: dimensions after the first count as one.
        gain: the matrix is multiplied with it.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    cols = tensor.numel() // rows
    normal = tensor.new_empty((rows, cols)).normal_(0, 1, generator=generator)._data
    q, r = np.linalg.qr(normal.T if rows < cols else normal)
    q = q * np.sign(np.diagonal(r))  # unique, and so uniformly distributed
    matrix = q.T if rows < cols else q
    return tensor.copy_(tensor.new_tensor(matrix * gain).view(tensor.shape))


@no_grad()
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None
) -> Tensor:
    """Fill a matrix with normal numbers, and a part of each column with zeros.

    Args:
        sparsity: which part.
        std: the standard deviation of the others.
    """
    from ..ops import namespace

    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(cols):
        order = namespace["randperm"](rows)
        tensor[order[:zeros], column] = 0
    return tensor


# --- names of old ---------------------------------------------------------------------


def deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function by the name that it had before it ended in an underscore."""
    new = function.__name__
    old = new[:-1]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    call.__name__ = old
    return call


uniform = deprecated(uniform_)
normal = deprecated(normal_)
constant = deprecated(constant_)
eye = deprecated(eye_)
dirac = deprecated(dirac_)
xavier_uniform = deprecated(xavier_uniform_)
xavier_normal = deprecated(xavier_normal_)
kaiming_uniform = deprecated(kaiming_uniform_)
kaiming_normal = deprecated(kaiming_normal_)
orthogonal = deprecated(orthogonal_)
sparse = deprecated(sparse_)

_calculate_fan_in_and_fan_out = fans
_calculate_correct_fan = fan
