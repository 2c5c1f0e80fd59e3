"""Fourier transforms: `torch.fft`.

There are three kinds, forward and back, each in one, two and any number of dimensions:
`complex_to_complex`, `real_to_complex` and `complex_to_real`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..primitives import complex as C, fourier as P
from ..primitives.copying import to_copy
from ..primitives.padding import constant_pad
from ..tensor import Tensor
from .arguments import as_tuple, normalize_dim
from .options import Dtype, finish, numpy_dtype
from .public import check_operand, with_out
from .rearranging import roll

Function = Callable[..., Any]
Dims = tuple[int, ...]
Sizes = Sequence[int] | None

functions: dict[str, Function] = {}
"""What ``torch.fft`` has, by name."""

# --- arguments ------------------------------------------------------------------------

NORMALIZATION = {
    None: (0, 2),
    "backward": (0, 2),
    "ortho": (1, 1),
    "forward": (2, 0),
}
"""The normalization of the forward transform, and of the one back."""


def normalization(norm: str | None, forward: bool) -> int:
    """Return what a transform is divided by: see `primitives.fourier`."""
    if norm not in NORMALIZATION:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return NORMALIZATION[norm][not forward]


def promoted(input: Tensor, to_complex: bool = False) -> Tensor:
    """Give the input a dtype that there are transforms of."""
    dtype = input.dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        dtype = dtypes.get_default_dtype()
    if dtype.itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {dtype.scalar_type}")
    if to_complex and not dtype.is_complex:
        dtype = dtypes.complex64 if dtype is dtypes.float32 else dtypes.complex128
    return input if input.dtype is dtype else to_copy(input, dtype=dtype.numpy)


def check_real(name: str, input: Tensor) -> None:
    if not input.dtype.is_complex:
        return
    kind = input.dtype.scalar_type
    if name == "ihfftn":
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {kind}")
    real = "real-valued" if name == "rfftn" else "real"
    raise RuntimeError(f"{name} expects a {real} input tensor, but got {kind}")


def dims_and_sizes(input: Tensor, s: Sizes, dim: Any) -> tuple[Dims, list[int]]:
    """Return the dimensions to transform, and how many elements of each.

    Args:
        s: the sizes; -1 stands for what there are.
        dim: the dimensions; by default the last ones if there are sizes, else all.
    """
    ndim = len(input.shape)
    s = s if s is None else as_tuple(s)
    if dim is not None:
        dims = tuple([wrapped(d, ndim) for d in as_tuple(dim)])
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError(
                "When given, dim and shape arguments must have the same length"
            )
    elif s is not None and len(s) > ndim:
        raise RuntimeError(
            f"Got shape with {len(s)} values but input tensor only has {ndim} "
            "dimensions."
        )
    else:
        dims = tuple(range(0 if s is None else ndim - len(s), ndim))
    given = s if s is not None else [-1] * len(dims)
    sizes = [input.shape[d] if n == -1 else n for d, n in zip(dims, given, strict=True)]
    check_sizes(sizes)
    return dims, sizes


def wrapped(dim: int, ndim: int) -> int:
    """Return the number of a dimension counted from zero up."""
    if ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normalize_dim(dim, ndim)


def check_sizes(sizes: Sequence[int]) -> None:
    for size in sizes:
        if size <= 0:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")


def check_any(name: str, dims: Dims) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


def resized(input: Tensor, dims: Dims, sizes: Sequence[int]) -> Tensor:
    """Cut dimensions to the sizes, or fill them up with zeros."""
    index = [slice(None)] * len(input.shape)
    after = [0] * len(input.shape)
    for dim, size in zip(dims, sizes, strict=True):
        have = input.shape[dim]
        if size < have:
            index[dim] = slice(0, size)
        after[dim] = max(size - have, 0)
    if any(part.stop is not None for part in index):
        input = input[tuple(index)]
    if any(after):
        none = (0,) * len(after)
        input = constant_pad(input, before=none, after=tuple(after), value=0)
    return input


# --- the three transforms -------------------------------------------------------------


def complex_to_complex(
    name: str,
    input: Tensor,
    s: Sizes,
    dim: Any,
    norm: str | None,
    forward: bool,
) -> Tensor:
    dims, sizes = dims_and_sizes(input, s, dim)
    whole = resized(promoted(input, to_complex=True), dims, sizes)
    return of_complex(whole, dims, normalization(norm, forward), forward)


def of_complex(input: Tensor, dims: Dims, by: int, forward: bool) -> Tensor:
    """Return the transform, a copy if there are no dimensions."""
    if not dims:
        return input.clone()
    result: Tensor = P.fft_c2c(input, dim=dims, normalization=by, forward=forward)
    return result


def real_to_complex(
    name: str,
    input: Tensor,
    s: Sizes,
    dim: Any,
    norm: str | None,
    forward: bool,
) -> Tensor:
    """Return half of the spectrum, that of the last dimension being symmetric.

    Back, the last dimension's transform is the conjugate of the forward one.
    """
    check_real(name, input)
    input = promoted(input)
    dims, sizes = dims_and_sizes(input, s, dim)
    check_any(name, dims)
    by = normalization(norm, forward)
    whole = resized(input, dims, sizes)
    if forward:
        return P.fft_r2c(whole, dim=dims, normalization=by, onesided=True)
    half = P.fft_r2c(whole, dim=dims[-1:], normalization=by, onesided=True)
    if len(dims) == 1:
        return C.conj(half)
    return of_complex(C.conj_physical(half), dims[:-1], by, False)


def complex_to_real(
    name: str,
    input: Tensor,
    s: Sizes,
    dim: Any,
    norm: str | None,
    forward: bool,
) -> Tensor:
    """Return what half of a spectrum is the transform of, which is real.

    Forward, the last dimension's transform is the one back of the conjugate.
    """
    dims, sizes = dims_and_sizes(input, s, dim)
    check_any(name, dims)
    if s is None or as_tuple(s)[-1] == -1:
        sizes[-1] = 2 * (input.shape[dims[-1]] - 1)
    size = sizes[-1]
    check_sizes([size])
    by = normalization(norm, forward)
    whole = resized(
        promoted(input, to_complex=True), dims, [*sizes[:-1], size // 2 + 1]
    )
    if forward:
        if len(dims) > 1:
            whole = of_complex(whole, dims[:-1], by, True)
        whole, dims = C.conj(whole), dims[-1:]
    return P.fft_c2r(whole, dim=dims, normalization=by, last_dim_size=size)


def one_by_one(
    name: str,
    input: Tensor,
    s: Sizes,
    dim: Any,
    norm: str | None,
    forward: bool,
) -> Tensor:
    """Return the whole spectrum along one dimension, quicker of real numbers."""
    if input.dtype.is_complex:
        return complex_to_complex(name, input, s, dim, norm, forward)
    input = promoted(input)
    dims, sizes = dims_and_sizes(input, s, dim)
    by = normalization(norm, forward)
    whole = resized(input, dims, sizes)
    result: Tensor = P.fft_r2c(whole, dim=dims, normalization=by, onesided=False)
    return result if forward else C.conj(result)


# --- what users call ------------------------------------------------------------------

DOCUMENTATION = """{summary}, along {dims}.

Args:
    input: a tensor.
    {arguments}
    norm: what the result is divided by: "backward" (the default): nothing forward, the
        number of elements back; "forward": the other way round; "ortho": its root.

>>> import wengert as torch
>>> torch.fft.{name}(torch.ones(3, 4)).shape
torch.Size([{shape}])
"""
ONE = (
    "n: cut the dimension to this size, or fill it up with zeros.\n    dim: which one."
)
SEVERAL = (
    "s: cut the dimensions to these sizes, or fill them up with zeros.\n"
    "    dim: which ones."
)


def publish(call: Function, name: str, summary: str, dims: str, shape: str) -> None:
    """Make a function one of ``torch.fft``."""
    call.__name__ = call.__qualname__ = name
    call.__doc__ = DOCUMENTATION.format(
        name=name,
        summary=summary,
        dims=dims,
        arguments=ONE if dims == "one dimension" else SEVERAL,
        shape=shape,
    )
    functions[name] = with_out(call, f"fft_{name}")


def publish_three(
    name: str, one: Function, several: Function, summary: str, shape: str
) -> None:
    """Publish a transform in one, two and any number of dimensions.

    Args:
        one: the transform along one dimension.
        several: that along any number of them.
        shape: of the transform of a tensor of shape (3, 4).
    """
    forward = name[0] != "i"

    def in_one(
        input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None
    ) -> Tensor:
        if n is not None and not hasattr(n, "__index__"):
            kind = type(n).__name__
            raise TypeError(f"fft_{name}(): argument 'n' must be int, not {kind}")
        sizes = None if n is None else (n,)
        check_sizes(sizes or ())
        result: Tensor = one(name, input, sizes, dim, norm, forward)
        return result

    def in_two(
        input: Tensor, s: Sizes = None, dim: Any = (-2, -1), norm: str | None = None
    ) -> Tensor:
        result: Tensor = several(f"{name}n", input, s, dim, norm, forward)
        return result

    def in_any(
        input: Tensor, s: Sizes = None, dim: Any = None, norm: str | None = None
    ) -> Tensor:
        result: Tensor = several(f"{name}n", input, s, dim, norm, forward)
        return result

    publish(in_one, name, summary, "one dimension", shape)
    publish(in_two, f"{name}2", summary, "two dimensions", shape)
    publish(in_any, f"{name}n", summary, "several dimensions", shape)


for _name, _one, _several, _summary, _shape in (
    ("fft", one_by_one, complex_to_complex, "The spectrum", "3, 4"),
    ("ifft", one_by_one, complex_to_complex, "The inverse of `fft`", "3, 4"),
    (
        "rfft",
        real_to_complex,
        real_to_complex,
        "Half of the spectrum of real numbers, whose other half is its mirror image",
        "3, 3",
    ),
    (
        "irfft",
        complex_to_real,
        complex_to_real,
        "The real numbers that have a spectrum of which half is given",
        "3, 6",
    ),
    (
        "hfft",
        complex_to_real,
        complex_to_real,
        "The spectrum, which is real, of what is symmetric; half of that is given",
        "3, 6",
    ),
    (
        "ihfft",
        real_to_complex,
        real_to_complex,
        "The inverse of `hfft`: half of what has a real spectrum",
        "3, 3",
    ),
):
    publish_three(_name, _one, _several, _summary, _shape)

# --- frequencies, and their order -----------------------------------------------------


def frequencies(name: str, order: Function, summary: str, shown: str) -> None:
    """Publish a function that returns the frequencies of a spectrum."""

    def call(n: int, d: float = 1.0, *, dtype: Dtype = None, **options: Any) -> Tensor:
        wanted = numpy_dtype(dtype)
        if wanted.kind not in "fc":
            raise RuntimeError(f"{name} requires a floating point or complex dtype")
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: [{n}]"
            )
        # as PyTorch computes it, which rounds otherwise than a division
        scale = np.divide(1.0, n * d)
        return finish((order(n) * wanted.type(scale)).astype(wanted), **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = (
        f"The frequencies of {summary}.\n\nArgs:\n    n: the number of elements.\n"
        "    d: the time between two.\n\n>>> import wengert as torch\n"
        f">>> torch.fft.{name}(4)\n{shown}\n"
    )
    functions[name] = call


frequencies(
    "fftfreq",
    lambda n: np.fft.ifftshift(np.arange(-(n // 2), n - n // 2)),
    "a spectrum in its order: zero, the positive ones, the negative ones",
    "tensor([ 0.0000,  0.2500, -0.5000, -0.2500])",
)
frequencies(
    "rfftfreq",
    lambda n: np.arange(n // 2 + 1),
    "half a spectrum, from zero up",
    "tensor([0.0000, 0.2500, 0.5000])",
)


def shifting(name: str, extra: int, summary: str, shown: str) -> None:
    """Publish a function that rolls dimensions by half of their sizes."""

    def call(input: Tensor, dim: Any = None) -> Tensor:
        check_operand(f"fft_{name}", "input", 0, input)
        dims = range(len(input.shape)) if dim is None else as_tuple(dim)
        shifts = [(input.shape[d] + extra) // 2 for d in dims]
        return roll(input, tuple(shifts), tuple(dims))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = (
        f"{summary}, along some dimensions or all.\n\n>>> import wengert as torch\n"
        f">>> torch.fft.{name}(torch.arange(5))\n{shown}\n"
    )
    functions[name] = call


shifting(
    "fftshift",
    0,
    "Move the frequency zero of a spectrum into the middle",
    "tensor([3, 4, 0, 1, 2])",
)
shifting("ifftshift", 1, "Undo `fftshift`", "tensor([2, 3, 4, 0, 1])")
