"""Samples of sampling at any places."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample


def sampled(*shapes: tuple[int, ...], smooth: bool = True, **options: Any) -> Sample:
    """Return a sample of `grid_sample`; its nodes are not PyTorch's."""
    label = "_".join(["grid_sample", *map(str, shapes[0]), *map(str, options.values())])
    return Sample(
        label,
        lambda t, x, g: t.nn.functional.grid_sample(x, g, **options),
        shapes,
        domain=(-1.3, 1.3),
        grad_fn=False,
        smooth=smooth,
        tolerance=10,
    )


IMAGE = ((2, 3, 4, 5), (2, 3, 2, 2))
VOLUME = ((2, 1, 3, 4, 2), (2, 2, 1, 2, 3))

SAMPLES = [
    *[
        sampled(*IMAGE, mode=mode, padding_mode=padding, align_corners=corners)
        for mode in ("bilinear", "bicubic")
        for padding in ("zeros", "border", "reflection")
        for corners in (True, False)
    ],
    sampled(*IMAGE, mode="nearest", align_corners=False),
    sampled(*IMAGE, mode="nearest", padding_mode="reflection", align_corners=True),
    sampled((1, 2, 1, 3), (1, 2, 2, 2), padding_mode="reflection", align_corners=True),
    sampled(*VOLUME, align_corners=True),
    sampled(*VOLUME, padding_mode="border", align_corners=False),
    sampled(*VOLUME, mode="nearest", padding_mode="reflection", align_corners=False),
    *[
        Sample(
            f"affine_grid_{size}_{corners}",
            lambda t, x, s=size, c=corners: t.nn.functional.affine_grid(
                x, s, align_corners=c
            ),
            [(2, len(size) - 2, len(size) - 1)],
            grad_fn=False,
        )
        for size in ((2, 1, 3, 4), (2, 1, 1, 2), (2, 1, 2, 3, 4))
        for corners in ((True, False) if 1 not in size[2:] else (False,))
    ],
    Sample(
        "grid_sampler",
        lambda t, x, g: t.grid_sampler(x, g, 0, 1, False),
        IMAGE,
        grad_fn=False,
    ),
    Sample(
        "grid_sample_of_affine_grid",
        lambda t, x, m: t.nn.functional.grid_sample(
            x, t.nn.functional.affine_grid(m, (1, 1, 2, 2), False), align_corners=False
        ),
        [(1, 1, 4, 4), np.array([[[0.5, 0.1, 0.2], [-0.1, 0.6, 0.1]]])],
        grad_fn=False,
        smooth=False,
    ),
]
