"""The quick calls of sums, products and layers do what the general call does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert
from wengert.dispatch import general
from wengert.ops.matmul import linear
from wengert.primitives import matmul as M, reduction as R, scan, sorting

OPS: dict[str, Any] = {
    "sum": lambda x, y: x.sum(),
    "sum_dim": lambda x, y: x.sum(0),
    "mean": lambda x, y: x.mean(1, True),
    "max": lambda x, y: x.max(0).values,
    "amax": lambda x, y: x.amax(1),
    "logsumexp": lambda x, y: x.logsumexp(0),
    "sort": lambda x, y: x.sort(1).values,
    "cumsum": lambda x, y: x.cumsum(0),
    "cumprod": lambda x, y: x.cumprod(1),
    "var": lambda x, y: x.var(0),
    "norm": lambda x, y: x.norm(dim=1),
    "mm": lambda x, y: x @ y,
    "mv": lambda x, y: x @ y[:, 0],
    "vm": lambda x, y: x[0] @ y,
    "dot": lambda x, y: x[0] @ y[:, 0],
}


def pair(library: Any = wengert) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    arrays = rng.uniform(0.5, 1.5, (3, 4)), rng.uniform(0.5, 1.5, (4, 3))
    x, y = [library.from_numpy(array).requires_grad_() for array in arrays]
    return x, y


def gradient(call: Any, library: Any = wengert) -> np.ndarray:
    x, y = pair(library)
    call(x, y).sum().backward()
    return np.array(x.grad.numpy())


@pytest.mark.parametrize("name", OPS)
def test_nothing_is_recorded_without_grad_mode(name: str) -> None:
    x, y = pair()
    with wengert.no_grad():
        assert OPS[name](x, y).grad_fn is None
    assert OPS[name](x, y).grad_fn is not None
    assert OPS[name](x.detach(), y.detach()).grad_fn is None


@pytest.mark.parametrize("name", OPS)
def test_views_are_inputs_like_others(name: str) -> None:
    def of_view(x: Any, y: Any) -> Any:
        return OPS[name](x.mT.reshape((3, 4))[:, :], y.mT.mT)

    expected = gradient(of_view, torch)
    np.testing.assert_allclose(gradient(of_view), expected, rtol=1e-12)


@pytest.mark.parametrize("name", OPS)
def test_an_input_written_to_as_a_view_has_a_new_history(name: str) -> None:
    def of_written(x: Any, y: Any) -> Any:
        base = x * 1
        view = base[:, :2]
        base.mul_(2)
        return OPS[name](base, y).sum() + view.sum()

    expected = gradient(of_written, torch)
    np.testing.assert_allclose(gradient(of_written), expected, rtol=1e-12)


@pytest.mark.parametrize("name", OPS)
def test_hooks_on_saved_tensors_are_called(name: str) -> None:
    packed = []

    def pack(tensor: Any) -> Any:
        packed.append(tensor)
        return tensor.detach().numpy().copy()

    x, y = pair()
    with wengert.autograd.graph.saved_tensors_hooks(pack, wengert.from_numpy):
        out = OPS[name](x, y)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), gradient(OPS[name]), rtol=1e-12)
    assert bool(packed) == (name not in ("sum", "sum_dim", "mean", "cumsum"))


SAVE_AN_INPUT = ["amax", "logsumexp", "cumprod", "var", "norm"]


@pytest.mark.parametrize("name", SAVE_AN_INPUT)
def test_a_saved_input_that_changed_is_refused(name: str) -> None:
    x, y = pair()
    source = x * 1
    out = OPS[name](source, y)
    with wengert.no_grad():
        source.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


@pytest.mark.parametrize("changed", [0, 1])
@pytest.mark.parametrize("needs", [0, 1])
def test_a_product_saves_just_what_is_needed(changed: int, needs: int) -> None:
    factors = [tensor.detach() for tensor in pair()]
    factors[needs].requires_grad_()
    factors[needs] = factors[needs] * 1
    out = factors[0] @ factors[1]
    with wengert.no_grad():
        factors[changed].add_(1)
    if changed != needs:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.sum().backward()
    else:
        out.sum().backward()


@pytest.mark.parametrize("name", ["max", "sort", "logsumexp"])
def test_a_saved_result_that_changed_is_refused(name: str) -> None:
    x, y = pair()
    if name == "logsumexp":
        out = OPS[name](x, y)
        changed = out
    else:
        out, changed = x.max(0) if name == "max" else x.sort(1)
    total = out.sum()
    with wengert.no_grad():
        changed.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


CALLS: list[Any] = [
    (R.sum, {}, 1),
    (R.sum_dim, {"dim": (0,), "keepdim": False}, 1),
    (R.max_dim, {"dim": 0, "keepdim": True}, 1),
    (scan.cumprod, {"dim": 1}, 1),
    (scan.cummax, {"dim": 1}, 1),
    (sorting.sort, {"dim": 1, "descending": True, "stable": True}, 1),
    (M.mm, {}, 2),
    (M.linear, {}, 2),
    (M.linear_with_bias, {}, 3),
]


@pytest.mark.parametrize(
    ("function", "params", "count"), CALLS, ids=[call[0].__name__ for call in CALLS]
)
def test_quick_and_general_record_the_same(
    function: Any, params: dict[str, Any], count: int
) -> None:
    x, y = pair()
    if function.__name__.startswith("linear"):
        y = y.detach().mT.clone().requires_grad_()
    bias = wengert.ones(3, dtype=wengert.float64).requires_grad_()
    args = (x, y, bias)[:count]
    quick = function(*args, **params)
    slow = general(function.primitive, args, dict(params))
    several = isinstance(quick, tuple)
    assert several == isinstance(slow, tuple)
    quick, slow = (quick[0], slow[0]) if several else (quick, slow)
    assert type(quick.grad_fn) is type(slow.grad_fn)
    assert quick.grad_fn.next_functions == slow.grad_fn.next_functions
    seed = wengert.rand(tuple(quick.shape), dtype=wengert.float64)
    first = wengert.autograd.grad(quick, args, seed)
    second = wengert.autograd.grad(slow, args, seed)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("frozen", [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4), (4,)])
def test_linear_with_frozen_inputs(shape: Any, frozen: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    arrays = [rng.standard_normal(s) for s in (shape, (3, 4), (3,))]

    def gradients(library: Any, call: Any) -> list[Any]:
        tensors = [library.from_numpy(array) for array in arrays]
        for i, tensor in enumerate(tensors):
            tensor.requires_grad_(i not in frozen)
        call(*tensors).square().sum().backward()
        return [None if t.grad is None else t.grad.numpy() for t in tensors]

    ours = gradients(wengert, linear)
    theirs = gradients(torch, torch.nn.functional.linear)
    for our, their in zip(ours, theirs, strict=True):
        assert (our is None) == (their is None)
        if their is not None:
            np.testing.assert_allclose(our, their, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(7, 5), (30, 40), (300, 7), (3, 50, 40), (2, 3, 4, 90)]
)
@pytest.mark.parametrize("order", ["C", "F", "gaps"])
def test_sums_over_any_dimensions(shape: Any, dtype: str, order: str) -> None:
    rng = np.random.default_rng(2)
    array = rng.uniform(0, 1, shape).astype(dtype)
    if order == "F":
        array = np.asfortranarray(array)
    elif order == "gaps":
        array = np.repeat(array, 2, -1)[..., ::2]
    tensor = wengert.from_numpy(array)
    exact = array.astype(np.float64)
    ndim = len(shape)
    for mask in range(1, 2**ndim):
        dims = tuple(i for i in range(ndim) if mask >> i & 1)
        for keepdim in (False, True):
            found = tensor.sum(dims, keepdim).numpy()
            expected = exact.sum(dims, keepdims=keepdim)
            assert found.dtype == dtype and found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-6)
            square = tensor.norm(2, dims, keepdim).numpy()
            np.testing.assert_allclose(
                square, np.sqrt((exact**2).sum(dims, keepdims=keepdim)), rtol=1e-6
            )


def test_long_columns_keep_their_digits() -> None:
    tenths = wengert.full((1_000_000, 3), 0.1)
    np.testing.assert_allclose(tenths.sum(0).numpy(), 1e5, rtol=1e-5)
    np.testing.assert_allclose(tenths.mean().item(), 0.1, rtol=1e-6)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["mul", "div", "pow"])
def test_integers_leave_the_gradient_of_float32_as_it_is(name: str, order: int) -> None:
    x = wengert.ones(3).requires_grad_()
    numbers = wengert.tensor([1, 2, 3])
    result = getattr(wengert, name)(*(x, numbers)[::order])
    (gradient,) = wengert.autograd.grad(result.sum(), x)
    assert gradient.dtype is wengert.float32


def set_data(x: Any) -> None:
    x.data = wengert.ones(4, dtype=x.dtype)


def resized(x: Any) -> None:
    with wengert.no_grad():
        x.requires_grad_(False).resize_(4).fill_(1).requires_grad_()


def written_out(x: Any) -> None:
    x.requires_grad_(False)
    with pytest.warns(UserWarning, match="was resized"):
        wengert.mul(wengert.ones(4, dtype=x.dtype), 1, out=x)
    x.requires_grad_()


def squeezed(x: Any) -> None:
    x.requires_grad_(False)
    x.data = wengert.ones(1, 4, dtype=x.dtype)
    assert (x + x).shape == (1, 4)
    x.squeeze_().requires_grad_()


REBOUND = [set_data, resized, written_out, squeezed]


@pytest.mark.parametrize("change", REBOUND)
@pytest.mark.parametrize("op", [np.add, np.multiply, np.true_divide])
def test_a_tensor_that_got_another_array_is_known_by_that(change: Any, op: Any) -> None:
    x = wengert.rand(3, 4, dtype=wengert.float64, requires_grad=True)
    other = wengert.rand(3, 4, dtype=wengert.float64)
    calls = {
        np.add: lambda: x + other,
        np.multiply: lambda: x * other,
        np.true_divide: lambda: x / other,
    }
    calls[op]().sum()
    change(x)
    calls[op]().sum().backward()
    assert x.grad.shape == (4,)


def test_a_quick_call_is_not_recorded_or_done_twice_without_grad_mode() -> None:
    calls = []

    class Counting(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> Any:
            calls.append(ufunc)
            plain = [np.asarray(item) for item in inputs]
            return getattr(ufunc, method)(*plain)

    x = wengert.ones(2, requires_grad=True)
    y = wengert.ones(2)
    x._data = x._data.view(Counting)
    with wengert.no_grad():
        for out in (x + y, y * x, x / 2, x.exp()):
            assert out.grad_fn is None
            assert not out.requires_grad
    assert calls == [np.add, np.multiply, np.true_divide, np.exp]


def test_ufuncs_of_quick_calls_keep_the_dtypes_of_floats() -> None:
    from wengert.primitives.op import registry

    ufuncs = [
        primitive
        for primitive in registry.values()
        if isinstance(primitive.forward, np.ufunc)
        and primitive.differentiable
        and primitive.promote
    ]
    assert len(ufuncs) > 20
    for primitive in ufuncs:
        assert "f" not in primitive.refused_kinds
        for code in "efd":
            types = f"{code * len(primitive.inputs)}->{code}"
            assert types in primitive.forward.types, primitive
