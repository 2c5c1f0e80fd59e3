"""Divergences between families, and how they are found."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from .cases import described, same

# Of two families, each made of parameters a and b, both positive.
FAMILIES = {
    "Bernoulli": "D.Bernoulli(probs=a / 4)",
    "Beta": "D.Beta(a, b)",
    "Binomial": "D.Binomial(3, probs=a / 4)",
    "Categorical": "D.Categorical(torch.stack([a, b], -1))",
    "Cauchy": "D.Cauchy(a, b)",
    "Dirichlet": "D.Dirichlet(torch.stack([a, b], -1))",
    "Exponential": "D.Exponential(a)",
    "Gamma": "D.Gamma(a, b)",
    "Geometric": "D.Geometric(probs=a / 4)",
    "Gumbel": "D.Gumbel(a, b)",
    "HalfNormal": "D.HalfNormal(a)",
    "Laplace": "D.Laplace(a, b)",
    "LogNormal": "D.LogNormal(a, b)",
    "Normal": "D.Normal(a, b)",
    "Poisson": "D.Poisson(a)",
    "StudentT": "D.StudentT(a)",
    "Uniform": "D.Uniform(a / 8, a / 8 + b / 8)",
    "UniformFurther": "D.Uniform(-a, b)",
}
PAIRS = [(p, q) for p in FAMILIES for q in FAMILIES]


def divergence(library: str, p: str, q: str) -> Any:
    torch = importlib.import_module(library)
    names: dict[str, Any] = {"torch": torch, "D": torch.distributions}
    of_p = numbers(torch, [0.5, 1.5], [1.0, 2.5])
    of_q = numbers(torch, [1.0, 2.0], [2.0, 1.5])
    first = eval(FAMILIES[p], names | of_p)
    second = eval(FAMILIES[q], names | of_q)
    try:
        result = torch.distributions.kl_divergence(first, second)
    except NotImplementedError:
        return "there is no formula"
    return described(result, [*of_p.values(), *of_q.values()], torch)


def numbers(torch: Any, a: list[float], b: list[float]) -> dict[str, Any]:
    return {
        "a": torch.tensor(a, dtype=torch.float64, requires_grad=True),
        "b": torch.tensor(b, dtype=torch.float64, requires_grad=True),
    }


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_all_pairs(p: str, q: str) -> None:
    same(divergence("wengert", p, q), divergence("torch", p, q), 1e-6)
