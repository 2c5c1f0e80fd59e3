"""Activations: functions of `torch.nn.functional`, some of which `torch` has too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inplace import inplace as make_inplace
from ..limits import finfo
from ..primitives import activation as A
from ..primitives.elementwise import sigmoid as sigmoid, tanh as tanh
from ..tensor import Tensor
from .arguments import check_floats, normalize_dim
from .public import check_operand, namespace, op

Dtype = Any


def either(call: Any, input: Tensor, inplace: bool, **params: Any) -> Tensor:
    """Compute an activation, in place if that is asked for."""
    if type(input) is not Tensor:
        check_operand(call.primitive.name, "input", 0, input)
    if not inplace:
        return call(input, **params)
    return make_inplace(call)(input, **params)


# --- piecewise linear -----------------------------------------------------------------


@op(inplace=True, out=False)
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(0, x).

    >>> import wengert as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if inplace or type(input) is not Tensor:
        return either(A.relu, input, inplace)
    return A.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(0, x), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Tensor:
    """Return x where it is positive, else x times a small slope.

    Args:
        negative_slope: the slope.
        inplace: write the result into the input.

    >>> import wengert as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return either(A.leaky_relu, input, inplace, negative_slope=negative_slope)


def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False
) -> Tensor:
    """Return x where it is above the threshold, else a value."""
    return either(A.threshold, input, inplace, threshold=threshold, value=value)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return x limited to a range."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return either(A.hardtanh, input, inplace, min_val=min_val, max_val=max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(0, x + 3), 6) / 6."""
    return either(A.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x hardsigmoid(x)."""
    return either(A.hardswish, input, inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return x, or zero where its size is at most `lambd`."""
    return A.hardshrink(input, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return x moved towards zero by `lambd`."""
    if lambd < 0:
        raise RuntimeError(
            f"lambda must be in range [0, {finfo(input.dtype).max:.6g}] for input "
            f"dtype {input.dtype.scalar_type}, but found {lambd}"
        )
    return A.softshrink(input, lambd=lambd)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return x where it is positive, else x times a learnt slope."""
    if weight.dtype is not input.dtype:
        raise RuntimeError(
            "prelu: Type promoting not supported. Got "
            f"{input.dtype.scalar_type} and {weight.dtype.scalar_type}"
        )
    if weight.ndim > 1:
        raise RuntimeError(
            "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = "
            f"{weight.ndim}"
        )
    if weight.numel() != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter "
                f"numbers = {weight.numel()} and channel size = {channels}."
            )
        weight = weight.reshape((1, -1) + (1,) * (input.ndim - 2))
    elif weight.ndim:
        weight = weight.reshape((1,) * input.ndim)
    return A.prelu(input, weight)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Return x where it is positive, else x times a slope, random in training."""
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    from ..generator import default_generator
    from ..tensor import plain

    data = input.detach()._data
    below = data <= 0
    noise = np.ones(data.shape, data.dtype)
    noise[below] = default_generator.uniform((below.sum(),), float, lower, upper)
    result = A.rrelu(input, plain(noise))
    return make_inplace(lambda x: result)(input) if inplace else result


# --- exponential ----------------------------------------------------------------------


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where it is positive, else α (exp(x) - 1).

    >>> import wengert as torch
    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return either(A.elu, input, inplace, alpha=alpha, scale=1.0, input_scale=1.0)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@op(inplace=True, method=False, out=False)
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the self-normalising ELU (Klambauer et al., 2017)."""
    return either(
        A.elu, input, inplace, alpha=SELU_ALPHA, scale=SELU_SCALE, input_scale=1.0
    )


@op(inplace=True, method=False, out=False)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return max(0, x) + min(0, α (exp(x/α) - 1))."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return either(A.celu, input, inplace, alpha=alpha)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(β x)) / β, which is x where β x is above the threshold.

    >>> import wengert as torch
    >>> torch.nn.functional.softplus(torch.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    return either(A.softplus, input, False, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """Return log(sigmoid(x)), exact for large negative x too."""
    return either(A.log_sigmoid, input, False)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x sigmoid(x)."""
    return either(A.silu, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x tanh(softplus(x))."""
    return either(A.mish, input, inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return x Φ(x), where Φ is the normal distribution function.

    Args:
        approximate: "none", or "tanh" for the approximation by tanh.

    >>> import wengert as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "none":
        return either(A.gelu, input, False)
    if approximate == "tanh":
        return either(A.gelu_tanh, input, False)
    raise RuntimeError("approximate argument must be either none or tanh.")


def softsign(input: Tensor) -> Tensor:
    """Return x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """Return x - tanh(x)."""
    return input - input.tanh()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return a sigmoid(b), where a and b are the input's halves along a dimension."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    check_floats("glu_cpu", input)
    dim = normalize_dim(dim, input.ndim)
    if input.shape[dim] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size "
            f"{input.shape[dim]}"
        )
    return A.glu(input, dim=dim)


# --- softmax --------------------------------------------------------------------------


def along(call: Any, input: Tensor, dim: int | None, dtype: Dtype, name: str) -> Tensor:
    """Apply a softmax along a dimension, in floating point."""
    if dtype is not None:
        input = input.to(dtype)
    check_floats(f"{name}_lastdim_kernel_impl", input)
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
    ndim = input.ndim
    if ndim == 0:
        normalize_dim(dim, 0)
        return call(input.reshape((1,)), dim=0).reshape(())
    return call(input, dim=normalize_dim(dim, ndim))


@op()
def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype = None
) -> Tensor:
    """Return exp(x) along a dimension, divided by its sum.

    >>> import wengert as torch
    >>> torch.softmax(torch.zeros(4), 0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return along(A.softmax, input, dim, dtype, "softmax")


@op()
def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype = None
) -> Tensor:
    """Return the logarithm of the softmax along a dimension, computed stably.

    Args:
        dim: the dimension.
        dtype: the input is cast to it first.

    >>> import wengert as torch
    >>> torch.log_softmax(torch.tensor([0.0, 1000.0]), 0)
    tensor([-1000.,     0.])
    """
    return along(A.log_softmax, input, dim, dtype, "log_softmax")


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype = None
) -> Tensor:
    """Return the softmax of -x."""
    return softmax(-input, dim, dtype=dtype)


def normalize(
    input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None
) -> Tensor:
    """Return x divided by its p-norm along a dimension, or by a larger `eps`.

    >>> import wengert as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    if out is not None:
        written: Tensor = namespace["div"](input, norm, out=out)
        return written
    return input / norm
