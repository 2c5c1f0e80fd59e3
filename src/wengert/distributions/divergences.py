"""The divergences that have a formula.

Within a family it is written so that nothing cancels. Between two families it is
KL(p‖q) = E[-log q(x)] - H(p) for events x of p: how surprising these are to q, less how
surprising they are to p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np

from ..ops.activation import softplus
from ..ops.creation import full
from ..ops.solving import solve_triangular
from ..ops.special import xlogy
from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .kl import Divergence, kl_divergence, register_kl
from .laplace import Laplace
from .multivariate_normal import (
    MultivariateNormal,
    log_determinant,
    squared_distance,
)
from .normal import LOG_ROOT_2_PI, ROOT_2, Normal
from .one_hot_categorical import OneHotCategorical
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import summed_right

EULER = np.euler_gamma

# --- within a family: events that can be counted --------------------------------------


def of_event(p: Tensor, q: Tensor, log_ratio: Tensor) -> Tensor:
    """Return what an event adds: p log(p/q), by its two probabilities."""
    term = (p * log_ratio).masked_fill(q == 0, math.inf)
    return term.masked_fill(p == 0, 0)


@register_kl(Bernoulli, Bernoulli)
def bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    success = softplus(-q.logits) - softplus(-p.logits)
    failure = softplus(q.logits) - softplus(p.logits)
    one = of_event(p.probs, q.probs, success)
    return one + of_event(1 - p.probs, 1 - q.probs, failure)


@register_kl(Categorical, Categorical)
def categorical(p: Categorical, q: Categorical) -> Tensor:
    return of_event(p.probs, q.probs, p.logits - q.logits).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return kl_divergence(p._categorical, q._categorical)


@register_kl(Binomial, Binomial)
def binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not "
            "implemented"
        )
    failure = (-p.probs).log1p() - (-q.probs).log1p()
    each = p.probs * (p.logits - q.logits) + failure
    possible = p.total_count * each
    return possible.masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Geometric, Geometric)
def geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


# --- within a family: numbers ---------------------------------------------------------


@register_kl(Normal, Normal)
def normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    distance = ((p.loc - q.loc) / q.scale).square()
    return (ratio + distance - 1 - ratio.log()) * 0.5


@register_kl(Uniform, Uniform)
def uniform(p: Uniform, q: Uniform) -> Tensor:
    value = ((q.high - q.low) / (p.high - p.low)).log()
    return value.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(Exponential, Exponential)
def exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Laplace, Laplace)
def laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    near = ratio * (-distance / p.scale).exp()
    return distance / q.scale + near - ratio.log() - 1


@register_kl(Cauchy, Cauchy)
def cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    apart = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(Gumbel, Gumbel)
def gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc) / q.scale
    tail = ((1 + ratio).lgamma() - distance).exp()
    return distance - ratio.log() + ratio * EULER + tail - (1 + EULER)


@register_kl(Gamma, Gamma)
def gamma(p: Gamma, q: Gamma) -> Tensor:
    shape, other = p.concentration, q.concentration
    shapes = other.lgamma() - shape.lgamma() + (shape - other) * shape.digamma()
    rates = other * (p.rate / q.rate).log() + (q.rate - p.rate) * (shape / p.rate)
    return shapes + rates


@register_kl(Dirichlet, Dirichlet)
def dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    total = p.concentration.sum(-1, keepdim=True)
    mean_log = p.concentration.digamma() - total.digamma()
    moved = ((p.concentration - q.concentration) * mean_log).sum(-1)
    return q._log_beta() - p._log_beta() + moved


@register_kl(Beta, Beta)
def beta(p: Beta, q: Beta) -> Tensor:
    return kl_divergence(p._dirichlet, q._dirichlet)


@register_kl(HalfNormal, HalfNormal)
def half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


# --- within a family: vectors, and what is made of other distributions ----------------


@register_kl(MultivariateNormal, MultivariateNormal)
def multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event "
            "shapes cannot be computed"
        )
    factor, other = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    volume = log_determinant(other) - log_determinant(factor)
    ratio = solve_triangular(other, factor, upper=False).pow(2).sum((-2, -1))
    distance = squared_distance(other, q.loc - p.loc)
    return volume + (ratio + distance - p.event_shape[0]) * 0.5


@register_kl(Independent, Independent)
def independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    each = kl_divergence(p.base_dist, q.base_dist)
    return summed_right(each, p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


# --- between families -----------------------------------------------------------------


def surprise(of: type, *kinds: type) -> Callable[[Divergence], Divergence]:
    """Have E[-log q(x)] make the divergences of several families from q's."""

    def register(expected: Divergence) -> Divergence:
        def divergence(p: Any, q: Any) -> Tensor:
            value, impossible = expected(p, q) - p.entropy(), reaches_out(p, q)
            if impossible is False:
                return value
            return value.masked_fill(impossible, math.inf)

        for kind in kinds:
            register_kl(kind, of)(divergence)
        return expected

    return register


def reaches_out(p: Distribution, q: Distribution) -> Any:
    """Whether p has events outside of q's support."""
    low, high = bounds(p)
    least, most = bounds(q)
    return (low < least) | (high > most)


def bounds(distribution: Distribution) -> tuple[Any, Any]:
    support = distribution.support
    low = getattr(support, "lower_bound", -math.inf)
    return low, getattr(support, "upper_bound", math.inf)


@surprise(Normal, Beta, Exponential, Gamma, Gumbel, Laplace, Uniform)
def to_normal(p: Distribution, q: Normal) -> Tensor:
    square = p.variance + (p.mean - q.loc).square()
    return square / (2 * q.scale.square()) + q.scale.log() + LOG_ROOT_2_PI


@surprise(Exponential, Beta, Gamma, Uniform)
def to_exponential(p: Distribution, q: Exponential) -> Tensor:
    return q.rate * p.mean - q.rate.log()


@surprise(Gamma, Beta, Exponential, Uniform)
def to_gamma(p: Distribution, q: Gamma) -> Tensor:
    shape = q.concentration
    constant = shape.lgamma() - shape * q.rate.log()
    return constant - (shape - 1) * mean_log(p) + q.rate * p.mean


@surprise(Beta, Uniform)
def to_beta(p: Uniform, q: Beta) -> Tensor:
    rest = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    logs = (q.concentration1 - 1) * mean_log(p) + (q.concentration0 - 1) * mean_log(
        rest
    )
    return q._dirichlet._log_beta() - logs


@surprise(Gumbel, Exponential, Gamma, Normal, Uniform)
def to_gumbel(p: Distribution, q: Gumbel) -> Tensor:
    rate = 1 / q.scale
    tail = (q.loc * rate).exp() * mean_decay(p, rate)
    return q.scale.log() + (p.mean - q.loc) * rate + tail


@surprise(Laplace, Normal)
def to_laplace(p: Normal, q: Laplace) -> Tensor:
    distance = p.loc - q.loc
    units = distance / (ROOT_2 * p.scale)
    spread = p.scale * math.sqrt(2 / math.pi) * (-units.square()).exp()
    return (distance * units.erf() + spread) / q.scale + (2 * q.scale).log()


@surprise(Uniform, Beta)
def to_uniform(p: Beta, q: Uniform) -> Tensor:
    return (q.high - q.low).log()


@register_kl(Bernoulli, Poisson)
def to_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return q.rate - xlogy(p.probs, q.rate) - p.entropy()


@singledispatch
def mean_log(p: Any) -> Tensor:
    """Return the mean of log x."""
    raise NotImplementedError


@mean_log.register
def _(p: Exponential) -> Tensor:
    return -EULER - p.rate.log()


@mean_log.register
def _(p: Beta) -> Tensor:
    total = p.concentration1 + p.concentration0
    return p.concentration1.digamma() - total.digamma()


@mean_log.register
def _(p: Uniform) -> Tensor:
    return (xlogy(p.high, p.high) - xlogy(p.low, p.low)) / (p.high - p.low) - 1


@singledispatch
def mean_decay(p: Any, rate: Tensor) -> Tensor:
    """Return the mean of exp(-rate x)."""
    raise NotImplementedError


@mean_decay.register
def _(p: Exponential, rate: Tensor) -> Tensor:
    return p.rate / (p.rate + rate)


@mean_decay.register
def _(p: Gamma, rate: Tensor) -> Tensor:
    return (1 + rate / p.rate).pow(-p.concentration)


@mean_decay.register
def _(p: Normal, rate: Tensor) -> Tensor:
    return (-p.loc * rate + (p.scale * rate).square() / 2).exp()


@mean_decay.register
def _(p: Uniform, rate: Tensor) -> Tensor:
    ends = (-rate * p.low).exp() - (-rate * p.high).exp()
    return ends / (rate * (p.high - p.low))


# --- where p has events that q cannot have --------------------------------------------


def infinite(p: Distribution, q: Distribution) -> Tensor:
    return full(p.batch_shape, math.inf, dtype=p.mean.dtype)


IMPOSSIBLE = {
    Exponential: (Beta, Uniform),
    Gamma: (Beta, Uniform),
    Gumbel: (Beta, Exponential, Gamma, Uniform),
    Laplace: (Beta, Exponential, Gamma, Uniform),
    Normal: (Beta, Exponential, Gamma, Uniform),
    Poisson: (Bernoulli, Binomial),
}
for _p, _others in IMPOSSIBLE.items():
    for _q in _others:
        register_kl(_p, _q)(infinite)
