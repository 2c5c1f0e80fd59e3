"""Every sample of an op under forward mode, and under vmap.

Forward mode is held against reverse mode, which `test_ops` holds against PyTorch: for
any tangent t and cotangent u, <u, J t> = <J* u, t>. vmap is held against calling the op
for each element.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
import wengert.tree
from tests.samples import Sample, families
from wengert import func

ALL = list(families())
UNMAPPABLE = ("vmap", "dynamic shape", "inside a transformation", "number of classes")
"""What errors speak of that vmap raises for ops that it cannot map."""

OTHERWISE = ("embedding_padding", "embedding_frequency", "mean_empty")
"""Samples whose gradient is not the transposed derivative, as in PyTorch."""

UNMAPPED = ("as_strided_of_view", "geqrf")
"""Of a view, vmap's as_strided counts from the view's memory, not from its base's."""


def parameters(dtypes: dict[str, str], grad: bool) -> list[Any]:
    return [
        pytest.param(sample, dtype, id=f"{family}-{sample.name}-{dtype}")
        for family, sample in ALL
        for letter, dtype in dtypes.items()
        if letter in sample.dtypes and (sample.grad or not grad)
        if sample.name not in (OTHERWISE if grad else UNMAPPED)
    ]


def leaves_of(result: Any) -> list[Any]:
    """Return the tensors in a result that can have derivatives."""
    return [
        leaf
        for leaf in wengert.tree.leaves(result)
        if isinstance(leaf, wengert.Tensor) and is_inexact(leaf)
    ]


def is_inexact(tensor: Any) -> bool:
    return bool(tensor.dtype.is_floating_point or tensor.dtype.is_complex)


def random_like(tensor: Any, rng: np.random.Generator) -> Any:
    array = rng.standard_normal(tuple(tensor.shape))
    if tensor.dtype.is_complex:
        array = array + 1j * rng.standard_normal(tuple(tensor.shape))
    return wengert.from_numpy(np.asarray(array)).to(tensor.dtype)


def inner(a: list[Any], b: list[Any]) -> float:
    """Return the real inner product of two lists of tensors."""
    pairs = zip(a, b, strict=True)
    return sum(float(np.vdot(x.numpy(), y.numpy()).real) for x, y in pairs)


ONE_WAY = {"as_strided_of_view"}
"""Samples that reach outside of their input, as PyTorch's reverse mode does not."""


@pytest.mark.parametrize(
    ("sample", "dtype"), parameters({"f": "float64", "c": "complex128"}, grad=True)
)
def test_forward_is_the_transpose_of_reverse(sample: Sample, dtype: str) -> None:
    rng = np.random.default_rng(11)
    inputs = [wengert.from_numpy(array) for array in sample.arrays(dtype)]
    moving = [i for i, tensor in enumerate(inputs) if is_inexact(tensor)]

    def call(*chosen: Any) -> Any:
        given = list(inputs)
        for i, tensor in zip(moving, chosen, strict=True):
            given[i] = tensor
        return tuple(leaves_of(sample.call(wengert, *given)))

    points = tuple([inputs[i] for i in moving])
    tangents = tuple([random_like(x, rng) for x in points])
    if not call(*points) or sample.name in ONE_WAY:
        return
    pushed = func.jvp(call, points, tangents)[1]
    outputs, pull = func.vjp(call, *points)
    cotangents = tuple([random_like(out, rng) for out in outputs])
    pulled = pull(cotangents)
    np.testing.assert_allclose(
        inner(list(cotangents), list(pushed)),
        inner(list(pulled), list(tangents)),
        rtol=1e-6 * sample.tolerance,
        atol=1e-7 * sample.tolerance,
    )


def has_both(sample: Sample) -> bool:
    """Whether a sample has inputs of floats, and others: masks or indices."""
    return len({array.dtype.kind == "f" for array in sample.arrays("float64")}) == 2


@pytest.mark.parametrize(("sample", "dtype"), parameters({"f": "float64"}, grad=False))
def test_vmap_is_a_loop(sample: Sample, dtype: str) -> None:
    check_vmap(sample, dtype, shared=False)


@pytest.mark.parametrize(
    ("sample", "dtype"),
    [
        param
        for param in parameters({"f": "float64"}, grad=False)
        if has_both(param.values[0])
    ],
)
def test_vmap_with_shared_indices_is_a_loop(sample: Sample, dtype: str) -> None:
    check_vmap(sample, dtype, shared=True)


def check_vmap(sample: Sample, dtype: str, shared: bool) -> None:
    """Map a sample with masks and indices for each element, or `shared` by all."""
    arrays = sample.arrays(dtype)
    stacks = [
        np.stack([array + shift * 0.01 for shift in range(3)])
        if array.dtype.kind == "f"
        else np.stack([array] * 3)
        for array in arrays
    ]
    inputs = [wengert.from_numpy(stack) for stack in stacks]
    axes = tuple(
        [None if shared and array.dtype.kind != "f" else 0 for array in arrays]
    )
    given = [x if axis == 0 else x[0] for x, axis in zip(inputs, axes, strict=True)]

    def call(*given: Any) -> Any:
        return tuple(leaves_of(sample.call(wengert, *given)))

    try:
        found = func.vmap(call, axes)(*given)
    except RuntimeError as error:
        if any(word in str(error) for word in UNMAPPABLE):
            pytest.skip(str(error))
        raise
    rows = [call(*[x[i].clone() for x in inputs]) for i in range(3)]
    for mapped, parts in zip(found, zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(
            mapped.numpy(),
            np.stack([part.numpy() for part in parts]),
            rtol=1e-7 * sample.tolerance,
            atol=1e-9,
        )
