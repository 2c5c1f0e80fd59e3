"""Distributions inside of vmap, grad and jvp, and in compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import wengert
from wengert import distributions as D
from wengert.func import grad, jvp, vmap

from .cases import CASES, Case


def made(case: Case, parameters: list[Any]) -> Any:
    names: dict[str, Any] = {"torch": wengert, "D": D}
    return eval(case.make, names | dict(zip(case.parameters, parameters, strict=True)))


def tensors(case: Case) -> list[Any]:
    values = case.parameters.values()
    return [wengert.tensor(value, dtype=wengert.float64) for value in values]


@pytest.mark.parametrize("name", CASES)
def test_log_prob_under_vmap_and_grad(name: str) -> None:
    case = CASES[name]
    parameters = tensors(case)
    value = wengert.tensor(case.value, dtype=wengert.float64)

    def total(value: Any, *parameters: Any) -> Any:
        return made(case, list(parameters)).log_prob(value).sum()

    positions = tuple(range(1, len(parameters) + 1))
    batched = vmap(grad(total, positions), (0, *[None] * len(parameters)))
    found = batched(value, *parameters)
    for i, row in enumerate(value):
        leaves = [p.clone().requires_grad_() for p in parameters]
        expected = wengert.autograd.grad(total(row, *leaves), leaves)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[i].numpy(), other.numpy(), 1e-9, 1e-9)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"transformed_vectors"}))
def test_vmap_over_parameters(name: str) -> None:
    case = CASES[name]
    value = wengert.tensor(case.value, dtype=wengert.float64)[0]
    stacked = [wengert.stack([p, p * 0.9]) for p in tensors(case)]

    def log_prob(*parameters: Any) -> Any:
        return made(case, list(parameters)).log_prob(value)

    found = vmap(log_prob)(*stacked)
    for i in range(2):
        expected = log_prob(*[p[i] for p in stacked])
        np.testing.assert_allclose(found[i].numpy(), expected.numpy(), 1e-9, 1e-9)


def test_vmap_checks_all_elements_at_once() -> None:
    def log_prob(loc: Any, scale: Any) -> Any:
        return D.Normal(loc, scale).log_prob(wengert.tensor(0.0))

    with pytest.raises((ValueError, RuntimeError)):
        vmap(log_prob)(wengert.zeros(2), wengert.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match="to satisfy the constraint"):
        vmap(log_prob)(wengert.zeros(2, 3), -wengert.ones(2, 3))


def test_grad_checks_values() -> None:
    with pytest.raises(ValueError, match="within the support"):
        grad(lambda p: D.Bernoulli(p).log_prob(wengert.tensor(0.5)))(
            wengert.tensor(0.5)
        )


@pytest.mark.parametrize("name", ["normal", "gamma", "beta", "dirichlet", "student"])
def test_samples_of_tangents(name: str) -> None:
    """A tangent moves samples as the gradient says."""
    case = CASES[name]
    parameters = tensors(case)

    def sample(*parameters: Any) -> Any:
        wengert.manual_seed(0)
        return made(case, list(parameters)).rsample().square().sum()

    tangents = tuple([wengert.ones_like(p) for p in parameters])
    _, moved = jvp(sample, tuple(parameters), tangents)
    slopes = grad(sample, tuple(range(len(parameters))))(*parameters)
    assert moved.item() == pytest.approx(sum(s.sum().item() for s in slopes))


def test_samples_under_vmap_differ() -> None:
    def sample(concentration: Any) -> Any:
        return D.Gamma(concentration, 1.0).rsample((2,))

    samples = vmap(sample, randomness="different")(wengert.ones(3))
    assert len(set(samples.flatten().tolist())) == 6
    actions = vmap(lambda p: D.Categorical(p).sample(), randomness="different")(
        wengert.eye(3)
    )
    assert actions.tolist() == [0, 1, 2]


def test_no_second_derivative_of_gamma_samples() -> None:
    leaf = wengert.ones(2, requires_grad=True)
    for sample in (D.Gamma(leaf, 1.0).rsample(), D.Dirichlet(leaf).rsample()[0]):
        (slope,) = wengert.autograd.grad(sample.sum(), leaf, create_graph=True)
        with pytest.raises(NotImplementedError, match="derivative for '_"):
            slope.sum().backward()


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_policy_gradient_step_is_compiled(backend: str) -> None:
    weights = wengert.ones(4, 3) * wengert.arange(3)

    def step(observations: Any, actions: Any, rewards: Any, weights: Any) -> Any:
        policy = D.Categorical(logits=observations @ weights)
        loss = -(policy.log_prob(actions) * rewards).mean()
        loss = loss - 0.01 * policy.entropy().mean()
        return loss, wengert.autograd.grad(loss, [weights])[0]

    compiled = wengert.compile(step, backend=backend, fullgraph=True)
    leaf = weights.clone().requires_grad_()
    for seed in range(2):
        wengert.manual_seed(seed)
        batch = wengert.randn(5, 4), wengert.randint(0, 3, (5,)), wengert.randn(5)
        for one, other in zip(compiled(*batch, leaf), step(*batch, leaf), strict=True):
            np.testing.assert_allclose(
                one.detach().numpy(), other.detach().numpy(), 1e-5, 1e-6
            )


def test_variational_loss_is_compiled() -> None:
    def loss(loc: Any, scale: Any) -> Any:
        posterior, prior = D.Normal(loc, scale.exp()), D.Normal(0.0, 1.0)
        return D.kl_divergence(posterior, prior).sum()

    compiled = wengert.compile(loss, backend="numpy", fullgraph=True)
    loc, scale = wengert.randn(3), wengert.randn(3)
    for _ in range(2):
        assert compiled(loc, scale).item() == pytest.approx(loss(loc, scale).item())


def test_an_agent_learns_as_with_pytorch() -> None:
    """REINFORCE on three arms: the same actions, the same weights."""

    def learnt(torch: Any) -> Any:
        torch.manual_seed(0)
        logits = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.Adam([logits], lr=0.1)
        for _ in range(50):
            policy = torch.distributions.Categorical(logits=logits)
            action = policy.sample((8,))
            loss = -(policy.log_prob(action) * action.float()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return logits.detach().numpy()

    np.testing.assert_allclose(learnt(wengert), learnt(torch), 1e-4, 1e-4)


@pytest.mark.parametrize("name", ["Categorical", "Gamma", "Dirichlet", "Poisson"])
def test_samples_of_unknown_parameters_are_not_compiled(name: str) -> None:
    def sample(parameter: Any) -> Any:
        more = [1.0] if name == "Gamma" else []
        return getattr(D, name)(parameter, *more).sample()

    compiled = wengert.compile(sample, backend="numpy")
    with pytest.warns(UserWarning, match="the value of a tensor is asked for"):
        compiled(wengert.ones(3))
    wengert.manual_seed(0)
    found = compiled(wengert.ones(3))
    wengert.manual_seed(0)
    assert found.tolist() == sample(wengert.ones(3)).tolist()


def test_what_is_computed_while_captured_is_not_kept() -> None:
    coin = D.Bernoulli(logits=wengert.zeros(2))
    normal = D.MultivariateNormal(wengert.zeros(2), wengert.eye(2))

    def f(x: Any) -> Any:
        return x * coin.probs + coin.entropy() + normal.scale_tril.sum()

    compiled = wengert.compile(f, backend="numpy", fullgraph=True)
    found = compiled(wengert.ones(2))
    assert coin.probs.tolist() == [0.5, 0.5]
    assert found.tolist() == pytest.approx(f(wengert.ones(2)).tolist())
