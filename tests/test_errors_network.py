"""What layers' functions, and some others, refuse: PyTorch's errors and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional

import wengert
import wengert.nn

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x, ones of shape (2, 3), and `ones`.
SAME = """
F.conv1d(ones(1, 1, 4), ones(1, 1, 2), ones(1).double())
F.conv1d(ones(1, 1, 4).double(), ones(1, 1, 2))
F.conv1d(ones(1, 1, 4), ones(1, 1, 2), stride=0)
F.conv1d(ones(1, 1, 4), ones(1, 2, 2), padding=-1)
F.conv1d(ones(1, 1, 4), ones(1, 1, 2), dilation=0)
F.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), dilation=(1, 0))
F.conv1d(ones(1, 1, 4), ones(1, 1, 2), groups=0)
F.conv1d(ones(1, 1, 4), ones(1, 1, 2), groups=2)
F.conv1d(ones(1, 2, 4), ones(3, 1, 2), groups=2)
F.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2))
F.conv2d(ones(1, 1, 4, 4), ones(1, 2))
F.conv2d(ones(4, 4), ones(1, 1, 2, 2))
F.conv1d(ones(1, 1, 4), ones(1, 1, 2, 2))
F.conv2d(ones(1, 1, 4, 3), ones(1, 2, 2), padding='same')
F.conv2d(ones(1, 1, 4, 3), ones(1, 1, 2, 2), padding='same', dilation=-1)
F.conv2d(ones(1, 1, 4, 3), ones(1, 1, 2, 2), padding='same', stride=2)
F.conv_transpose1d(ones(1, 2, 4), ones(1, 1, 2))
F.conv_transpose1d(ones(1, 1, 4), ones(1, 1, 2), stride=0)
F.conv_transpose1d(ones(1, 1, 4), ones(1, 1, 2), output_padding=-1)
F.max_pool1d(ones(1, 1, 1), 2)
F.max_pool1d(ones(1, 0, 4), 2)
F.max_pool1d(ones(1, 1, 0), 2)
F.max_pool1d(ones(2), 2)
F.max_pool1d(ones(1, 1, 4), 0)
F.max_pool2d(ones(1, 1, 1, 2), 2)
F.max_pool2d(ones(1, 0, 4, 4), 2)
F.max_pool2d(ones(0, 1, 4, 4), 2)
F.max_pool2d(ones(0, 4, 4), 2)
F.max_pool2d(ones(2), 2)
F.max_pool2d(ones(1, 1, 4, 4), 2, 0)
F.max_pool2d(ones(1, 1, 4, 4), 2, padding=2)
F.max_pool2d(ones(1, 1, 4, 4), 2, padding=-1)
F.max_pool2d(ones(1, 1, 4, 4), 2, dilation=0)
F.max_pool3d(ones(1, 1, 2), 2)
F.max_pool3d(ones(0, 1, 4, 4), 2, padding=-1)
F.max_pool3d(ones(2, 1, 0, 1, 2), 2)
F.max_pool3d(ones(1, 1, 4, 4), 2)
F.avg_pool1d(ones(1, 1, 1), 2)
F.avg_pool2d(ones(1, 1, 1), 2)
F.avg_pool2d(ones(1, 0, 4, 4), 2)
F.avg_pool2d(ones(1, 1, 4, 4), 2, 0)
F.avg_pool2d(ones(1, 1, 4, 4), 2, padding=2)
F.avg_pool3d(ones(1, 1, 0, 2, 2), 2)
F.avg_pool3d(ones(1, 1, 1, 2, 2), 2)
F.adaptive_avg_pool1d(ones(1, 1, 4), ())
F.adaptive_avg_pool1d(ones(1, 1, 4), -1)
F.adaptive_avg_pool2d(ones(1, 1, 4, 4), (-1, 2))
F.adaptive_avg_pool2d(ones(1, 1, 4, 4), (2, 2, 2))
F.adaptive_avg_pool3d(ones(1, 1, 4, 4, 4), (2, -2, 2))
F.adaptive_max_pool1d(ones(1, 1, 4), ())
F.adaptive_max_pool1d(ones(1, 1, 4), -1)
F.adaptive_max_pool2d(ones(1, 1, 4, 4), (-1, 2))
F.adaptive_max_pool2d(ones(1, 1, 4, 4), (2,))
F.adaptive_max_pool3d(ones(1, 1, 4, 4, 4), (2, 2, -1))
F.multi_margin_loss(ones(5, 0), ones(5).long())
F.multi_margin_loss(ones(5, 4), ones(5, 4).long())
F.multi_margin_loss(ones(5, 4), ones(4).long())
F.multi_margin_loss(ones(5, 4), ones(5).long(), weight=ones(5))
F.multi_margin_loss(ones(5, 4), ones(5))
F.multi_margin_loss(ones(2, 5, 4), ones(5).long())
F.multilabel_margin_loss(ones(5, 0), ones(5, 0).long())
F.multilabel_margin_loss(ones(5, 4), ones(5, 3).long())
F.multilabel_margin_loss(ones(5, 4), ones(5, 4))
F.triplet_margin_loss(ones(3), x, x)
F.triplet_margin_with_distance_loss(ones(3), x, x)
F.gaussian_nll_loss(x, x, x, reduction='abc')
F.prelu(torch.tensor(1.0), ones(2))
F.softshrink(x, -0.5)
F.softshrink(x.double(), -0.5)
x.byte().masked_fill(x > 0, 1j)
x.int().masked_fill(x > 0, 1j)
x.short().masked_fill(x > 0, 1j)
x.masked_fill(x > 0, 1j)
x.long().masked_fill(x > 0, 1j)
x.bool().masked_fill(x > 0, 1j)
x.masked_fill(x, 1)
x.masked_scatter(x, x)
torch.multinomial(-x, 1)
torch.multinomial(-x, 2, True)
torch.multinomial(x / 0, 2, True)
torch.multinomial(x * 0, 2, True)
torch.multinomial(x, 0)
torch.mean(x.long())
torch.mean(x.long(), 1)
torch.mean(x, dtype=torch.int64)
torch.linalg.lstsq(x[0], x)
torch.linalg.lstsq(x, x[0, 0])
torch.linspace(0, 1, 2.5)
torch.linspace(0, 1, -1)
torch.linspace(x, x, 3)
torch.linspace(x[0, 0], x, 3)
torch.logspace(x, 1, 3)
F.grid_sample(ones(1, 1, 2, 2), ones(2, 2, 2, 2), align_corners=True)
F.grid_sample(ones(1, 1, 2, 2), ones(1, 2, 2, 3), align_corners=True)
F.grid_sample(ones(1, 1, 2, 0), ones(1, 2, 2, 2), align_corners=True)
F.grid_sample(ones(1, 1, 2, 2), ones(1, 2, 2, 2), 'cubic')
F.grid_sample(ones(1, 1, 2, 2), ones(1, 2, 2, 2), padding_mode='ones')
F.grid_sample(ones(1, 1, 2, 2, 2), ones(1, 2, 2, 2, 3), 'bicubic')
F.affine_grid(ones(1, 2, 3).long(), (1, 1, 2, 2), False)
F.affine_grid(ones(1, 2, 2), (1, 1, 2, 2), False)
F.affine_grid(ones(1, 2, 3), (1, 1, 2), False)
F.affine_grid(ones(1, 2, 3), (1, 1, 2, 0), False)
torch.eq(1, x)
torch.copysign(1, 1)
torch.pow(1, 1)
torch.bitwise_or(1, 1)
"""


def outcome(expression: str, library: Any) -> Any:
    """Return the shape of the result, or the error and its message's first line."""
    names = {"torch": library, "F": library.nn.functional, "ones": library.ones}
    try:
        return tuple(eval(expression, names | {"x": library.ones(2, 3)}).shape)
    except Exception as error:
        message = str(error).split("\n")[0]
        return type(error), message.split(", but expected one of")[0]


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_as_in_pytorch(expression: str) -> None:
    ours = outcome(expression, wengert)
    if isinstance(ours[-1], str) and "invalid combination" in ours[1]:
        ours = ours[0], ours[1].split(", but expected")[0]
    assert ours == outcome(expression, torch)


# Expressions of x and y, float32 of shape (2, 3), z, int64 of it, and `base`, 12 zeros.
WRITTEN = """
torch.exp(x, out=x.double())
torch.exp(x, out=z)
torch.abs(x, out=x.double())
torch.eq(x, y, out=z)
torch.eq(x, y, out=x.double())
torch.cumsum(x, 0, out=z)
torch.mm(x, y.T, out=torch.zeros(2, 2).double())
torch.matmul(x, y.T, out=torch.zeros(2, 2).double())
torch.softmax(x, 1, out=x.double())
torch.amax(x, 1, out=torch.zeros(2).int())
torch.argmax(x, 1, out=torch.zeros(2))
torch.all(x, out=torch.zeros(()))
torch.isposinf(x, out=torch.zeros(2, 3))
torch.sort(x, 1, out=(x.double(), z))
torch.where(x > 0, x, y, out=x.double())
torch.nan_to_num(x, out=x.double())
torch.index_select(x, 0, z[0, :1], out=x[:1].double())
torch.multinomial(x, 1, out=x[:, :1].clone())
torch.linalg.inv(x[:, :2], out=torch.zeros(2, 2).double())
torch.exp(base[:6], out=base[1:7])
torch.add(base[:6], 1, out=base[1:7])
torch.add(base[:6], 1, out=base[:6])
torch.gather(x, 1, z, out=x)
torch.cat([x, y], out=base.view(4, 3)), torch.cat([base[:6], base[6:]], out=base)
torch.exp(x, out=torch.zeros(1, 3).expand(2, 3))
torch.tril(x, out=x)
torch.exp(x, out=torch.zeros(0)).shape
torch.exp(x, out=torch.zeros(4)).shape
"""


def written(expression: str, library: Any) -> Any:
    """Return the error of an expression, or what came of it."""
    x = library.arange(4.0).reshape(2, 2)
    x = library.cat([x, x[:, :1]], 1) + library.eye(2, 3)
    names = {"torch": library, "x": x, "y": library.ones(2, 3)}
    names |= {"z": library.zeros(2, 3).long(), "base": library.arange(12.0) / 4}
    try:
        found = eval(expression, names)
        return found.tolist() if isinstance(found, library.Tensor) else str(found)
    except Exception as error:
        return type(error), str(error).split("\n")[0]


@pytest.mark.parametrize("expression", WRITTEN.strip().split("\n"))
def test_results_are_written_as_in_pytorch(expression: str) -> None:
    ours, theirs = written(expression, wengert), written(expression, torch)
    if isinstance(theirs, list):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    else:
        assert ours == theirs


def test_another_shape_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="was resized since it had shape"):
        wengert.exp(wengert.ones(2), out=wengert.ones(3))
