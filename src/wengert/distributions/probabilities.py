"""Distributions that are given by probabilities, or by their logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits


class OfProbabilities(Distribution):
    """A distribution with ``probs``, or ``logits``; the other is computed if wanted."""

    _parameters: ClassVar[tuple[str, ...]] = ("probs", "logits")
    _binary: ClassVar[bool] = True
    """Whether a probability is of one of two values, and not each value has one."""

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, self._binary)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities, or of the odds if they are of two."""
        return probs_to_logits(self.probs, self._binary)

    @property
    def _param(self) -> Tensor:
        """What was given."""
        return vars(self)["probs" if "probs" in vars(self) else "logits"]

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._param.size()

    def _take(self, probs: Any, logits: Any) -> None:
        """Keep what is given."""
        name, value = named_one(probs=probs, logits=logits)
        setattr(self, name, broadcast_all(value)[0])

    def _take_with_count(self, total_count: Any, probs: Any, logits: Any) -> None:
        """Keep what is given, and a number of trials for each."""
        name, value = named_one(probs=probs, logits=logits)
        count, value = broadcast_all(total_count, value)
        setattr(self, name, value)
        self.total_count: Tensor = count.type_as(value)


class OfVectors(OfProbabilities):
    """The same, with a vector of probabilities, one for each value."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    _binary = False

    def _take(self, probs: Any, logits: Any) -> None:
        name, value = named_one(probs=probs, logits=logits)
        if value.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        setattr(self, name, NORMALIZED[name](value))


NORMALIZED: dict[str, Callable[[Tensor], Tensor]] = {
    "probs": lambda probs: probs / probs.sum(-1, keepdim=True),
    "logits": lambda logits: logits - logits.logsumexp(-1, keepdim=True),
}


def named_one(**parameters: Any) -> tuple[str, Any]:
    """Return the one of the parameters that is given, after its name."""
    given = [(name, p) for name, p in parameters.items() if p is not None]
    if len(given) != 1:
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return given[0]
