"""Samples of functions of `nn.functional` that few programs need."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample

LABELS = np.array([[1, 2, 2], [3, 1, 0]])
LENGTHS = ((6, 5), (3, 2))


def ctc(label: str, *, given: Any = LABELS, smooth: bool = True, **kwargs: Any) -> Any:
    """Return a sample of `ctc_loss`: PyTorch's second derivatives are not there."""
    steps = kwargs.pop("steps", LENGTHS)

    def call(t: Any, x: Any, labels: Any) -> Any:
        logs = x if kwargs.get("raw") else x.log_softmax(-1)
        options = {key: value for key, value in kwargs.items() if key != "raw"}
        return t.nn.functional.ctc_loss(logs, labels, *steps, **options)

    return Sample(
        f"ctc_loss_{label}",
        call,
        [(6, 2, 4), given],
        second=False,
        smooth=smooth,
        grad_fn=False,
        tolerance=10,
    )


def fractional(dims: int, shape: tuple[int, ...], *args: Any, **kwargs: Any) -> Sample:
    """Return a sample of fractional pooling with numbers that are given."""
    name = f"fractional_max_pool{dims}d"
    draws = np.random.default_rng(dims).random((*shape[:-dims], dims))
    draws = draws if draws.ndim == 3 else draws[None]
    return Sample(
        "_".join([name, *map(str, (shape, *args, *kwargs.items()))]),
        lambda t, x, u: getattr(t.nn.functional, name)(
            x, *args, _random_samples=u.detach(), **kwargs
        ),
        [shape, draws],
        grad_fn=not kwargs.get("return_indices") and len(shape) == dims + 2,
    )


def projected(label: str, *shapes: Any, **kwargs: Any) -> Sample:
    """Return a sample of `linear_cross_entropy`."""
    return Sample(
        f"linear_cross_entropy_{label}",
        lambda t, x, w, y, *b: t.nn.functional.linear_cross_entropy(
            x, w, y, linear_bias=b[0] if b else None, **kwargs
        ),
        shapes,
        grad_fn=False,
        tolerance=10,
    )


SAMPLES = [
    *[ctc(kind, reduction=kind) for kind in ("none", "mean", "sum")],
    Sample(
        "ctc_loss_of_a_row",
        lambda t, x: t.nn.functional.ctc_loss(
            x.log_softmax(2), t.tensor([1, 2, 2, 3, 1]), *LENGTHS
        ),
        [(6, 2, 4)],
        second=False,
        grad_fn=False,
        tolerance=10,
    ),
    ctc("blank", blank=3, given=np.array([[1, 2, 2], [0, 1, 0]])),
    ctc("impossible", steps=((3, 5), (3, 2)), reduction="none", zero_infinity=True),
    ctc("unnormalized", raw=True, smooth=False),
    ctc("without_labels", steps=((6, 0), (0, 0)), reduction="none"),
    fractional(2, (2, 3, 7, 8), 2, (3, 4)),
    fractional(2, (3, 7, 8), (3, 2), output_ratio=(0.5, 0.5)),
    fractional(2, (1, 2, 5, 5), 2, 1, return_indices=True),
    fractional(3, (2, 1, 5, 6, 7), 2, 3),
    fractional(3, (1, 5, 6, 7), 2, output_ratio=(0.5, 0.4, 0.6)),
    projected("classes", (3, 4), (5, 4), np.array([0, 4, 2])),
    projected("bias", (3, 4), (5, 4), np.array([0, 4, 2]), (5,), reduction="sum"),
    projected("single", (4,), (5, 4), np.array(3), label_smoothing=0.1),
    projected("ignored", (3, 4), (5, 4), np.array([0, 4, 2]), ignore_index=4),
    projected("probabilities", (3, 4), (5, 4), (3, 5), reduction="none"),
    projected("more", (3, 4), (5, 2, 4), np.array([[0, 4], [2, 1], [1, 3]]), (5, 2)),
]
