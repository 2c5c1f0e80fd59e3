import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wengert.kernels import adaptive_pooling, folding, pooling

MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_AVG = {
    1: F.adaptive_avg_pool1d,
    2: F.adaptive_avg_pool2d,
    3: F.adaptive_avg_pool3d,
}
ADAPTIVE_MAX = {
    1: F.adaptive_max_pool1d,
    2: F.adaptive_max_pool2d,
    3: F.adaptive_max_pool3d,
}
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def leaf(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


def array(tensor):
    return tensor.detach().numpy()


def random_windows(seed, dilated):
    pick = random.Random(seed)
    dims = pick.choice([1, 2, 2, 3])

    def sizes(low, high):
        return tuple(pick.randint(low, high) for _ in range(dims))

    kernel, stride = sizes(1, 4), sizes(1, 4)
    dilation = sizes(1, 3) if dilated else (1,) * dims
    padding = tuple(pick.randint(0, k // 2) for k in kernel)
    # smaller inputs have windows of padding alone, where PyTorch reads beyond them
    spatial = tuple(
        d * (k - 1) + 1 + pick.randint(0, 6)
        for k, d in zip(kernel, dilation, strict=True)
    )
    return spatial, kernel, stride, padding, dilation, pick.random() < 0.5


def check_max_pool(x, *params):
    dims = x.ndim - 2
    values, indices = MAX_POOL[dims](x, *params, return_indices=True)
    ours = pooling.max_pool(array(x), *params)
    np.testing.assert_array_equal(ours[0], array(values), strict=True)
    np.testing.assert_array_equal(ours[1], array(indices), strict=True)
    return values, ours[1]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("values", ["distinct", "ties", "infinite"])
def test_max_pool_equals_torch(seed, values):
    torch.manual_seed(seed)
    spatial, *params = random_windows(seed, dilated=True)
    x = torch.randn(2, 3, *spatial, dtype=torch.float64)
    if values == "ties":
        x = (2 * x).round()
    if values == "infinite":
        x[x < 0.5] = -math.inf
    x.requires_grad_()
    out, indices = check_max_pool(x, *params)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    ours = pooling.max_pool_vjp(array(grad), indices, tuple(x.shape), len(spatial))
    np.testing.assert_allclose(ours, expected, strict=True, **EXACT)
    taken = pooling.take_pooled(array(x), indices, len(spatial))
    np.testing.assert_array_equal(taken, array(out), strict=True)


@pytest.mark.parametrize("seed", range(10))
def test_max_pool_keeps_nan(seed):
    torch.manual_seed(seed)
    spatial, *params = random_windows(seed, dilated=True)
    x = torch.randn(2, 3, *spatial)
    x[torch.rand(x.shape) < 0.3] = math.nan
    check_max_pool(x, *params)


def test_max_pool_of_many_taps():
    check_max_pool(torch.randn(1, 2, 40, 40), (20, 20), (5, 5), (0, 0), (1, 1), False)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.float16])
def test_max_pool_of_other_dtypes(dtype):
    x = torch.randint(0, 9, (2, 3, 7, 7)).to(dtype)
    check_max_pool(x, (3, 3), (2, 2), (1, 1), (1, 1), False)


def test_max_pool_of_nothing():
    check_max_pool(torch.randn(0, 3, 6, 6), (2, 2), (2, 2), (0, 0), (1, 1), False)
    empty = np.zeros((0, 3, 3, 3), np.int64)
    grad = pooling.max_pool_vjp(np.zeros((0, 3, 3, 3)), empty, (0, 3, 6, 6), 2)
    assert grad.shape == (0, 3, 6, 6)


def test_pooling_of_one_image_that_is_not_contiguous():
    x = torch.randn(6, 8, 3).permute(2, 0, 1)
    expected = F.max_pool2d(x, 2, return_indices=True)
    ours = pooling.max_pool(array(x), (2, 2), (2, 2), (0, 0), (1, 1), False)
    np.testing.assert_array_equal(ours[0], expected[0], strict=True)
    np.testing.assert_array_equal(ours[1], expected[1], strict=True)
    averages = pooling.avg_pool(array(x), (2, 2), (2, 2), (0, 0), False, True, None)
    np.testing.assert_allclose(averages, F.avg_pool2d(x, 2), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("divisor", [None, 3])
def test_avg_pool_equals_torch(seed, count_include_pad, divisor):
    torch.manual_seed(seed)
    spatial, kernel, stride, padding, _, ceil_mode = random_windows(seed, False)
    dims = len(spatial)
    x = leaf(2, 3, *spatial)
    params = (kernel, stride, padding, ceil_mode, count_include_pad)
    if dims == 1:
        divisor = None
    extra = () if dims == 1 else (divisor,)
    out = AVG_POOL[dims](x, *params, *extra)
    ours = pooling.avg_pool(array(x), *params, divisor)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    ours = pooling.avg_pool_vjp(array(grad), tuple(x.shape), *params, divisor)
    np.testing.assert_allclose(ours, expected, strict=True, **EXACT)


def test_avg_pool_of_other_dtypes():
    x = torch.arange(-20, 29).reshape(1, 7, 7)
    params = ((2, 2), (2, 2), (1, 1), False, False, None)
    ours = pooling.avg_pool(x.numpy(), *params)
    np.testing.assert_array_equal(ours, F.avg_pool2d(x, *params), strict=True)
    half = (x / 7).half()
    ours = pooling.avg_pool(half.numpy(), *params)
    np.testing.assert_array_equal(ours, F.avg_pool2d(half, *params), strict=True)


ADAPTIVE = [
    ((7,), (3,)),
    ((8,), (8,)),
    ((8, 8), (4, 4)),
    ((6, 9), (3, 3)),
    ((5, 7), (1, 1)),
    ((5, 7), (3, 4)),
    ((3, 4), (5, 6)),
    ((5, 1, 4), (2, 1, 3)),
    ((4, 4, 4), (2, 2, 2)),
]


@pytest.mark.parametrize(("sizes", "output_size"), ADAPTIVE)
def test_adaptive_avg_pool_equals_torch(sizes, output_size):
    x = leaf(2, 3, *sizes)
    out = ADAPTIVE_AVG[len(sizes)](x, output_size)
    ours = adaptive_pooling.adaptive_avg_pool(array(x), output_size)
    np.testing.assert_allclose(ours, array(out), strict=True, **EXACT)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, grad)
    shape = tuple(x.shape)
    ours = adaptive_pooling.adaptive_avg_pool_vjp(array(grad), shape, output_size)
    np.testing.assert_allclose(ours, expected, strict=True, **EXACT)


def test_adaptive_avg_pool_of_half_is_summed_in_single_precision():
    x = torch.randn(2, 3, 9, 9).half()
    ours = adaptive_pooling.adaptive_avg_pool(array(x), (2, 2))
    expected = F.adaptive_avg_pool2d(x.double(), (2, 2)).half()
    np.testing.assert_allclose(ours, expected, rtol=1e-3, strict=True)


def test_adaptive_avg_pool_makes_a_new_array():
    x = np.ones((1, 4, 4))
    assert adaptive_pooling.adaptive_avg_pool(x, (4, 4)) is not x


@pytest.mark.parametrize(("sizes", "output_size"), ADAPTIVE)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_adaptive_max_pool_equals_torch(sizes, output_size, missing):
    x = torch.randn(2, 3, *sizes).round()
    x[torch.rand(x.shape) < missing] = math.nan
    pool = ADAPTIVE_MAX[len(sizes)]
    values, indices = pool(x, output_size, return_indices=True)
    ours = adaptive_pooling.adaptive_max_pool(array(x), output_size)
    np.testing.assert_array_equal(ours[0], values, strict=True)
    np.testing.assert_array_equal(ours[1], indices, strict=True)


@pytest.mark.parametrize("seed", range(20))
def test_unfold_and_fold_equal_torch(seed):
    pick = random.Random(seed)

    def pair(low, high):
        return pick.randint(low, high), pick.randint(low, high)

    kernel, dilation, padding, stride = pair(1, 3), pair(1, 2), pair(0, 2), pair(1, 3)
    x = leaf(2, 3, *pair(5, 9))
    params = (kernel, dilation, padding, stride)
    columns = F.unfold(x, *params)
    ours = folding.unfold(array(x), *params)
    np.testing.assert_array_equal(ours, array(columns), strict=True)
    weights = torch.randn_like(columns)
    folded = F.fold(weights, tuple(x.shape[2:]), *params)
    ours = folding.fold(array(weights), tuple(x.shape[2:]), *params)
    np.testing.assert_allclose(ours, folded, strict=True, **EXACT)


def test_unfold_and_fold_of_an_empty_batch():
    params = ((2, 2), (1, 1), (0, 0), (1, 1))
    columns = folding.unfold(np.zeros((0, 3, 4, 4)), *params)
    assert columns.shape == (0, 12, 9)
    assert folding.fold(columns, (4, 4), *params).shape == (0, 3, 4, 4)
