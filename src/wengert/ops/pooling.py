"""Pooling: functions of `torch.nn.functional` and of `torch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..primitives import pooling as P
from ..tensor import Tensor
from .arguments import check_floats, per_dimension
from .public import check_operand, op, parameters

Sizes = tuple[int, ...]


def each(value: Any, dims: int, name: str, function: str) -> Sizes:
    """Return a size for each spatial dimension, from one number or a sequence."""
    sizes = per_dimension(value, dims)
    if sizes is None:
        raise RuntimeError(
            f"{function}: {name} must either be a single int, or a tuple of {dims} ints"
        )
    return sizes


def steps(value: Any, kernel: Sizes, function: str) -> Sizes:
    """Return the stride, by default as wide as the kernel."""
    if value is None or (not isinstance(value, int) and len(value) == 0):
        return kernel
    return each(value, len(kernel), "stride", function)


def check(input: Tensor, dims: int, function: str) -> None:
    check_operand(function, "input", 0, input)
    if input.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"{function}(): Expected {dims + 1}D or {dims + 2}D input tensor, but got "
            f"{list(input.shape)}"
        )


def check_filled(input: Tensor, dims: int, function: str) -> None:
    """Refuse an input of too few or too many dimensions, or without elements."""
    shape = list(input.shape)
    fits = input.ndim in (dims + 1, dims + 2)
    if fits and 0 not in shape[-dims - 1 :]:
        return
    kinds = f"{dims + 1}D or {dims + 2}D (batch mode) tensor"
    if dims > 1 and not fits:
        raise RuntimeError(f"non-empty {kinds} expected for input")
    if dims == 3:
        if function[:3] == "max":
            function = "max_pool3d_with_indices_out_cpu_template"
        raise RuntimeError(
            f"{function}(): Expected input's non-batch dimensions to have positive "
            f"length, but input has a shape of {shape} and non-batch dimension 0 has "
            "length zero!"
        )
    who = "max_pool1d: " if function == "max_pool1d" else ""
    raise RuntimeError(
        f"{who}Expected {kinds} with optional 0 dim batch size for input, but got:"
        f"{shape}"
    )


def check_padding(padding: Sizes, kernel: Sizes) -> None:
    for pad, size in zip(padding, kernel, strict=True):
        if pad < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
        if pad > size // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={pad}, kernel_size={size} and dilation=1"
            )


def check_steps(kernel: Sizes, stride: Sizes, dilation: Sizes, function: str) -> None:
    """Refuse windows without elements, and steps that lead nowhere."""
    if function == "max_pool1d" and kernel[0] <= 0:
        raise RuntimeError(
            f"{function}() kernel_size must be greater than zero, but got {kernel[0]}"
        )
    if min(stride) == 0:
        raise RuntimeError("stride should not be zero")
    if min(kernel) <= 0 or min(stride) < 0:
        raise RuntimeError("kernel size and stride should be greater than zero")
    if min(dilation) <= 0:
        axes = "THW"[-len(dilation) :]
        shown = [f"dilation{a}: {d}" for a, d in zip(axes, dilation, strict=True)]
        raise RuntimeError(
            f"dilation should be greater than zero, but got {' '.join(shown)}"
        )


def check_output(
    input: Tensor,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    function: str,
) -> None:
    """Refuse windows that are larger than the input."""
    dims = len(kernel)
    sizes = input.shape[input.ndim - dims :]
    found = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]
    if min(found) >= 1:
        return
    if function == "max_pool1d":
        raise RuntimeError(f"{function}() Invalid computed output size: {found[0]}")
    if function == "avg_pool3d":
        image, window = [
            " ".join([f"{at}{axis}: {n}" for axis, n in zip("THW", ns, strict=True)])
            for at, ns in (("", sizes), ("k", kernel))
        ]
        raise RuntimeError(f"input image ({image}) smaller than kernel size ({window})")
    before = [input.shape[input.ndim - dims - 1], *[1] * (dims == 1)]
    given, calculated = ["x".join(map(str, [*before, *ns])) for ns in (sizes, found)]
    raise RuntimeError(
        f"Given input size: ({given}). Calculated output size: ({calculated}). Output "
        "size is too small"
    )


def max_pool(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """Return the maximum of each window, and where it is if asked for."""
    name = f"max_pool{dims}d"
    check_operand(name, "input", 0, input)
    kernel = each(kernel_size, dims, "kernel_size", name)
    stride = steps(stride, kernel, name)
    padding = each(padding, dims, "padding", name)
    dilation = each(dilation, dims, "dilation", name)
    check_steps(kernel, stride, dilation, name)
    check_padding(padding, kernel)
    check_filled(input, dims, name)
    if not ceil_mode:
        check_output(input, kernel, stride, padding, dilation, name)
    alone, with_indices = P.MAX_POOLS[dims]
    return (with_indices if return_indices else alone)(
        input,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


def avg_pool(
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """Return the average of each window."""
    name = f"avg_pool{dims}d"
    check_operand(name, "input", 0, input)
    kernel = each(kernel_size, dims, "kernel_size", name)
    stride = steps(stride, kernel, name)
    padding = each(padding, dims, "padding", name)
    check_steps(kernel, stride, (1,) * dims, name)
    check_padding(padding, kernel)
    check_filled(input, dims, name)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    if not ceil_mode:
        check_output(input, kernel, stride, padding, (1,) * dims, name)
    return P.AVG_POOLS[dims](
        input,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def output_sizes(input: Tensor, output_size: Any, dims: int, function: str) -> Sizes:
    """Return the sizes asked for, where None stands for the input's."""
    if output_size is None or isinstance(output_size, int):
        output_size = (output_size,) * dims
    sizes = input.shape[input.ndim - dims :]
    if len(output_size) != dims:
        raise RuntimeError(wrong_count(function, dims, len(output_size)))
    found = [
        n if s is None else int(s) for n, s in zip(sizes, output_size, strict=True)
    ]
    if min(found) < 0:
        raise RuntimeError(negative_size(input, found, function))
    return tuple(found)


def wrong_count(function: str, dims: int, count: int) -> str:
    """Return what is wrong with an output size that has another number of them."""
    if dims == 1:
        return (
            f"{function}() argument 'output_size' should contain one int (got {count})"
        )
    if "max" in function:
        return f"{function}(): internal error: output_size.size() must be {dims}"
    return f"{function}: output_size must be {dims}"


def negative_size(input: Tensor, found: list[int], function: str) -> str:
    """Return what is wrong with an output size; one dimension counts as two."""
    dims = len(found)
    sizes = [1, *found] if dims == 1 else found
    if "max" in function:
        shape = [*input.shape[: input.ndim - dims], *sizes]
        wrong = min(found)
        return f"Trying to create tensor with negative dimension {wrong}: {shape}"
    shown = ", ".join(map(str, sizes[:2])) + "".join([f",{n}" for n in sizes[2:]])
    function = function.replace("1d", "2d")
    return (
        f"{function}: elements of output_size must be greater than or equal to 0 but "
        f"received {{{shown}}}"
    )


def check_adaptive(input: Tensor, dims: int, function: str) -> None:
    if dims > 1 and input.ndim <= dims:
        raise ValueError(f"Input dimension should be at least {dims + 1}")
    check(input, dims, function)


ADAPTIVE = "of windows chosen so that the result has a given size"
OPTIONS = {
    "output_size": "one number, or one for each dimension; None for the input's",
    "norm_type": "p",
    "kernel_size": "the size of a window: one number, or one for each dimension",
    "stride": "how far it moves each time; by default its own size",
    "padding": "how much is added at each side",
    "dilation": "how far apart the elements of a window are",
    "ceil_mode": "keep a last window that reaches beyond the end",
    "count_include_pad": "let what was added count in an average",
    "divisor_override": "divide by this in place of the size of the window",
    "return_indices": "return where the maxima are as well",
}


def documentation(function: Callable[..., Any], dims: int, what: str) -> str:
    """Return the docstring of a pooling function, which says what its options are."""
    spatial = ("L", "H, W", "D, H, W")[dims - 1]
    named = [name for name in parameters(function) if name in OPTIONS]
    lines = [
        f"Return {what}.",
        "",
        "    Args:",
        f"        input: (N, C, {spatial}), or without N.",
        *[f"        {name}: {OPTIONS[name]}." for name in named],
    ]
    return "\n".join(lines) + "\n    "


def published(dims: int) -> dict[str, Callable[..., Any]]:
    """Make the pooling functions of so many dimensions."""

    def maximum(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return max_pool(
            dims,
            input,
            kernel_size,
            stride,
            padding,
            dilation,
            ceil_mode,
            return_indices,
        )

    def average(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:
        return avg_pool(
            dims,
            input,
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
        )

    def adaptive_average(input: Tensor, output_size: Any) -> Tensor:
        name = f"adaptive_avg_pool{dims}d"
        check_adaptive(input, dims, name)
        check_floats(name, input)
        sizes = output_sizes(input, output_size, dims, name)
        if dims > 1 and set(sizes) == {1}:
            return input.mean(tuple(range(-dims, 0)), keepdim=True)
        return P.ADAPTIVE_AVG_POOLS[dims](input, output_size=sizes)

    def adaptive_maximum(
        input: Tensor, output_size: Any, return_indices: bool = False
    ) -> Any:
        name = f"adaptive_max_pool{dims}d"
        check_adaptive(input, dims, name)
        sizes = output_sizes(input, output_size, dims, name)
        found = P.ADAPTIVE_MAX_POOLS[dims](input, output_size=sizes)
        return found if return_indices else found[0]

    def power(
        input: Tensor,
        norm_type: float,
        kernel_size: Any,
        stride: Any = None,
        ceil_mode: bool = False,
    ) -> Tensor:
        kernel = each(kernel_size, dims, "kernel_size", f"lp_pool{dims}d")
        count = 1
        for size in kernel:
            count *= size
        mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
        return (mean.sign() * mean.abs().relu() * count).pow(1.0 / norm_type)

    made: dict[str, tuple[Callable[..., Any], str]] = {
        f"max_pool{dims}d": (maximum, "the maximum of each window"),
        f"avg_pool{dims}d": (average, "the average of each window"),
        f"adaptive_avg_pool{dims}d": (adaptive_average, f"averages {ADAPTIVE}"),
        f"adaptive_max_pool{dims}d": (adaptive_maximum, f"maxima {ADAPTIVE}"),
        f"lp_pool{dims}d": (power, "the p-norm of each window"),
    }
    for name, (function, text) in made.items():
        function.__name__ = function.__qualname__ = name
        function.__doc__ = documentation(function, dims, text)
        op(method=False, out=False, function=not name.startswith("lp_"))(function)
    return {name: function for name, (function, _) in made.items()}


for _dims in (1, 2, 3):
    globals().update(published(_dims))


def unfold(
    input: Tensor,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Return the windows of images (N, C, H, W) as columns (N, C kernel, windows)."""
    sizes = [
        each(value, 2, name, "unfold")
        for value, name in (
            (kernel_size, "kernel_size"),
            (dilation, "dilation"),
            (padding, "padding"),
            (stride, "stride"),
        )
    ]
    kernel, dilation, padding, stride = sizes
    single = input.ndim == 3
    result = P.im2col(
        input.unsqueeze(0) if single else input,
        kernel_size=kernel,
        dilation=dilation,
        padding=padding,
        stride=stride,
    )
    return result.squeeze(0) if single else result


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Return images in which columns of windows (N, C kernel, windows) are added up."""
    single = input.ndim == 2
    result = P.col2im(
        input.unsqueeze(0) if single else input,
        output_size=each(output_size, 2, "output_size", "fold"),
        kernel_size=each(kernel_size, 2, "kernel_size", "fold"),
        dilation=each(dilation, 2, "dilation", "fold"),
        padding=each(padding, 2, "padding", "fold"),
        stride=each(stride, 2, "stride", "fold"),
    )
    return result.squeeze(0) if single else result
