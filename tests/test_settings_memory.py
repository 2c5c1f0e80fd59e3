"""What tensors say of their memory, hashes, and settings of the process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x, float32 of shape (2, 3), and n, int64 of it.
SAME = """
torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
torch.empty_permuted((2, 3, 4), (2, 0))
torch.empty_permuted((2, 3, 4), (0, 0, 1))
torch.empty_permuted((2, 3, 4), (0, 1, 3))
torch.hash_tensor(x)
torch.hash_tensor(n, 0)
torch.hash_tensor(x.double() / 3, (0, 1), keepdim=True)
torch.hash_tensor(x > 2)
torch.hash_tensor(x.half(), 1)
torch.hash_tensor(x[0, 0], 0)
torch.hash_tensor(x, mode=1)
torch.hash_tensor(x[:0])
torch.hash_tensor(x * 1j)
torch.hash_tensor(x, 3)
torch.get_device(x), x.get_device(), x.is_pinned(), x.is_shared()
torch.is_inference(x), torch.is_distributed(x)
x.is_set_to(x), x.is_set_to(x[:]), x.is_set_to(x.T), x.is_set_to(x.clone())
x.dim_order(), x.T.dim_order(), torch.ones(2, 1, 3, 1).dim_order()
x.to_dense() is x
x.new_empty_strided((2,), (3,)).stride()
x.clone().apply_(lambda v: v * 2 + 1)
n.clone().apply_(lambda v: v * v)
x.clone().map_(x, lambda a, b: a + 2 * b)
x.clone().map_(x[0], lambda a, b: a - b)
torch.ones(2).map_(torch.ones(3), lambda a, b: a)
x.clone().requires_grad_().apply_(lambda v: v)
torch.kaiser_window(1), torch.kaiser_window(5, False, 3.0), torch.kaiser_window(6)
torch.view_as_real_copy(x * 1j), torch.view_as_complex_copy(x.view(3, 2))
torch.are_deterministic_algorithms_enabled()
torch.use_deterministic_algorithms(1)
[torch.set_deterministic_debug_mode('warn'), torch.get_deterministic_debug_mode(), \
torch.is_deterministic_algorithms_warn_only_enabled(), \
torch.set_deterministic_debug_mode(0), torch.get_deterministic_debug_mode()]
torch.set_deterministic_debug_mode('some')
torch.set_deterministic_debug_mode(3)
[torch.set_float32_matmul_precision('high'), torch.get_float32_matmul_precision(), \
torch.set_float32_matmul_precision('some'), torch.get_float32_matmul_precision(), \
torch.set_float32_matmul_precision('highest')]
torch.set_num_threads(0)
torch.set_num_threads('a')
torch.set_num_threads(1), torch.get_num_threads()
[torch.set_default_tensor_type('torch.DoubleTensor'), torch.ones(1).dtype, \
torch.set_default_tensor_type(torch.FloatTensor), torch.ones(1).dtype]
torch.is_warn_always_enabled()
"""


def outcome(expression: str, library: Any) -> Any:
    """Return the result as NumPy's arrays and texts, or the error and its message."""
    x = library.arange(6.0).reshape(2, 3)
    try:
        value = eval(expression, {"torch": library, "x": x, "n": x.long()})
    except Exception as error:
        return type(error), str(error).split("\n")[0]
    values = value if isinstance(value, tuple) else (value,)
    is_tensor = [isinstance(v, library.Tensor) for v in values]
    return [
        v.numpy() if found else str(v)
        for v, found in zip(values, is_tensor, strict=True)
    ]


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_as_in_pytorch(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENGERT_NUM_THREADS", "2")
    ours, theirs = outcome(expression, wengert), outcome(expression, torch)
    assert type(ours) is type(theirs) and len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        if isinstance(their, np.ndarray):
            assert our.dtype == their.dtype
            np.testing.assert_allclose(our, their, rtol=1e-6, atol=1e-7)
        else:
            assert our == their
