"""The Kullback-Leibler divergence of two distributions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from ..tensor import Tensor
from .distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Divergence = Callable[[Any, Any], Tensor]

registered: dict[tuple[type, type], Divergence] = {}
"""The divergences by the two types."""


def register_kl(type_p: Any, type_q: Any) -> Callable[[Divergence], Divergence]:
    """Have the decorated function compute `kl_divergence` for two types.

    It is for their subclasses, too, unless there is one for these.

    >>> import wengert as torch
    >>> class Mine(torch.distributions.Normal):
    ...     pass
    >>> @torch.distributions.register_kl(Mine, Mine)
    ... def divergence(p, q):
    ...     return torch.tensor(7.0)
    >>> mine = Mine(0.0, 1.0)
    >>> torch.distributions.kl_divergence(mine, mine)
    tensor(7.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected a subclass of Distribution but got {kind}")

    def register(divergence: Divergence) -> Divergence:
        registered[type_p, type_q] = divergence
        divergence_for.cache_clear()
        return divergence

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return KL(p‖q), the expected log p(x) - log q(x) of events x of p.

    Args:
        p, q: batches of distributions.

    Raises:
        NotImplementedError: no formula is known for such distributions.

    >>> import wengert as torch
    >>> from wengert.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(torch.tensor([0.0, 1.0]), 1.0))
    tensor([0.0000, 0.5000])
    """
    types: Any = type(p), type(q)
    divergence = divergence_for(*types)
    if divergence is None:
        raise NotImplementedError(
            "No KL(p || q) is implemented for p type "
            f"{type(p).__name__} and q type {type(q).__name__}"
        )
    return divergence(p, q)


@cache
def divergence_for(type_p: type, type_q: type) -> Divergence | None:
    """Return the divergence that was registered for the nearest types."""
    pairs = [
        pair
        for pair in registered
        if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])
    ]
    if not pairs:
        return None
    by_p = min(pairs, key=lambda pair: nearness(pair, type_p, type_q))
    by_q = min(pairs, key=lambda pair: nearness(pair[::-1], type_q, type_p))
    if registered[by_p] is not registered[by_q]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({by_p[0].__name__}, {by_q[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return registered[by_p]


def nearness(pair: tuple[type, ...], *types: type) -> tuple[int, ...]:
    """How far above these types those of a pair are, the first one first."""
    return tuple(
        [kind.__mro__.index(base) for base, kind in zip(pair, types, strict=True)]
    )
