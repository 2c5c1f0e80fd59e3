"""Constraints and transforms by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

NAN = float("nan")
NUMBERS = [-1.0, 0.0, 0.5, 1.0, 3.0, float("inf"), NAN]
VECTORS = [[0.5, 0.5], [1.0, 0.0], [1.0, 1.0], [-0.5, 1.5], [0.5, NAN]]
MATRICES = [
    [[1.0, 0.0], [0.6, 0.8]],
    [[1.0, 0.0], [0.0, 1.0]],
    [[2.0, 0.5], [0.5, 1.0]],
    [[0.0, 0.0], [0.0, 0.0]],
    [[1.0, 2.0], [2.0, 1.0]],
]
OF_NUMBERS = """
C.real
C.boolean
C.positive
C.nonnegative
C.unit_interval
C.nonnegative_integer
C.positive_integer
C.greater_than(0.5)
C.greater_than_eq(0.5)
C.less_than(0.5)
C.interval(0.0, 1.0)
C.half_open_interval(0.0, 1.0)
C.integer_interval(0, 1)
""".strip().splitlines()
OF_VECTORS = """
C.real_vector
C.simplex
C.one_hot
C.multinomial(1)
C.independent(C.positive, 1)
C.independent(C.positive, 0)
""".strip().splitlines()
OF_MATRICES = """
C.square
C.symmetric
C.positive_semidefinite
C.positive_definite
C.lower_triangular
C.lower_cholesky
C.corr_cholesky
C.independent(C.real, 2)
""".strip().splitlines()


@pytest.mark.parametrize("text", OF_NUMBERS + OF_VECTORS + OF_MATRICES)
def test_constraints(text: str) -> None:
    of_numbers = VECTORS if text in OF_VECTORS else MATRICES
    values = NUMBERS if text in OF_NUMBERS else of_numbers
    ours, theirs = (constraint(library, text) for library in (wengert, torch))
    assert repr(ours) == repr(theirs)
    assert (ours.is_discrete, ours.event_dim) == (theirs.is_discrete, theirs.event_dim)
    for value in values:  # alone, as PyTorch may look no further after a failure
        expected = theirs.check(torch.tensor(value))
        assert ours.check(wengert.tensor(value)).tolist() == expected.tolist()


def constraint(library: Any, text: str) -> Any:
    return eval(text, {"C": library.distributions.constraints})


@pytest.mark.parametrize(
    "text",
    ["C.square", "C.symmetric", "C.positive_semidefinite", "C.positive_definite"],
)
def test_matrices_that_are_not_square(text: str) -> None:
    expected = constraint(torch, text).check(torch.ones(2, 2, 3))
    assert constraint(wengert, text).check(wengert.ones(2, 2, 3)).tolist() == (
        expected.tolist()
    )


def test_dependent_constraints() -> None:
    constraints = wengert.distributions.constraints
    support = wengert.distributions.Uniform.support
    assert constraints.is_dependent(support)
    assert not constraints.is_dependent(constraints.real)
    with pytest.raises(ValueError, match="Cannot determine validity"):
        constraints.dependent.check(wengert.ones(2))
    with pytest.raises(NotImplementedError, match=r"\.event_dim cannot be determined"):
        _ = constraints.dependent.event_dim
    with pytest.raises(ValueError, match=r"Expected value.dim\(\) >= 2 but got 1"):
        constraints.independent(constraints.real, 2).check(wengert.ones(2))


# of T, torch and t, which makes tensors
TRANSFORMS = """
T.ExpTransform()
T.ExpTransform().inv
T.ExpTransform(cache_size=1)
T.AbsTransform()
T.AffineTransform(1.0, -2.0)
T.AffineTransform(t([1.0, 2.0]), t([[2.0], [-1.0]]))
T.AffineTransform(1.0, t([2.0, 3.0]), event_dim=1)
T.SigmoidTransform()
T.SigmoidTransform().inv
T.SoftplusTransform()
T.TanhTransform()
T.TanhTransform().inv
T.PowerTransform(t(2.0))
T.IndependentTransform(T.ExpTransform(), 1)
T.ComposeTransform([T.ExpTransform(), T.AffineTransform(1.0, 2.0, event_dim=1)])
T.ComposeTransform([T.SigmoidTransform(), T.ExpTransform()]).inv
T.ComposeTransform([T.SigmoidTransform(), T.ExpTransform()]).with_cache()
T.identity_transform
""".strip().splitlines()
ASPECTS = {
    "image": "f(x)",
    "inverse": "f.inv(x)",
    "round trip": "f.inv(f(x))",
    "jacobian": "f.log_abs_det_jacobian(x, f(x))",
    "domain": "f.domain",
    "codomain": "f.codomain",
    "sign": "f.sign",
    "bijective": "f.bijective",
    "repr": "f",
    "shapes": "tuple(f.forward_shape((3, 2))), tuple(f.inverse_shape((3, 2)))",
    "equal": "f == f, f == T.ExpTransform(), f == f.inv.inv",
    "without cache": "f.with_cache(0)",
}


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("text", TRANSFORMS)
def test_transforms(text: str, aspect: str) -> None:
    ours, theirs = (seen(library, text, aspect) for library in (wengert, torch))
    if isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(ours, theirs, 1e-6, 1e-6)
    else:
        assert ours == theirs


def seen(library: Any, text: str, aspect: str) -> Any:
    names: dict[str, Any] = {"T": library.distributions.transforms, "torch": library}
    names["t"] = library.tensor
    names["x"] = library.tensor([[0.2, 0.9], [0.5, 0.1]], requires_grad=True)
    names["f"] = eval(text, names)
    try:
        result = eval(ASPECTS[aspect], names)
    except (NotImplementedError, RuntimeError) as error:
        return type(error)
    if isinstance(result, library.Tensor):
        if result.requires_grad:
            slope = library.autograd.grad(result.sum(), names["x"], allow_unused=True)
            return np.append(result.detach().numpy(), slope[0].numpy())
        return result.numpy()
    return repr(result)


def test_a_cache_remembers_the_last_value() -> None:
    transform = wengert.distributions.TanhTransform(cache_size=1)
    x = wengert.tensor(20.0)
    assert transform.inv(transform(x)) is x
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        wengert.distributions.TanhTransform(cache_size=2)


def test_a_users_constraint_gets_tensors() -> None:
    class Even(wengert.distributions.constraints.Constraint):
        def check(self, value: Any) -> Any:
            return value.remainder(2).eq(0)

    class Doubled(wengert.distributions.Normal):
        support = Even()

    doubled = Doubled(0.0, 1.0)
    assert doubled.log_prob(wengert.tensor(2.0)).item() < 0
    with pytest.raises(ValueError, match=r"within the support \(Even\(\)\)"):
        doubled.log_prob(wengert.tensor(1.0))
