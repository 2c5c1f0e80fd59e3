"""Every op sample through every check, against PyTorch and finite differences."""

from __future__ import annotations

import doctest
import inspect
from typing import Any

import numpy as np
import pytest
import torch

import wengert
from tests.samples import Sample, families
from wengert.ops.public import namespace
from wengert.ops.special import functions as special

ALL = [
    pytest.param(sample, id=f"{family}-{sample.name}") for family, sample in families()
]

pytestmark = pytest.mark.filterwarnings("ignore")

TOLERANCE = {
    "float16": 2e-3,
    "float32": 2e-5,
    "complex64": 2e-5,
    "float64": 1e-9,
    "complex128": 1e-9,
}


def those(**conditions: bool) -> list[Any]:
    """Return the samples whose attributes are as stated."""
    return [
        param
        for param in ALL
        if all(
            getattr(param.values[0], key) == value for key, value in conditions.items()
        )
    ]


def flat(results: Any) -> list[Any]:
    """Return the tensors of nested results in order."""
    if isinstance(results, tuple | list):
        return [tensor for item in results for tensor in flat(item)]
    return [results]


def is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor | wengert.Tensor)


def numpy_of(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().numpy(force=True)
    return value.detach().numpy() if isinstance(value, wengert.Tensor) else value


def dtype_of(value: Any) -> str:
    return str(value.dtype).rpartition(".")[2]


def tensors(library: Any, arrays: list[np.ndarray], grad: bool = False) -> list[Any]:
    """Return the arrays as tensors of a library, the differentiable ones as leaves."""
    made = [library.from_numpy(array.copy()) for array in arrays]
    if grad:
        for tensor in made:
            if tensor.is_floating_point() or tensor.is_complex():
                tensor.requires_grad_()
    return made


def assert_same(ours: Any, theirs: Any, scale: float = 1.0, dtype: str = "") -> None:
    """Compare results of the two libraries: structure, shapes, dtypes and values."""
    ours, theirs = flat(ours), flat(theirs)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert is_tensor(our) == is_tensor(their)
        if is_tensor(their):
            assert tuple(our.shape) == tuple(their.shape)
            assert dtype_of(our) == dtype_of(their)
            tolerance = scale * TOLERANCE.get(dtype or dtype_of(their), 0)
            np.testing.assert_allclose(
                numpy_of(our), numpy_of(their), rtol=tolerance, atol=tolerance
            )
        else:
            assert our == their


def cotangents(library: Any, outputs: list[Any]) -> list[Any]:
    """Return a random cotangent for each output, the same for both libraries."""
    rng = np.random.default_rng(7)
    made = []
    for output in outputs:
        array = rng.standard_normal(tuple(output.shape))
        if output.is_complex():
            array = array + 1j * rng.standard_normal(tuple(output.shape))
        array = np.asarray(array).astype(dtype_of(output))
        made.append(library.from_numpy(array).requires_grad_())
    return made


def gradients(
    library: Any, call: Any, arrays: list[np.ndarray], order: int = 1
) -> list[Any]:
    """Return the gradients of a call, or for order 2 those of the gradients."""
    inputs = tensors(library, arrays, grad=True)
    sources = [tensor for tensor in inputs if tensor.requires_grad]
    outputs = [
        out
        for out in flat(call(library, *inputs))
        if is_tensor(out) and out.requires_grad
    ]
    for step in range(1, order + 1):
        seeds = cotangents(library, outputs)
        found = library.autograd.grad(
            outputs, sources, seeds, allow_unused=True, create_graph=step < order
        )
        outputs = [g for g in found if g is not None and g.requires_grad]
        sources = sources + seeds
        if not outputs:
            break
    return list(found)


def assert_same_gradients(ours: list[Any], theirs: list[Any], scale: float) -> None:
    """Compare gradients; none is the same as zero."""
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        if our is None or their is None:
            given = our if their is None else their
            assert given is None or not np.any(numpy_of(given))
        else:
            assert_same(our, their, scale)


def double_dtypes(sample: Sample) -> list[str]:
    """Return the dtypes that derivatives are checked in."""
    names = sample.names_of_dtypes()
    return [name for name in ("float64", "complex128") if name in names]


FORWARD = [
    pytest.param(param.values[0], dtype, id=f"{param.id}-{dtype}")
    for param in ALL
    for dtype in param.values[0].names_of_dtypes()
]
DERIVATIVES = [
    pytest.param(param.values[0], dtype, id=f"{param.id}-{dtype}")
    for param in those(grad=True)
    for dtype in double_dtypes(param.values[0])
]


@pytest.mark.parametrize(("sample", "dtype"), FORWARD)
def test_result(sample: Sample, dtype: str) -> None:
    arrays = sample.arrays(dtype)
    ours = sample.call(wengert, *tensors(wengert, arrays))
    theirs = sample.call(torch, *tensors(torch, arrays))
    assert_same(ours, theirs, sample.tolerance)


@pytest.mark.parametrize("sample", ALL)
def test_strided_inputs(sample: Sample) -> None:
    """Inputs that are views with gaps between their elements, in column order."""
    dtype = sample.names_of_dtypes()[0]
    spread = []
    for array in sample.arrays(dtype):
        base = np.zeros(tuple(2 * size for size in array.shape[::-1]), array.dtype)
        view = base[(..., *[slice(None, None, 2) for _ in array.shape])].T
        view[...] = array
        spread.append(view)
    ours = sample.call(wengert, *[wengert.from_numpy(array) for array in spread])
    theirs = sample.call(torch, *[torch.from_numpy(array) for array in spread])
    assert_same(ours, theirs, sample.tolerance)


SHAPES = {
    "empty": [(0, 3)] * 4,
    "dimensionless": [()] * 4,
    "broadcast": [(2, 1, 3), (4, 1), (), (1,)],
    "mixed-ranks": [(), (2, 3), (1, 3), ()],
}


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("sample", those(pointwise=True))
def test_shapes(sample: Sample, shapes: str) -> None:
    dtype = sample.names_of_dtypes()[0]
    arrays = sample.arrays(dtype, SHAPES[shapes])
    ours = sample.call(wengert, *tensors(wengert, arrays))
    theirs = sample.call(torch, *tensors(torch, arrays))
    assert_same(ours, theirs, sample.tolerance)
    for dtype in double_dtypes(sample)[:1] if sample.grad else []:
        arrays = sample.arrays(dtype, SHAPES[shapes])
        assert_same_gradients(
            gradients(wengert, sample.call, arrays),
            gradients(torch, sample.call, arrays),
            sample.tolerance,
        )


@pytest.mark.parametrize(("sample", "dtype"), DERIVATIVES)
def test_gradient(sample: Sample, dtype: str) -> None:
    arrays = sample.arrays(dtype)
    assert_same_gradients(
        gradients(wengert, sample.call, arrays),
        gradients(torch, sample.call, arrays),
        sample.tolerance,
    )


@pytest.mark.parametrize(("sample", "dtype"), DERIVATIVES)
def test_second_derivatives(sample: Sample, dtype: str) -> None:
    if not sample.second:
        pytest.skip("the sample says that there are none")
    arrays = sample.arrays(dtype)
    assert_same_gradients(
        gradients(wengert, sample.call, arrays, order=2),
        gradients(torch, sample.call, arrays, order=2),
        10 * sample.tolerance,
    )


OTHERWISE_RECORDED = {
    "hardsigmoid": "PyTorch's backward cannot be differentiated; here it is zeros",
    "cdist": "PyTorch's backward cannot be differentiated",
    "multi_margin_loss": "PyTorch's backward cannot be differentiated",
    "det_singular": "the second derivative of a singular matrix is an error here",
    "polar": "PyTorch's zeros are rounding errors of the size 1e-17",
    "dist_2": "here the zeros are rounding errors",
    "cumprod_of_scalar": "composed; PyTorch has a special case for single elements",
    "cumprod_empty": "composed; PyTorch has a special case for empty tensors",
    "vander_3_N=2": "a cumprod of single elements",
    "logcumsumexp_of_scalar": "composed; PyTorch has a special case for it",
    "conv_transpose": "the bias is added, PyTorch's gradient of it has a common node",
    "group_norm": "composed; the weight's gradient does not depend on it",
    "ctc_loss": "PyTorch's backward cannot be differentiated",
    "grid_sample": "composed; PyTorch's backward of it has all inputs",
    "cat_of_[(0,), (2, 3)]": "what is empty is left out, and has no gradient",
}
"""Samples whose recorded gradients do not depend on the inputs as PyTorch's do."""


@pytest.mark.parametrize("sample", those(grad=True))
def test_recorded_gradients(sample: Sample) -> None:
    """Which recorded gradients require grad, and have derivatives by which inputs."""
    if any(sample.name.startswith(name) for name in OTHERWISE_RECORDED):
        pytest.skip("a known difference")
    arrays = sample.arrays(double_dtypes(sample)[0])
    count = sum(array.dtype.kind in "fc" for array in arrays)
    for position in range(-1, count if count > 1 else 0):
        ours = recorded_gradients(wengert, sample.call, arrays, position)
        assert ours == recorded_gradients(torch, sample.call, arrays, position)


def recorded_gradients(
    library: Any, call: Any, arrays: list[np.ndarray], position: int
) -> list[Any]:
    """Say of each recorded gradient of constant cotangents what can be done with it.

    Args:
        position: of the only input that requires grad; all do if it is negative.
    """
    inputs = tensors(library, arrays, grad=True)
    sources = [tensor for tensor in inputs if tensor.requires_grad]
    if position >= 0:
        for index, source in enumerate(sources):
            source.requires_grad_(index == position)
        sources = sources[position : position + 1]
    outputs = [o for o in flat(call(library, *inputs)) if is_tensor(o)]
    outputs = [output for output in outputs if output.requires_grad]
    if not outputs:
        return []
    seeds = [seed.detach() for seed in cotangents(library, outputs)]
    grad = library.autograd.grad
    options = {"allow_unused": True}
    firsts = grad(outputs, sources, seeds, create_graph=True, **options)
    return [
        [
            second if second is None else bool((second != 0).any())
            for second in grad(first, sources, first.detach(), True, **options)
        ]
        if first is not None and first.requires_grad
        else first is None
        for first in firsts
    ]


@pytest.mark.parametrize("sample", those(grad=True, smooth=True))
def test_finite_differences(sample: Sample) -> None:
    """The derivative along a random direction, from values alone."""
    if "f" not in sample.dtypes:
        pytest.skip("not for real numbers")
    arrays = sample.arrays("float64")
    rng = np.random.default_rng(3)
    directions = [
        rng.standard_normal(array.shape) if array.dtype.kind == "f" else None
        for array in arrays
    ]

    def weighted(step: float) -> float:
        moved = [
            array if direction is None else np.asarray(array + step * direction)
            for array, direction in zip(arrays, directions, strict=True)
        ]
        outputs = flat(sample.call(wengert, *tensors(wengert, moved, grad=True)))
        outputs = [out for out in outputs if is_tensor(out) and out.requires_grad]
        seeds = cotangents(wengert, outputs)
        pairs = zip(outputs, seeds, strict=True)
        return sum(np.sum((numpy_of(o) * numpy_of(s).conj()).real) for o, s in pairs)

    step = 1e-6
    expected = (weighted(step) - weighted(-step)) / (2 * step)
    found = gradients(wengert, sample.call, arrays)
    moving = [direction for direction in directions if direction is not None]
    actual = sum(
        np.sum(numpy_of(gradient) * direction)
        for gradient, direction in zip(found, moving, strict=True)
        if gradient is not None
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sample", those(grad=True, grad_fn=True))
def test_node_names(sample: Sample) -> None:
    (dtype, *_) = double_dtypes(sample)
    arrays = sample.arrays(dtype)
    ours = flat(sample.call(wengert, *tensors(wengert, arrays, grad=True)))
    theirs = flat(sample.call(torch, *tensors(torch, arrays, grad=True)))
    for our, their in zip(ours, theirs, strict=True):
        if is_tensor(their):
            assert type_name(our.grad_fn) == type_name(their.grad_fn)


def type_name(node: Any) -> str | None:
    return None if node is None else node.name().rpartition("::")[2]


wengert.ops.load_all()
EXAMPLES = {
    name: function
    for name, function in {**namespace, **special}.items()
    if callable(function) and ">>> import wengert as torch" in (function.__doc__ or "")
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_documentation(name: str) -> None:
    """Doctest does not find those of quick calls, which are made, not written."""
    function = EXAMPLES[name]
    names = dict(getattr(inspect.unwrap(function), "__globals__", {}))
    examples = doctest.DocTestParser().get_doctest(
        function.__doc__, names, name, None, 0
    )
    shown: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=shown.append)
    assert not shown, "".join(shown)
