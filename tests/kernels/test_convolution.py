import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wengert.kernels import convolution, correlation, windows

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def array(tensor):
    return tensor.detach().resolve_conj().numpy()


def leaf(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


def random_conv(seed, groups, channels, filters):
    """Shapes and parameters that sweep kernels, strides, crops and dilations."""
    pick = random.Random(seed)
    dims = pick.choice([1, 2, 2, 3])

    def sizes(low, high):
        return tuple(pick.randint(low, high) for _ in range(dims))

    kernel, padding = sizes(1, 4), sizes(0, 4)
    stride, dilation = sizes(1, 3), sizes(1, 3)
    least = [
        max(1, d * (k - 1) + 1 - 2 * p)
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    spatial = tuple(n + pick.randint(0, 5) for n in least)
    input_shape = (2, groups * channels, *spatial)
    weight_shape = (groups * filters, channels, *kernel)
    return input_shape, weight_shape, (stride, padding, dilation, groups)


def check_convolution(x, w, b, params, tolerance=EXACT):
    out = CONV[x.ndim - 2](x, w, b, *params)
    grad = torch.randn_like(out)
    expected = torch.autograd.grad(out, (x, w, b), grad)
    ours = convolution.forward(array(x), array(w), array(b), *params)
    assert ours.flags.c_contiguous
    g = array(grad)
    grads = (
        convolution.input_vjp(g, array(w), tuple(x.shape), *params),
        convolution.weight_vjp(g, array(x), tuple(w.shape), *params),
        convolution.bias_vjp(g),
    )
    for actual, want in zip((ours, *grads), (out, *expected), strict=True):
        assert actual.dtype == array(want).dtype
        np.testing.assert_allclose(actual, array(want), strict=True, **tolerance)


# few and many channels take different layouts; one channel a group is depthwise
CHANNELS = [(1, 1, 3), (1, 9, 2), (1, 1, 9), (2, 3, 1), (2, 8, 12), (5, 1, 1)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("groups", "channels", "filters"), CHANNELS)
def test_convolution_equals_torch(seed, groups, channels, filters):
    torch.manual_seed(seed)
    shape, weight_shape, params = random_conv(seed, groups, channels, filters)
    x, w, b = leaf(*shape), leaf(*weight_shape), leaf(weight_shape[0])
    check_convolution(x, w, b, params)


@pytest.mark.parametrize("channels", [2, 9])
@pytest.mark.parametrize("size", [9, 24])
@pytest.mark.parametrize("stride", [1, 2])
def test_blocks_of_images_make_no_difference(monkeypatch, channels, size, stride):
    monkeypatch.setattr(windows, "BLOCK_BYTES", 40000)
    x, w, b = leaf(7, channels, size, size), leaf(12, channels, 3, 3), leaf(12)
    check_convolution(x, w, b, ((stride, stride), (1, 1), (1, 1), 1))


@pytest.mark.parametrize(
    ("shape", "weight_shape", "params"),
    [
        ((64, 1, 8, 8), (16, 1, 3, 3), ((1, 1), (1, 1), (1, 1), 1)),
        ((4, 16, 8, 8), (32, 16, 3, 3), ((1, 1), (1, 1), (1, 1), 1)),
        ((3, 8, 28, 28), (8, 8, 5, 5), ((1, 1), (2, 2), (1, 1), 1)),
        ((2, 12, 8, 8), (12, 1, 3, 3), ((2, 2), (1, 1), (1, 1), 12)),
        ((2, 8, 7, 7), (6, 8, 1, 1), ((2, 2), (0, 0), (1, 1), 1)),
        ((2, 16, 5, 5), (12, 16, 5, 5), ((1, 1), (0, 0), (1, 1), 1)),
        ((2, 3, 12, 12), (8, 3, 4, 4), ((4, 4), (0, 0), (1, 1), 1)),
    ],
    ids=["digits", "small", "mnist", "depthwise", "1x1", "whole", "patches"],
)
def test_usual_layers_in_float32(shape, weight_shape, params):
    x, w = (leaf(*s, dtype=torch.float32) for s in (shape, weight_shape))
    b = leaf(weight_shape[0], dtype=torch.float32)
    check_convolution(x, w, b, params, {"rtol": 1e-4, "atol": 1e-4})


def test_complex_gradients_take_the_conjugate():
    x, w, b = (
        leaf(*shape, dtype=torch.complex128) for shape in ((2, 4, 6), (6, 2, 3), (6,))
    )
    check_convolution(x, w, b, ((2,), (1,), (1,), 2))


def test_half_is_computed_in_single_precision():
    x, w, b = (leaf(*s, dtype=torch.float16) for s in ((2, 9, 9), (4, 9, 3), (4,)))
    params = ((1,), (1,), (1,), 1)
    ours = convolution.forward(array(x), array(w), array(b), *params)
    exact = F.conv1d(x.double(), w.double(), b.double(), *params)
    np.testing.assert_array_equal(ours, array(exact).astype(np.float16), strict=True)


def test_integers_have_a_forward():
    x, w = torch.arange(50).reshape(1, 2, 5, 5), torch.arange(24).reshape(3, 2, 2, 2)
    params = ((1, 1), (1, 1), (1, 1), 1)
    ours = convolution.forward(x.numpy(), w.numpy(), None, *params)
    np.testing.assert_array_equal(ours, F.conv2d(x, w, None, *params), strict=True)


@pytest.mark.parametrize("groups", [1, 4])
def test_empty_batch(groups):
    x, w, b = leaf(0, 4, 6, 6), leaf(8, 4 // groups, 3, 3), leaf(8)
    check_convolution(x, w, b, ((2, 2), (1, 1), (1, 1), groups))


def test_arrays_need_not_be_contiguous():
    x = leaf(2, 6, 6, 9).permute(0, 3, 1, 2)
    w = leaf(3, 3, 4, 9).permute(2, 3, 1, 0)
    check_convolution(x, w, leaf(4), ((1, 1), (1, 1), (1, 1), 1))
    one_by_one = leaf(4, 9).mT.mT.as_strided((4, 9, 1, 1), (9, 1, 1, 1))
    check_convolution(x, one_by_one, leaf(4), ((1, 1), (0, 0), (1, 1), 1))


def test_expanded_gradient():
    x, w = leaf(2, 9, 6, 6), leaf(4, 9, 3, 3)
    params = ((1, 1), (1, 1), (1, 1), 1)
    ones = torch.ones((), dtype=torch.float64).expand(2, 4, 6, 6)
    gx, gw = torch.autograd.grad(F.conv2d(x, w, None, *params), (x, w), ones)
    ours_x = convolution.input_vjp(array(ones), array(w), (2, 9, 6, 6), *params)
    ours_w = convolution.weight_vjp(array(ones), array(x), (4, 9, 3, 3), *params)
    np.testing.assert_allclose(ours_x, gx, **EXACT)
    np.testing.assert_allclose(ours_w, gw, **EXACT)


def check_transposed(x, w, b, stride, padding, output_padding, groups, dilation):
    out = CONV_TRANSPOSE[x.ndim - 2](
        x, w, b, stride, padding, output_padding, groups, dilation
    )
    grad = torch.randn_like(out)
    expected = torch.autograd.grad(out, (x, w, b), grad)
    ours = convolution.transposed_forward(
        array(x), array(w), array(b), stride, padding, output_padding, groups, dilation
    )
    g, params = array(grad), (stride, padding, groups, dilation)
    grads = (
        convolution.transposed_input_vjp(g, array(w), tuple(x.shape), *params),
        convolution.transposed_weight_vjp(g, array(x), tuple(w.shape), *params),
        convolution.bias_vjp(g),
    )
    for actual, want in zip((ours, *grads), (out, *expected), strict=True):
        np.testing.assert_allclose(actual, array(want), strict=True, **EXACT)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("groups", "channels", "filters"), CHANNELS)
def test_transposed_convolution_equals_torch(seed, groups, channels, filters):
    pick = random.Random(seed)
    dims = pick.choice([1, 2, 2, 3])
    kernel, stride, dilation, spatial = (
        tuple(pick.randint(1, high) for _ in range(dims)) for high in (4, 3, 3, 5)
    )
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(pick.randint(0, (span - 1) // 2) for span in spans)
    output_padding = tuple(
        pick.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)
    )
    x = leaf(2, groups * channels, *spatial)
    w, b = leaf(groups * channels, filters, *kernel), leaf(groups * filters)
    check_transposed(x, w, b, stride, padding, output_padding, groups, dilation)


def test_transposed_convolution_of_an_empty_batch():
    x, w, b = leaf(0, 4, 5), leaf(4, 3, 3), leaf(3)
    check_transposed(x, w, b, (2,), (1,), (1,), 1, (1,))


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("before", [0, 3])
def test_both_adjoints_are_the_same_map(stride, dilation, before):
    rng = np.random.default_rng(0)
    shape = windows.Windows((3, 2), (stride, 1), (dilation, 1), (before, 1), (4, 5))
    out, weight = rng.standard_normal((2, 6, 4, 5)), rng.standard_normal((6, 2, 3, 2))
    by_fold = correlation._adjoint_by_fold(out, weight, shape, (17, 4), 2)
    by_phases = correlation._adjoint_by_phases(out, weight, shape, (17, 4), 2)
    np.testing.assert_allclose(by_fold, by_phases, **EXACT)
