"""The distributions under test, and how the results of two libraries are compared."""

from __future__ import annotations

import copy
import importlib
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A distribution to make: expressions of ``D``, ``torch`` and named parameters."""

    make: str
    parameters: dict[str, list[Any]]
    value: list[Any]
    """Events, in the shape of samples."""
    outside: list[Any] | None = None
    """What is no event."""
    rtol: float = 1e-6
    """How near gradients of samples have to be."""


LOC, SCALE = [0.5, -1.0, 2.0], [1.0, 0.5, 2.0]
PROBS = [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]
NORMAL_VALUES = [[0.3, 1.0, -2.0], [0.0, -1.0, 4.0]]
LOC_SCALE = {"loc": LOC, "scale": SCALE}
COVARIANCE = [[2.0, 0.5], [0.5, 1.0]]
NAN = float("nan")

CASES = {
    "bernoulli_probs": Case(
        "D.Bernoulli(probs)", {"probs": [0.2, 0.5, 0.9]}, [[0, 1, 1]], [[0.5, 1, 0]]
    ),
    "bernoulli_logits": Case(
        "D.Bernoulli(logits=logits)", {"logits": [[-1.0], [2.0]]}, [[1], [0]], [[2]]
    ),
    "categorical_probs": Case(
        "D.Categorical(probs)", {"probs": PROBS}, [[2, 0], [1, 1]], [[3, 0]]
    ),
    "categorical_logits": Case(
        "D.Categorical(logits=logits)", {"logits": [1.0, -1.0, 0.5]}, [2, 0], [1.5]
    ),
    "normal": Case("D.Normal(loc, scale)", LOC_SCALE, NORMAL_VALUES, [NAN, 0, 0]),
    "normal_of_number": Case("D.Normal(loc, 2.0)", {"loc": LOC}, NORMAL_VALUES),
    "normal_broadcast": Case(
        "D.Normal(loc, scale)", {"loc": LOC, "scale": [[1.0], [2.0]]}, NORMAL_VALUES
    ),
    "uniform": Case(
        "D.Uniform(low, high)",
        {"low": [0.0, -1.0], "high": [1.0, 3.0]},
        [[0.5, 2.5], [0.0, -1.0]],
        [[2.0, 0.0]],
    ),
    "independent": Case(
        "D.Independent(D.Normal(loc, scale), 1)", LOC_SCALE, NORMAL_VALUES, [NAN, 0, 0]
    ),
    "independent_bernoulli": Case(
        "D.Independent(D.Bernoulli(probs), 2)",
        {"probs": PROBS},
        [[[0, 1, 1], [1, 1, 0]]],
    ),
    "independent_of_none": Case(
        "D.Independent(D.Bernoulli(probs), 0)",
        {"probs": PROBS},
        [[[0, 1, 1], [1, 1, 0]]],
    ),
    "one_hot_probs": Case(
        "D.OneHotCategorical(probs)",
        {"probs": PROBS},
        [[[0, 1, 0], [0, 0, 1]]],
        [[1, 1, 0]],
    ),
    "one_hot_logits": Case(
        "D.OneHotCategorical(logits=logits)",
        {"logits": [1.0, -1.0, 0.5]},
        [[0, 1, 0], [1, 0, 0]],
    ),
    "straight_through": Case(
        "D.OneHotCategoricalStraightThrough(logits=logits)",
        {"logits": [1.0, -1.0, 0.5]},
        [[0, 1, 0], [1, 0, 0]],
    ),
    "exponential": Case(
        "D.Exponential(rate)", {"rate": [0.5, 2.0]}, [[0.0, 1.0], [0.3, 4.0]], [-1.0]
    ),
    "laplace": Case("D.Laplace(loc, scale)", LOC_SCALE, NORMAL_VALUES),
    "cauchy": Case("D.Cauchy(loc, scale)", LOC_SCALE, NORMAL_VALUES),
    "gumbel": Case("D.Gumbel(loc, scale)", LOC_SCALE, NORMAL_VALUES),
    "log_normal": Case(
        "D.LogNormal(loc, scale)", LOC_SCALE, [[0.3, 1.0, 2.0], [2.0, 0.1, 4.0]], [-1.0]
    ),
    "half_normal": Case(
        "D.HalfNormal(scale)",
        {"scale": SCALE},
        [[0.3, 1.0, 2.0], [2.0, 0.1, 4.0]],
        [-1.0],
    ),
    "half_cauchy": Case(
        "D.HalfCauchy(scale)",
        {"scale": SCALE},
        [[0.3, 1.0, 2.0], [2.0, 0.1, 4.0]],
        [-1.0],
    ),
    "negative_binomial_probs": Case(
        "D.NegativeBinomial(count, probs)",
        {"count": [0.5, 2.0, 9.0], "probs": [0.2, 0.5, 0.9]},
        [[0, 1, 7]],
        [0.5],
    ),
    "negative_binomial_logits": Case(
        "D.NegativeBinomial(3, logits=logits)", {"logits": [-1.0, 2.0]}, [[0, 1]], [-1]
    ),
    "student": Case(
        "D.StudentT(df, loc, scale)",
        {"df": [0.7, 1.5, 5.0], **LOC_SCALE},
        NORMAL_VALUES,
        rtol=1e-3,
    ),
    "gamma": Case(
        "D.Gamma(concentration, rate)",
        {"concentration": [0.4, 1.5, 20.0], "rate": [1.0, 0.5, 3.0]},
        [[0.3, 1.0, 2.0], [2.0, 0.1, 4.0]],
        [-1.0],
        rtol=1e-3,
    ),
    "chi2": Case("D.Chi2(df)", {"df": [0.7, 3.0]}, [[0.3, 1.0]], [-1.0], rtol=1e-3),
    "beta": Case(
        "D.Beta(a, b)",
        {"a": [0.4, 1.5, 20.0], "b": [1.0, 0.5, 3.0]},
        [[0.3, 0.7, 0.1], [0.2, 0.1, 0.9]],
        [-1.0],
        rtol=1e-3,
    ),
    "dirichlet": Case(
        "D.Dirichlet(c)",
        {"c": [[0.4, 1.5, 20.0], [0.5, 0.6, 0.7]]},
        [[[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]],
        [[1.0, 1.0, 1.0]],
        rtol=1e-3,
    ),
    "dirichlet_in_corners": Case(
        "D.Dirichlet(c)",
        {"c": [[0.01, 0.01, 5.0], [0.001, 0.001, 0.001]]},
        [[[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]],
        rtol=1e-3,
    ),
    "poisson": Case(
        "D.Poisson(rate)", {"rate": [0.5, 3.0, 20.0]}, [[0, 1, 20], [3, 2, 1]], [0.5]
    ),
    "geometric_probs": Case(
        "D.Geometric(probs)", {"probs": [0.2, 0.5, 0.9]}, [[0, 1, 3]], [-1]
    ),
    "geometric_logits": Case(
        "D.Geometric(logits=logits)", {"logits": [-1.0, 2.0]}, [[0, 1]], [0.5]
    ),
    "binomial_probs": Case(
        "D.Binomial(4, probs)", {"probs": [0.2, 0.5, 0.9]}, [[0, 1, 3]], [5]
    ),
    "binomial_logits": Case(
        "D.Binomial(torch.tensor([3.0, 40.0]), logits=logits)",
        {"logits": [-1.0, 2.0]},
        [[0, 1], [3, 30]],
    ),
    "multinomial_probs": Case(
        "D.Multinomial(4, probs)", {"probs": PROBS}, [[[0, 1, 3], [4, 0, 0]]], [5, 0, 0]
    ),
    "multinomial_logits": Case(
        "D.Multinomial(3, logits=logits)", {"logits": [1.0, -1.0, 0.5]}, [[0, 1, 2]]
    ),
    "multivariate_covariance": Case(
        "D.MultivariateNormal(loc, covariance)",
        {"loc": [[1.0, 2.0], [0.0, -1.0]], "covariance": COVARIANCE},
        [[[0.3, 1.0], [2.0, 0.1]]],
        [NAN, 0],
    ),
    "multivariate_precision": Case(
        "D.MultivariateNormal(loc, precision_matrix=precision)",
        {"loc": [1.0, 2.0], "precision": [COVARIANCE, [[1.0, 0.0], [0.0, 2.0]]]},
        [[[0.3, 1.0], [2.0, 0.1]]],
    ),
    "multivariate_factor": Case(
        "D.MultivariateNormal(loc, scale_tril=factor.tril())",
        {"loc": [1.0, 2.0], "factor": [[1.0, 0.0], [0.5, 2.0]]},
        [[0.3, 1.0], [2.0, 0.1]],
    ),
    "transformed": Case(
        "D.TransformedDistribution(D.Normal(loc, scale), ["
        "D.transforms.SigmoidTransform(), D.transforms.AffineTransform(scale, -2.0)])",
        LOC_SCALE,
        [[0.3, -0.5, 0.5], [-0.5, 0.1, 1.0]],
    ),
    "transformed_vectors": Case(
        "D.TransformedDistribution(D.Normal(loc, scale), ["
        "D.transforms.AffineTransform(torch.zeros(2, 1), 3.0, event_dim=1),"
        " D.transforms.TanhTransform()])",
        LOC_SCALE,
        [[0.3, -0.5, 0.5], [-0.5, 0.1, 0.9]],
        [[NAN, 0.1, 0.1]],
    ),
    "transformed_power": Case(
        "D.TransformedDistribution(D.Exponential(rate), ["
        "D.transforms.PowerTransform(torch.tensor(2.0, dtype=torch.float64)),"
        " D.transforms.SoftplusTransform().inv])",
        {"rate": [0.5, 2.0]},
        [[0.3, -0.5], [-0.5, 0.1]],
    ),
}

METHODS = {
    "batch_shape": "d.batch_shape",
    "event_shape": "d.event_shape",
    "repr": "repr(d)",
    "support": "repr(d.support)",
    "is_discrete": "d.support.is_discrete, d.support.event_dim",
    "arg_constraints": "repr(d.arg_constraints)",
    "has": "d.has_rsample, d.has_enumerate_support",
    "mean": "d.mean",
    "mode": "d.mode",
    "variance": "d.variance",
    "stddev": "d.stddev",
    "entropy": "d.entropy()",
    "perplexity": "d.perplexity()",
    "log_prob": "d.log_prob(value)",
    "log_prob_of_one": "d.log_prob(value[0])",
    "log_prob_unchecked": "remade(d).log_prob(value)",
    "cdf": "d.cdf(value)",
    "icdf": "d.icdf(torch.tensor(0.3, dtype=torch.float64))",
    "sample": "d.sample()",
    "samples": "d.sample((4, 2))",
    "rsample": "d.rsample()",
    "rsamples": "d.rsample((4, 2))",
    "enumerate_support": "d.enumerate_support()",
    "enumerate_support_once": "d.enumerate_support(expand=False)",
    "expand": "d.expand((2, *d.batch_shape))",
    "expand_mean": "d.expand((2, *d.batch_shape)).mean",
    "expand_log_prob": "d.expand((2, *d.batch_shape)).log_prob(value[:1])",
    "expand_samples": "d.expand((2, *d.batch_shape)).rsample((3,))",
    "kl": "D.kl_divergence(d, q)",
}


def remade(distribution: Any) -> Any:
    """The same distribution, which does not check samples any more."""
    new = copy.copy(distribution)
    new._validate_args = False
    return new


def outcome(library: str, case: Case, expression: str, dtype: str = "float64") -> Any:
    """Return what an expression gives, with its gradients, or the error."""
    torch = importlib.import_module(library)
    torch.manual_seed(3)
    names: dict[str, Any] = {"torch": torch, "D": torch.distributions}
    names["remade"] = remade
    parameters = {
        name: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=True)
        for name, value in case.parameters.items()
    }
    names["d"] = eval(case.make, names | parameters)
    others = {name: value * 1.05 for name, value in parameters.items()}
    names["q"] = eval(case.make, names | others)
    names["value"] = torch.tensor(case.value, dtype=getattr(torch, dtype))
    names["outside"] = torch.tensor(case.outside or 0.0, dtype=getattr(torch, dtype))
    try:
        return described(eval(expression, names), list(parameters.values()), torch)
    except (ValueError, NotImplementedError, RuntimeError) as error:
        return type(error).__name__, str(error).replace(library, "torch")


def described(result: Any, parameters: list[Any], torch: Any) -> Any:
    """Return a tensor's array, dtype and gradients by parameters; else the text."""
    if not isinstance(result, torch.Tensor):
        return repr(result)
    described = [result.detach().numpy(), str(result.dtype).removeprefix("torch.")]
    if result.requires_grad:
        weights = torch.arange(1, result.numel() + 1, dtype=result.dtype)
        loss = (result.reshape(-1) * weights).sum()
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        described += [grad if grad is None else grad.numpy() for grad in grads]
    return described


def same(found: Any, expected: Any, rtol: float) -> None:
    """Assert that two outcomes are equal, gradients as near as `rtol`."""
    if not isinstance(expected, list):
        assert found == expected
        return
    assert isinstance(found, list), found
    assert len(found) == len(expected), (found, expected)
    for position, (array, wanted) in enumerate(zip(found, expected, strict=True)):
        if not isinstance(wanted, np.ndarray):
            assert array == wanted or without_gradient(array, wanted)
            continue
        tolerance = rtol if position else 1e-5 if wanted.itemsize == 4 else 1e-7
        np.testing.assert_allclose(array, wanted, tolerance, tolerance)


def without_gradient(array: Any, wanted: Any) -> bool:
    """Whether PyTorch says None where a gradient is zero."""
    return wanted is None and isinstance(array, np.ndarray) and not array.any()
