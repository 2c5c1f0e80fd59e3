"""`as_strided` inside transformations: offsets count from the storage, as PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import wengert

VIEWS = {
    "whole": lambda v: v.as_strided((2, 2), (2, 1)),
    "offset": lambda v: v.as_strided((2, 2), (2, 1), 1),
    "of a view": lambda v: v[2:].as_strided((2, 2), (2, 1)),
    "of a view from the base": lambda v: v[2:].as_strided((2, 2), (2, 1), 3),
    "before the view": lambda v: v[2:].as_strided((2,), (2,), 1),
    "of a result": lambda v: (v * 2)[2:].as_strided((2,), (2,), 4),
    "of a transposed": lambda v: v.reshape(3, 4).t().as_strided((2, 2), (2, 1), 1),
    "overlapping": lambda v: v[3:].as_strided((3, 3), (1, 1)) * v[:3],
    "too far": lambda v: v.as_strided((3,), (7,), 0),
    "empty": lambda v: v.as_strided((0, 3), (5, 1), 0),
}
TRANSFORMS = {
    "vmap": lambda func, f, x: func.vmap(f)(x),
    "vmap of columns": lambda func, f, x: func.vmap(f, in_dims=1)(x.reshape(12, 2)),
    "vmap of some rows": lambda func, f, x: func.vmap(f)(x[1:]),
    "vmap twice": lambda func, f, x: func.vmap(func.vmap(f))(x.reshape(2, 1, 12)),
    "vmap grad": lambda func, f, x: func.vmap(func.grad(lambda v: (f(v) ** 2).sum()))(
        x
    ),
    "grad vmap": lambda func, f, x: func.grad(lambda x: (func.vmap(f)(x) ** 2).sum())(
        x
    ),
    "grad": lambda func, f, x: func.grad(lambda v: (f(v) ** 2).sum())(x[0]),
    "jvp": lambda func, f, x: func.jvp(f, (x[0].clone(),), (x[1].clone(),))[1],
    "jacrev": lambda func, f, x: func.jacrev(f)(x[0]),
}


def outcome(torch, view, transform):
    x = torch.arange(24.0).reshape(2, 12)
    try:
        return TRANSFORMS[transform](torch.func, VIEWS[view], x).numpy()
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("view", VIEWS)
def test_as_strided_is_as_in_pytorch(view, transform):
    torch = pytest.importorskip("torch")
    theirs, ours = outcome(torch, view, transform), outcome(wengert, view, transform)
    if isinstance(theirs, str):
        assert isinstance(ours, str)
        assert ours[:60] == theirs[:60]
    else:
        np.testing.assert_allclose(ours, theirs)


def test_writing_into_it_writes_into_each_element_of_the_batch():
    def f(v):
        copy = v.clone()
        copy[2:].as_strided((2,), (2,), 3).fill_(-1)
        return copy

    x = wengert.arange(24.0).reshape(2, 12)
    wanted = x.clone()
    wanted[:, [3, 5]] = -1
    assert (wengert.func.vmap(f)(x) == wanted).all()


def test_a_tangent_that_lies_elsewhere_is_seen_at_the_same_elements():
    x = wengert.arange(6.0).reshape(2, 3)
    tangent = (wengert.arange(6.0) + 10).reshape(3, 2).t()
    found = wengert.func.jvp(lambda v: v.as_strided((3,), (2,)), (x,), (tangent,))[1]
    assert found.tolist() == tangent.reshape(6)[::2].tolist()
