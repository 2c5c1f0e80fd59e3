"""What makes transformations quick must leave their results as they were."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch

import wengert
import wengert.func
import wengert.nn.functional as F

RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.standard_normal((5, 4, 3)).astype(np.float32)
TARGETS = RANDOM.integers(0, 3, (5, 4))
WEIGHT = np.array([0.5, 2.0, 1.0], np.float32)
ROWS = RANDOM.standard_normal((4, 3)).astype(np.float32)


def both(make: Any) -> None:
    """Compare what a function of a library returns with PyTorch's."""
    expected, found = make(torch, torch.nn.functional), make(wengert, F)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [-100, 1])
def test_losses_by_class_of_batches(
    reduction: str, weighted: bool, ignored: int
) -> None:
    def losses(library: Any, functional: Any) -> Any:
        logits, targets = library.tensor(LOGITS), library.tensor(TARGETS)
        weight = library.tensor(WEIGHT) if weighted else None

        def loss(x: Any, target: Any) -> Any:
            return functional.cross_entropy(
                x, target, weight, ignore_index=ignored, reduction=reduction
            ).sum()

        vmap, grad = library.func.vmap, library.func.grad
        return (
            vmap(loss)(logits, targets),
            vmap(grad(loss))(logits, targets),
            vmap(vmap(loss))(logits, targets),
            vmap(vmap(grad(loss)))(logits, targets),
            vmap(grad(loss), in_dims=(0, None))(logits, targets[0]),
            vmap(grad(loss), in_dims=(None, 0))(logits[0], targets),
            vmap(library.func.hessian(loss))(logits, targets),
        )

    with np.errstate(all="ignore"):
        both(losses)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 5, 3)])
@pytest.mark.parametrize("biased", [False, True])
def test_linear_layers_on_all_levels(shape: tuple[int, ...], biased: bool) -> None:
    random = np.random.default_rng(4)
    x, v = random.standard_normal((2, *shape)).astype(np.float32)
    stack = random.standard_normal((6, 4, 3)).astype(np.float32)

    def results(library: Any, functional: Any) -> Any:
        input, tangent, weights = map(library.tensor, (x, v, stack))
        bias = library.tensor(ROWS[:, 0]) if biased else None

        def loss(weight: Any, input: Any) -> Any:
            return functional.linear(input, weight, bias).tanh().sum()

        func = library.func
        push = func.jvp(
            func.grad(loss, (0, 1)), (weights[0], input), (weights[1], tangent)
        )
        inputs = input.unsqueeze(0) * weights[:, 0, 0].reshape((6, *(1,) * input.ndim))
        return (
            *push[0],
            *push[1],
            *func.vmap(func.grad(loss, (0, 1)), in_dims=(0, None))(weights, input),
            *func.vmap(func.grad(loss, (0, 1)), in_dims=(None, 0))(weights[0], inputs),
            *func.vmap(func.grad(loss, (0, 1)))(weights, inputs),
            func.hessian(loss, 1)(weights[0], input),
            func.jacrev(lambda w: functional.linear(input, w, bias))(weights[0]),
        )

    both(results)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_second_order(name: str) -> None:
    def results(library: Any, functional: Any) -> Any:
        x, v = library.tensor(ROWS), library.tensor(ROWS[::-1].copy())
        func = library.func

        def loss(x: Any) -> Any:
            return (getattr(functional, name)(x, 1) * v.sin()).sin().sum()

        return (
            *func.jvp(func.grad(loss), (x,), (v,)),
            func.hessian(loss)(x),
            func.vmap(func.hessian(lambda row: loss(row.unsqueeze(0))[None].sum()))(x),
        )

    both(results)


def test_products_with_batched_vectors_and_matrices() -> None:
    stack = np.random.default_rng(5).standard_normal((5, 4, 3)).astype(np.float32)

    def results(library: Any, functional: Any) -> Any:
        vmap, matrices, rows = library.func.vmap, library.tensor(stack), ROWS
        long, short = library.tensor(rows[:, :1].repeat(5, 1).T.copy()), None
        short = library.tensor(rows)
        return (
            vmap(library.mv, in_dims=(None, 0))(matrices[0], short),
            vmap(library.mv, in_dims=(0, None))(matrices, short[0]),
            vmap(lambda v, m: v @ m, in_dims=(0, None))(long, matrices[0]),
            vmap(lambda v, m: v @ m)(long, matrices),
            vmap(library.outer)(long, matrices[:, 0]),
            matrices[:, :, :1] @ matrices[:, :1],
        )

    both(results)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_jacobian_of_one_row(shape: tuple[int, ...]) -> None:
    def results(library: Any, functional: Any) -> Any:
        x = library.tensor(ROWS)
        jacobian = library.func.jacrev(lambda x: x.sin().sum().reshape(shape))(x)
        pair = library.func.jacrev(lambda x, y: (x * y).sum().reshape(shape), (0, 1))
        return jacobian, *pair(x, x.cos())

    both(results)


def transformed(x: wengert.Tensor) -> list[Any]:
    func = wengert.func

    def loss(x: wengert.Tensor) -> wengert.Tensor:
        return F.cross_entropy(x.tanh()[1:], wengert.tensor([0, 2, 1]))

    return [
        func.grad(loss)(x),
        func.vmap(func.grad(lambda row: row.sin().sum()))(x),
        func.jvp(func.grad(loss), (x,), (x,)),
        func.hessian(loss)(x),
        func.jacrev(lambda x: x.reshape((12,))[:2].exp())(x),
    ]


def test_transformations_leave_no_cycles() -> None:
    """What they have made is freed at once: it may be large."""
    x = wengert.tensor(ROWS)
    transformed(x)
    gc.collect()
    gc.disable()
    try:
        transformed(x)
        assert gc.collect() == 0
    finally:
        gc.enable()
