"""Matrices of a stack fail one by one in the ``_ex`` functions of ``torch.linalg``."""

import numpy as np
import pytest
import torch

import wengert

DEFINITE = [
    [[2.0, 0, 0], [0, 3, 0], [0, 0, 4]],
    [[1, 0, 0], [2, 1, 0], [0, 0, 1]],
    [[-1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[1, 0, 0], [0, 1, 0], [0, 2, 1]],
]
SINGULAR = [
    [[2.0, 1, 0], [0, 3, 0], [1, 0, 4]],
    [[1, 1, 0], [2, 2, 1], [3, 3, 7]],
    [[0, 1, 0], [0, 2, 0], [0, 0, 1]],
    [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
]
CALLS = {
    "cholesky": (DEFINITE, lambda t, A: t.linalg.cholesky_ex(A)),
    "cholesky upper": (DEFINITE, lambda t, A: t.linalg.cholesky_ex(A.mT, upper=True)),
    "inv": (SINGULAR, lambda t, A: t.linalg.inv_ex(A)),
    "solve": (SINGULAR, lambda t, A: t.linalg.solve_ex(A, A[:, :, :2] + 1)),
    "solve vectors": (SINGULAR, lambda t, A: t.linalg.solve_ex(A, A[:, :, 0] + 1)),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_matrix_fails_by_itself(name):
    stack, call = CALLS[name]
    found = []
    for library in (wengert, torch):
        A = library.tensor(stack, dtype=library.float64, requires_grad=True)
        result, info = call(library, A)
        fine = info == 0
        (grad,) = library.autograd.grad(result[fine].sum(), A)
        found.append([info.numpy(), result[fine].detach().numpy(), grad[fine].numpy()])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    assert found[0][0].tolist().count(0) < len(stack)
