"""What distributions refuse, with PyTorch's words, and what subclasses can do."""

from __future__ import annotations

import copy
import importlib
import pickle
from typing import Any

import pytest

import wengert
from wengert import distributions as D

pytestmark = pytest.mark.filterwarnings("ignore")

# Of D, torch and t, which makes tensors.
REFUSED = """
D.Normal(t([0.0, 1.0]), t([1.0, -1.0]))
D.Normal(0.0, -1.0)
D.Normal(0, t(-1.0, requires_grad=True))
D.Normal(t(float('nan')), 1.0)
D.Normal('a', 1)
D.Normal(0.0, 1.0).log_prob(1.0)
D.Normal(t([0.0, 1.0]), 1.0).log_prob(torch.zeros(3))
D.Normal(t([0.0, 1.0]), 1.0).expand((3, 3))
D.Normal(0.0, 1.0).enumerate_support()
D.Normal(t(1), t(2)).sample()
D.Bernoulli(t(1.5))
D.Bernoulli()
D.Bernoulli(probs=0.5, logits=0.2)
D.Bernoulli('a')
D.Bernoulli(t(0.5)).rsample()
D.Categorical()
D.Categorical(t([1.0]), t([1.0]))
D.Categorical(t(1.0))
D.Categorical(logits=t(1.0))
D.Categorical(t([-1.0, 1.0]))
D.Categorical(logits=t([float('nan'), 1.0]))
D.Categorical(t([1.0, 1.0])).log_prob(t(3))
D.Categorical(t([1.0, 1.0])).log_prob(t([0.5]))
D.Categorical(t([1.0, 1.0])).cdf(t([0.5]))
D.Uniform(1.0, 0.0)
D.Uniform(t([0.0, 2.0]), 1.0)
D.Uniform(0.0, 1.0).cdf(t(2.0))
D.Independent(D.Normal(torch.zeros(2, 3), 1.0), 3)
D.Independent(D.Bernoulli(torch.zeros(2, 3)), 1).enumerate_support()
D.TransformedDistribution(D.Normal(0.0, 1.0), [1])
D.TransformedDistribution(D.Normal(0.0, 1.0), 1)
D.TransformedDistribution(D.Normal(0.0, 1.0), D.AffineTransform(0.0, 1.0, event_dim=1))
D.TransformedDistribution(D.Normal(0.0, 1.0), D.ExpTransform()).mean
D.TransformedDistribution(D.Normal(0.0, 1.0), D.ExpTransform()).log_prob(t(-1.0))
D.LogNormal(0.0, -1.0)
D.HalfNormal(-1.0)
D.HalfCauchy(-1.0)
D.NegativeBinomial(-1.0, t(0.5))
D.NegativeBinomial(1.0, t(1.0))
D.NegativeBinomial(1.0)
D.Gumbel(0.0, -1.0)
D.Laplace(0.0, 0.0)
D.Cauchy(0.0, -1.0)
D.StudentT(1.0, 0.0, -1.0)
D.Exponential(-1.0)
D.Gamma(1.0, -1.0)
D.Chi2(-1.0)
D.Beta(1.0, -1.0)
D.Dirichlet(t(1.0))
D.Dirichlet(t([1.0, -1.0]))
D.Dirichlet(t([1.0, 1.0])).log_prob(t([1.0, 1.0]))
D.Poisson(-1.0)
D.Poisson(1.0).entropy()
D.Geometric(t([0.5, 0.0]))
D.Geometric()
D.Binomial(-1, t(0.5))
D.Binomial(t([3.0, 2.0]), t(0.5)).entropy()
D.Binomial(t([3.0, 2.0]), t(0.5)).enumerate_support()
D.Binomial(2, t(0.5), t(0.5))
D.Multinomial(t(3), t([0.5, 0.5]))
D.Multinomial(3, t([0.5, 0.5])).mode
D.OneHotCategorical(t([0.5, 0.5])).log_prob(t([0.5, 0.5]))
D.MultivariateNormal(t([0.0, 0.0]), -torch.eye(2))
D.MultivariateNormal(t([0.0, 0.0]))
D.MultivariateNormal(t(0.0), torch.eye(2))
D.MultivariateNormal(t([0.0, 0.0]), torch.ones(2))
D.MultivariateNormal(t([0.0, 0.0]), scale_tril=torch.ones(2))
D.MultivariateNormal(t([0.0, 0.0]), precision_matrix=torch.ones(2))
D.MultivariateNormal(t([0.0, 0.0]), scale_tril=torch.ones(2, 2))
D.MultivariateNormal(t([0.0, 0.0]), torch.eye(2)).log_prob(torch.ones(3))
D.kl_divergence(D.Normal(0.0, 1.0), D.Categorical(t([1.0, 1.0])))
D.kl_divergence(D.Binomial(2, t(0.5)), D.Binomial(3, t(0.5)))
D.Distribution.set_default_validate_args(3)
D.Distribution(validate_args=False).log_prob(t(1.0))
D.Distribution(validate_args=False).mean
D.Distribution(validate_args=False).mode
D.Distribution(validate_args=False).support
D.Distribution(validate_args=False).sample()
D.Distribution(validate_args=False).expand((2,))
""".strip().splitlines()

ACCEPTED = """
D.Normal(0, 1).loc
D.Normal(0, 1).sample().dtype
D.Normal(0.0, -1.0, validate_args=False)
D.Categorical(t([0.0, 1.0])).entropy() * 0
D.Categorical(logits=t([float('-inf'), 1.0])).entropy()
D.Bernoulli(t([0.0, 1.0])).log_prob(torch.ones(2))
D.Bernoulli(0.3).sample().shape
D.Bernoulli(t([0.5, 0.2])).mode
D.Beta(1.0, 1.0).mode
D.Beta(t([1.0, 0.5, 0.3]), t([1.0, 0.5, 0.6])).mode
D.Dirichlet(t([[0.4, 0.5], [1.0, 0.5]])).mode
D.Poisson(0.0).log_prob(t([0.0, 1.0]))
D.Binomial(3, t([0.5, 1.0, 0.0])).mode
D.Geometric(1.0).log_prob(t([0.0, 1.0]))
D.Geometric(1.0).sample()
D.Multinomial(2, t([1.0, 0.0])).log_prob(t([2.0, 0.0]))
D.NegativeBinomial(0.0, t(0.5)).log_prob(t([0.0, 1.0])).exp()
D.Uniform(0.0, 1.0).log_prob(t(1.0))
D.Uniform(0.0, 1.0, validate_args=False).cdf(t([-1.0, 2.0]))
D.Exponential(1.0).icdf(t(1.5))
D.Laplace(0.0, 1.0).icdf(t([0.0, 1.0, 0.5]))
D.HalfNormal(1.0, validate_args=False).log_prob(t(-1.0))
D.kl_divergence(D.Bernoulli(t([0.0, 0.5, 1.0])), D.Bernoulli(t([0.5, 0.0, 1.0])))
D.kl_divergence(D.Categorical(t([0.0, 0.5, 1.0])), D.Categorical(t([0.5, 0.0, 1.0])))
D.kl_divergence(D.Categorical(t([0.5, 1.0])), D.Categorical(torch.ones(2, 2)))
D.kl_divergence(D.Binomial(3, t(0.5)), D.Binomial(2, t(0.5)))
D.kl_divergence(D.LogNormal(0.0, 1.0), D.LogNormal(1.0, 1.0))
D.Normal(0.0, 1.0).sample_n(3).shape
D.Chi2(t([1.0, 2.0])).expand((3, 2)).df
D.utils.broadcast_all(t([1.0]), 2.0)
D.utils.probs_to_logits(t([0.0, 0.5, 1.0]))
D.utils.probs_to_logits(t([0.0, 0.5, 1.0]), is_binary=True)
D.utils.logits_to_probs(t([0.0, 0.5, 1.0]), True)
D.utils.clamp_probs(t([0.0, 0.5, 1.0]))
""".strip().splitlines()


def names_of(library: str) -> dict[str, Any]:
    torch = importlib.import_module(library)
    return {"torch": torch, "D": torch.distributions, "t": torch.tensor}


def refusal(library: str, text: str) -> tuple[str, str]:
    with pytest.raises(Exception) as caught:
        eval(text, names_of(library))
    return type(caught.value).__name__, str(caught.value).replace(library, "torch")


@pytest.mark.parametrize("text", REFUSED)
def test_refused_as_by_pytorch(text: str) -> None:
    assert refusal("wengert", text) == refusal("torch", text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted_as_by_pytorch(text: str) -> None:
    found, expected = (
        str(eval(text, names_of(library))) for library in ("wengert", "torch")
    )
    assert found.replace("wengert", "torch") == expected


def test_checks_can_be_switched_off() -> None:
    try:
        D.Distribution.set_default_validate_args(False)
        assert repr(D.Normal(0.0, -1.0)) == "Normal(loc: 0.0, scale: -1.0)"
        with pytest.raises(ValueError, match="to satisfy the constraint"):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)


class Standard(D.Normal):
    """A subclass with parameters of its own."""

    def __init__(self, size: int) -> None:
        super().__init__(wengert.zeros(size), 1.0)


def test_subclasses_say_how_they_expand() -> None:
    with pytest.raises(NotImplementedError, match=r"^Subclass Standard of Normal that"):
        Standard(2).expand((3, 2))


def test_subclasses_of_one_init_expand() -> None:
    class Named(D.Normal):
        pass

    assert repr(Named(0.0, 1.0).expand((2,))) == (
        "Named(loc: torch.Size([2]), scale: torch.Size([2]))"
    )


def test_a_user_can_write_a_distribution() -> None:
    class Constant(D.Distribution):
        arg_constraints = {}  # noqa: RUF012

        def log_prob(self, value: Any) -> Any:
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `support`"):
        Constant().log_prob(wengert.ones(1))
    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        D.Distribution()
    with pytest.warns(FutureWarning, match="sample_n"):
        D.Normal(0.0, 1.0).sample_n(2)


def test_the_nearest_divergence_is_taken() -> None:
    class Mine(D.Normal):
        pass

    mine = Mine(0.0, 1.0)
    assert D.kl_divergence(mine, D.Normal(0.0, 1.0)).item() == 0

    @D.register_kl(Mine, D.Distribution)
    def divergence(p: Any, q: Any) -> Any:
        return wengert.tensor(6.0)

    with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Mine, Normal\)"):
        assert D.kl_divergence(mine, D.Normal(0.0, 1.0)).item() == 6
    with pytest.raises(TypeError, match="Expected a subclass of Distribution"):
        D.register_kl(int, D.Normal)


def test_copies_and_pickles() -> None:
    normal = D.Normal(wengert.zeros(2), 1.0)
    for other in (copy.copy(normal), pickle.loads(pickle.dumps(normal))):
        assert repr(other) == repr(normal)
        assert other.log_prob(wengert.zeros(2)).tolist() == (
            normal.log_prob(wengert.zeros(2)).tolist()
        )


def test_a_subclass_that_says_how_it_expands() -> None:
    class Expanding(Standard):
        def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
            new = self._get_checked_instance(Expanding, _instance)
            return super().expand(batch_shape, _instance=new)

    expanded = Expanding(2).expand((3, 2))
    assert type(expanded) is Expanding
    assert expanded.sample().shape == (3, 2)
