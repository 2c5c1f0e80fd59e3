"""Pooling: the maximum or average of windows, and folding windows into images."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from ..kernels import adaptive_pooling as adaptive, folding, pooling as kernel
from .op import flat, fused, linear

Sizes = tuple[int, ...]

# --- the maximum ----------------------------------------------------------------------

max_pool_backward = linear(
    "max_pool_backward",
    lambda self, indices, *, shape, spatial: kernel.max_pool_vjp(
        self, indices, shape, spatial
    ),
    lambda grad, indices, spatial: take_pooled(grad, indices, spatial=spatial),
    inputs=("self", "indices"),
    grad_fn="MaxPool2DWithIndicesBackwardBackward0",
)
take_pooled = linear(
    "take_pooled",
    lambda self, indices, *, spatial: kernel.take_pooled(self, indices, spatial),
    lambda grad, indices, self_shape, spatial: max_pool_backward(
        grad, indices, shape=tuple(self_shape), spatial=spatial
    ),
    inputs=("self", "indices"),
)


def pooled_vjp(dims: int) -> Any:
    return lambda grad, indices, self_shape: max_pool_backward(
        grad, indices, shape=tuple(self_shape), spatial=dims
    )


def maximum_of_windows(dims: int, grad_fn: str) -> tuple[Any, Any]:
    """Declare the maximum pooling over so many dimensions, without and with indices."""

    def forward(
        self: ndarray,
        *,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
    ) -> tuple[ndarray, ndarray]:
        return kernel.max_pool(self, kernel_size, stride, padding, dilation, ceil_mode)

    def with_indices_jvp(self_t: Any, indices: Any) -> Any:
        return take_pooled(self_t, indices, spatial=dims), None

    with_indices = fused(
        f"max_pool{dims}d_with_indices",
        forward,
        inputs=("self",),
        outputs=("values", "indices"),
        grad_fn=grad_fn,
        vjp_self=pooled_vjp(dims),
        jvp=with_indices_jvp,
    )

    def decomposition(
        self: Any,
        *,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
    ) -> Any:
        return with_indices(
            self,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
        )[0]

    alone = fused(
        f"max_pool{dims}d",
        forward,
        inputs=("self",),
        hidden=("indices",),
        grad_fn=grad_fn,
        vjp_self=pooled_vjp(dims),
        decomposition=decomposition,
    )
    flat(with_indices)
    return alone, with_indices


MAX_POOLS = {
    1: maximum_of_windows(1, "MaxPool1DWithIndicesBackward0"),
    2: maximum_of_windows(2, "MaxPool2DWithIndicesBackward0"),
    3: maximum_of_windows(3, "MaxPool3DWithIndicesBackward0"),
}
"""For each number of dimensions the maximum pooling alone, and with indices."""


def adaptive_maximum(dims: int) -> Any:
    def forward(self: ndarray, *, output_size: Sizes) -> tuple[ndarray, ndarray]:
        return adaptive.adaptive_max_pool(self, output_size)

    def jvp(self_t: Any, indices: Any) -> Any:
        return take_pooled(self_t, indices, spatial=dims), None

    pool = fused(
        f"adaptive_max_pool{dims}d",
        forward,
        inputs=("self",),
        outputs=("values", "indices"),
        grad_fn=f"AdaptiveMaxPool{dims}DBackward0",
        vjp_self=pooled_vjp(dims),
        jvp=jvp,
    )
    return flat(pool)


ADAPTIVE_MAX_POOLS = {dims: adaptive_maximum(dims) for dims in (1, 2, 3)}


def taken(dims: int) -> Any:
    """Declare the elements at given places as the result of fractional pooling."""
    pool = linear(
        f"fractional_max_pool{dims}d",
        lambda self, indices, *, spatial: kernel.take_pooled(self, indices, spatial),
        pooled_vjp(dims),
        inputs=("self", "indices"),
        grad_fn=f"FractionalMaxPool{dims}DBackward0",
    )
    return flat(pool)


FRACTIONAL_MAX_POOLS = {dims: taken(dims) for dims in (2, 3)}

# --- the average ----------------------------------------------------------------------


def average_of_windows(dims: int) -> Any:
    """Declare the average pooling over so many dimensions."""

    def forward(
        self: ndarray,
        *,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor_override: int | None,
    ) -> ndarray:
        return kernel.avg_pool(
            self,
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
        )

    def backward(
        self: ndarray,
        *,
        shape: Sizes,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor_override: int | None,
    ) -> ndarray:
        return kernel.avg_pool_vjp(
            self,
            shape,
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
        )

    pool_backward = linear(
        f"avg_pool{dims}d_backward",
        backward,
        lambda grad, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (  # noqa: E501
            pool(
                grad,
                kernel_size=kernel_size,
                stride=stride,
                padding=padding,
                ceil_mode=ceil_mode,
                count_include_pad=count_include_pad,
                divisor_override=divisor_override,
            )
        ),
    )
    pool = linear(
        f"avg_pool{dims}d",
        forward,
        lambda grad, self_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (  # noqa: E501
            pool_backward(
                grad,
                shape=tuple(self_shape),
                kernel_size=kernel_size,
                stride=stride,
                padding=padding,
                ceil_mode=ceil_mode,
                count_include_pad=count_include_pad,
                divisor_override=divisor_override,
            )
        ),
        grad_fn=f"AvgPool{dims}DBackward0",
    )
    return flat(pool)


AVG_POOLS = {dims: average_of_windows(dims) for dims in (1, 2, 3)}


def adaptive_average(dims: int) -> Any:
    backward = linear(
        f"adaptive_avg_pool{dims}d_backward",
        lambda self, *, shape, output_size: adaptive.adaptive_avg_pool_vjp(
            self, shape, output_size
        ),
        lambda grad, output_size: pool(grad, output_size=output_size),
    )
    pool = linear(
        f"adaptive_avg_pool{dims}d",
        lambda self, *, output_size: adaptive.adaptive_avg_pool(self, output_size),
        lambda grad, self_shape, output_size: backward(
            grad, shape=tuple(self_shape), output_size=output_size
        ),
        grad_fn=f"AdaptiveAvgPool{dims}DBackward0",
    )
    return flat(pool)


ADAPTIVE_AVG_POOLS = {dims: adaptive_average(dims) for dims in (1, 2, 3)}

# --- folding --------------------------------------------------------------------------

im2col = linear(
    "im2col",
    lambda self, *, kernel_size, dilation, padding, stride: folding.unfold(
        self, kernel_size, dilation, padding, stride
    ),
    lambda grad, self_shape, kernel_size, dilation, padding, stride: col2im(
        grad,
        output_size=tuple(self_shape[2:]),
        kernel_size=kernel_size,
        dilation=dilation,
        padding=padding,
        stride=stride,
    ),
    grad_fn="Im2ColBackward0",
)
col2im = linear(
    "col2im",
    lambda self, *, output_size, kernel_size, dilation, padding, stride: folding.fold(
        self, output_size, kernel_size, dilation, padding, stride
    ),
    lambda grad, kernel_size, dilation, padding, stride: im2col(
        grad,
        kernel_size=kernel_size,
        dilation=dilation,
        padding=padding,
        stride=stride,
    ),
    grad_fn="Col2ImBackward0",
)
