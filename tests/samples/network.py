"""Samples of what networks are made of: activations, losses, layers' functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import Sample

Call = Callable[..., Any]


def functional(name: str, *args: Any, label: str = "", **options: Any) -> Sample:
    """Return a sample of a function of `nn.functional` with further arguments."""
    kwargs = options.pop("kwargs", {})

    def call(t: Any, *tensors: Any) -> Any:
        return getattr(t.nn.functional, name)(*tensors, *args, **kwargs)

    return Sample(name + (f"_{label}" if label else ""), call, **options)


def classes(*shape: int, count: int = 4) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.integers(0, count, shape)


def signs(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.choice([-1.0, 1.0], shape)


STEPS = {"smooth": True, "second": False}  # the slope is constant between the kinks
WIDE = {"inputs": [(4, 6)], "domain": (-4.0, 4.0)}

ACTIVATIONS = [
    functional("relu", pointwise=True, dtypes="fhi", **STEPS),
    functional("relu6", pointwise=True, **STEPS, **WIDE),
    functional("leaky_relu", pointwise=True, **STEPS),
    functional("leaky_relu", 1.5, label="steep", **STEPS),
    functional("leaky_relu", -0.5, label="falling", **STEPS),
    functional("threshold", 0.1, 20.0, **STEPS),
    functional("hardtanh", **STEPS),
    functional("hardsigmoid", tolerance=1000, **STEPS, **WIDE),  # 1/6 in single
    functional("hardswish", **WIDE),
    functional("hardshrink", **STEPS),
    functional("softshrink", **STEPS),
    functional("elu", pointwise=True),
    functional("elu", 2.0, label="alpha"),
    functional("selu", pointwise=True),
    functional("celu", 0.7, tolerance=1000),  # PyTorch rounds 1/alpha to single
    functional("gelu", pointwise=True),
    functional("gelu", label="tanh", kwargs={"approximate": "tanh"}),
    functional("silu", pointwise=True),
    functional("mish", pointwise=True),
    functional("softplus", pointwise=True),
    functional("softplus", 2.0, 1.0, label="threshold"),
    functional("logsigmoid", **WIDE),
    functional("softsign"),
    functional("tanhshrink"),
    functional("glu", inputs=[(3, 4)]),
    functional("glu", 0, label="first", inputs=[(4, 3)]),
    functional("prelu", inputs=[(2, 3, 4), (3,)], second=False),
    functional("prelu", label="single", inputs=[(2, 3), (1,)], second=False),
    functional("softmax", 1, dtypes="f"),
    functional("softmax", 0, label="first", inputs=[(3, 4, 2)]),
    functional("softmax", -1, label="of_scalar", inputs=[()], grad_fn=False),
    functional("softmin", 1),
    functional("log_softmax", 1),
    functional("log_softmax", 0, label="first", inputs=[(3, 4, 2)]),
    *[
        functional(name, dim, label=f"{dim}_of_{shape}", inputs=[shape], smooth=False)
        for name in ("softmax", "softmin", "log_softmax")
        for dim, shape in ((0, (0, 3)), (1, (3, 0)), (1, (0, 3)))
    ],
    functional("normalize"),
]


def against(name: str, *args: Any, label: str = "", **options: Any) -> list[Sample]:
    """Return samples of a loss with each reduction."""
    return [
        functional(
            name,
            *args,
            label=f"{label}_{reduction}" if label else reduction,
            kwargs={"reduction": reduction},
            inputs=[(3, 4), (3, 4)],
            **options,
        )
        for reduction in ("mean", "sum", "none")
    ]


PROBABLE = {"domain": (0.05, 0.95)}
LOSSES = [
    *against("mse_loss"),
    *against("l1_loss", second=False),
    *against("smooth_l1_loss"),
    *against("huber_loss"),
    *against("binary_cross_entropy", **PROBABLE),
    *against("binary_cross_entropy_with_logits", **PROBABLE),
    Sample(
        "soft_margin_loss",
        lambda t, x: t.nn.functional.soft_margin_loss(
            x, (x.detach().cos() > 0.5).to(x.dtype) * 2 - 1
        ),
    ),
    *against("kl_div", **PROBABLE),
    *against("poisson_nll_loss", **PROBABLE),
    *against("multilabel_soft_margin_loss", **PROBABLE),
    functional("nll_loss", inputs=[(3, 4), classes(3)], second=False),
    functional("nll_loss", label="of_one", inputs=[(4,), classes()], second=False),
    functional(
        "nll_loss",
        label="weighted",
        inputs=[(3, 4), classes(3), np.array([0.5, 1.0, 2.0, 0.1])],
        second=False,
        grad=False,
    ),
    functional(
        "nll_loss",
        label="ignoring",
        inputs=[(3, 4), np.array([1, 2, 1])],
        kwargs={"ignore_index": 1},
        second=False,
    ),
    functional(
        "nll_loss", label="image", inputs=[(2, 4, 3, 2), classes(2, 3, 2)], second=False
    ),
    functional("cross_entropy", inputs=[(3, 4), classes(3)]),
    functional("cross_entropy", label="of_one", inputs=[(4,), classes()]),
    functional(
        "cross_entropy",
        label="each",
        inputs=[(3, 4), classes(3)],
        kwargs={"reduction": "none"},
    ),
    functional("cross_entropy", label="image", inputs=[(2, 4, 3), classes(2, 3)]),
    functional(
        "cross_entropy",
        label="smoothed",
        inputs=[(3, 4), classes(3)],
        kwargs={"label_smoothing": 0.1},
        grad_fn=False,
    ),
    functional(
        "cross_entropy",
        label="ignoring",
        inputs=[(3, 4), np.array([1, 2, 1])],
        kwargs={"ignore_index": 2},
    ),
    functional(
        "cross_entropy",
        label="probabilities",
        inputs=[(3, 4), (3, 4)],
        domain=(0.1, 1.0),
        grad_fn=False,
    ),
    functional("gaussian_nll_loss", inputs=[(3, 4), (3, 4), (3, 4)], domain=(0.2, 2.0)),
    functional(
        "hinge_embedding_loss",
        inputs=[(3, 4), signs(3, 4)],
        second=False,
        grad_fn=False,
        smooth=False,
    ),
    functional(
        "margin_ranking_loss",
        inputs=[(4,), (4,), signs(4)],
        second=False,
        grad_fn=False,
        smooth=False,
    ),
    functional(
        "cosine_embedding_loss",
        inputs=[(3, 4), (3, 4), signs(3)],
        grad_fn=False,
        smooth=False,
    ),
    functional("triplet_margin_loss", inputs=[(3, 4), (3, 4), (3, 4)], grad_fn=False),
    functional(
        "multi_margin_loss", inputs=[(3, 4), classes(3)], second=False, grad_fn=False
    ),
    functional("cosine_similarity", inputs=[(3, 4), (3, 4)], grad_fn=False),
    functional(
        "cosine_similarity",
        label="of_short_vectors",
        inputs=[(3, 4), (3, 4)],
        domain=(-1e-3, 1e-3),
        kwargs={"eps": 2e-3},
        grad_fn=False,
        smooth=False,
    ),
    functional(
        "cosine_similarity",
        label="broadcast",
        inputs=[(3, 1, 4), (1, 5, 4)],
        grad_fn=False,
    ),
    functional("pairwise_distance", inputs=[(3, 4), (3, 4)], grad_fn=False),
]


def conv(name: str, shapes: list[Any], label: str = "", **kwargs: Any) -> Sample:
    return functional(
        name,
        label=label,
        inputs=shapes,
        kwargs=kwargs,
        tolerance=10,
        grad_fn="transpose" not in name,
    )


LAYERS = [
    conv("conv1d", [(2, 4, 9), (3, 4, 3)]),
    conv("conv2d", [(2, 4, 7, 7), (6, 4, 3, 3), (6,)], "strided", stride=2, padding=1),
    conv(
        "conv2d",
        [(2, 4, 7, 6), (6, 2, 3, 3)],
        "groups",
        padding="same",
        dilation=2,
        groups=2,
    ),
    conv("conv2d", [(4, 5, 5), (3, 4, 3, 3)], "unbatched"),
    conv("conv2d", [(2, 4, 5, 5), (4, 1, 3, 3)], "depthwise", groups=4),
    conv("conv2d", [(2, 3, 4, 4), (5, 3, 1, 1)], "pixels"),
    conv("conv3d", [(1, 2, 4, 5, 4), (3, 2, 2, 2, 2)], stride=(1, 2, 1)),
    conv("conv_transpose1d", [(2, 3, 5), (3, 2, 3)], stride=2),
    conv(
        "conv_transpose2d",
        [(2, 4, 5, 5), (4, 3, 3, 3), (3,)],
        stride=2,
        padding=1,
        output_padding=1,
    ),
    conv(
        "conv_transpose3d",
        [(1, 2, 2, 3, 2), (2, 2, 2, 2, 3), (4,)],
        stride=(3, 2, 1),
        padding=(1, 2, 3),
        output_padding=(2, 3, 1),
        groups=2,
        dilation=(4, 4, 4),
    ),
    functional("max_pool1d", 2, inputs=[(2, 3, 6)], second=False, grad_fn=False),
    functional("max_pool2d", 2, inputs=[(2, 3, 6, 6)], second=False),
    functional(
        "max_pool2d",
        3,
        2,
        1,
        label="ceil",
        inputs=[(2, 3, 7, 6)],
        kwargs={"ceil_mode": True},
        second=False,
    ),
    functional("max_pool3d", 2, inputs=[(1, 2, 4, 4, 4)], second=False),
    functional("avg_pool1d", 2, inputs=[(2, 3, 6)], second=False, grad_fn=False),
    functional("avg_pool2d", 2, inputs=[(2, 3, 6, 6)], second=False),
    functional(
        "avg_pool2d",
        3,
        2,
        1,
        label="padded",
        inputs=[(2, 3, 7, 7)],
        kwargs={"count_include_pad": False},
        second=False,
    ),
    functional("adaptive_avg_pool2d", (3, 2), inputs=[(2, 3, 7, 7)], second=False),
    functional(
        "adaptive_avg_pool2d",
        1,
        label="whole",
        inputs=[(2, 3, 4, 4)],
    ),
    functional("adaptive_max_pool2d", (3, 2), inputs=[(2, 3, 7, 7)], second=False),
    functional("lp_pool2d", 2.0, 2, inputs=[(2, 3, 6, 6)], grad_fn=False),
    functional("unfold", 2, inputs=[(2, 3, 5, 5)], second=False),
    functional("fold", (4, 4), 2, inputs=[(2, 12, 9)], second=False),
    functional("layer_norm", inputs=[(2, 3, 5)], kwargs={"normalized_shape": (5,)}),
    functional(
        "layer_norm",
        label="wide",
        inputs=[(2, 3, 5)],
        kwargs={"normalized_shape": (3, 5)},
    ),
    Sample(
        "layer_norm_affine",
        lambda t, x, w, b: t.nn.functional.layer_norm(x, (5,), w, b),
        [(2, 3, 5), (5,), (5,)],
        tolerance=10,
    ),
    Sample(
        "group_norm",
        lambda t, x, w, b: t.nn.functional.group_norm(x, 2, w, b),
        [(2, 4, 3, 3), (4,), (4,)],
        tolerance=10,
    ),
    Sample(
        "batch_norm",
        lambda t, x, w, b: t.nn.functional.batch_norm(x, None, None, w, b, True),
        [(5, 4, 3), (4,), (4,)],
        tolerance=10,
    ),
    Sample(
        "batch_norm_evaluating",
        lambda t, x, m, v, w: t.nn.functional.batch_norm(
            x, m.detach(), v.detach().abs() + 0.5, w
        ),
        [(5, 4), (4,), (4,), (4,)],
        grad=False,
    ),
    Sample(
        "instance_norm",
        lambda t, x, w, b: t.nn.functional.instance_norm(x, None, None, w, b),
        [(2, 4, 3, 3), (4,), (4,)],
        tolerance=10,
        grad_fn=False,
    ),
    Sample(
        "rms_norm",
        lambda t, x, w: t.nn.functional.rms_norm(x, (5,), w),
        [(2, 3, 5), (5,)],
        grad_fn=False,
    ),
    functional("local_response_norm", 3, inputs=[(2, 5, 4)]),
]

SAMPLES = [*ACTIVATIONS, *LOSSES, *LAYERS]
