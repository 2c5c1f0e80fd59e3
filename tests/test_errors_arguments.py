"""Arguments that functions and layers refuse: PyTorch's errors and first words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional

import wengert
import wengert.nn

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x, float32 of shape (2, 3), z, the same in int64, and a, which is an
# array of NumPy.
REFUSED = """
torch.tensor([300], dtype=torch.uint8)
torch.tensor([-129], dtype=torch.int8)
torch.tensor(200.5, dtype=torch.int8)
torch.tensor([2**40], dtype=torch.int32)
torch.tensor([float('nan')], dtype=torch.int64)
torch.tensor(2**63)
torch.tensor(2**70)
torch.zeros(2.5)
torch.zeros('a')
torch.zeros()
torch.zeros((2, 1.5))
torch.full(2, 1.5)
torch.arange(3, dtype=torch.bool)
torch.arange()
torch.zeros_like([1, 2])
torch.full_like(a, 3)
torch.Tensor(3.)
x.fill_('a')
x['a']
torch.exp([1.])
torch.exp(a)
torch.sum([1., 2.])
torch.mean(a)
torch.matmul(x, [1., 2.])
torch.stack([x, x], dim=4)
torch.lerp(x, x.double(), 0.5)
x @ x.T.double()
z @ x.T
z.bool() @ z.T.bool()
x.gather(0, [1])
x.index_select(0, [1])
F.relu([1.])
F.relu(a)
F.relu(z.bool())
F.relu(x + 1j)
F.relu6(z.bool())
F.leaky_relu(a)
F.leaky_relu(z)
F.elu(z)
F.silu(z)
F.mish(z + 1j)
F.softplus(z)
F.hardswish(z)
F.hardshrink(z)
F.logsigmoid(z)
F.threshold(z.bool(), 1, 2)
F.prelu(z, x[0, :1])
F.glu(z[:, :2])
F.softmax(x + 1j, 1)
F.dropout(z)
F.dropout(a)
F.linear(a, x)
F.linear(x, x, x[0])
F.linear(x.double(), x)
F.embedding(z, a)
F.embedding(a, x)
F.pad(a, (1, 1))
F.conv1d(x[None], x.T[:, :, None].double())
F.conv2d(x[None, None], torch.ones(3, 2, 1, 1), groups=2)
F.max_pool2d(a, 2)
F.avg_pool2d([1], 2)
F.adaptive_avg_pool2d(z[None], 2)
F.batch_norm(a, x[0], x[0])
F.batch_norm(x, None, None)
F.layer_norm(x, 3)
F.layer_norm(a, (3,))
F.layer_norm(z, (3,))
F.group_norm(z, 1)
F.mse_loss(z, z)
F.smooth_l1_loss(z, z)
F.huber_loss(z, z)
F.kl_div(x, z)
F.binary_cross_entropy(x * 0.5, z)
F.binary_cross_entropy(x * 100, x * 0)
F.binary_cross_entropy(x * 0, x * 100)
F.binary_cross_entropy(x * float("nan"), x * 0)
F.binary_cross_entropy(x * 0, x * float("nan"), weight=x)
F.binary_cross_entropy_with_logits(x, z)
F.cross_entropy(a, z[:, 0])
F.cross_entropy(x, [0, 1])
F.cross_entropy(x, z[:, 0].int())
F.cross_entropy(x, x[:, 0])
F.nll_loss(x, x[:, 0])
F.nll_loss(x, z[:, 0].bool())
nn.Linear(3, 2)([1., 2., 3.])
nn.Linear(3, 2)(a)
nn.Linear(3, 2)(x.double())
nn.Linear(3, 2)(z[None])
nn.Linear(3, 2, bias=False)(x.double())
nn.Linear(2, 2)(x)
nn.Parameter(z)
setattr(nn.Parameter(x), 'data', z)
setattr(nn.Parameter(x), 'data', 3)
"""


def refusal(expression: str, library: Any) -> tuple[type[Exception], str]:
    """Return the error of an expression, and the first line of its message."""
    x = library.ones(2, 3)
    names = {"torch": library, "x": x, "z": x.long(), "a": np.ones((2, 3), np.float32)}
    names |= {"nn": library.nn, "F": library.nn.functional}
    with pytest.raises(Exception) as caught:
        eval(expression, names)
    return caught.type, str(caught.value).split("\n")[0]


@pytest.mark.parametrize("expression", REFUSED.strip().split("\n"))
def test_refused_as_in_pytorch(expression: str) -> None:
    kind, message = refusal(expression, wengert)
    expected, words = refusal(expression, torch)
    assert kind is expected
    if "invalid combination" in words:
        words = words.split(" - ")[0]
    assert message.startswith(words[: len(message)])


def test_a_refused_write_changes_nothing() -> None:
    x = wengert.ones(2)
    for write in (lambda: x.fill_("a"), lambda: x.add_(wengert.ones(3))):
        with pytest.raises((TypeError, RuntimeError)):
            write()
    assert x.tolist() == [1.0, 1.0] and x._version == 0
