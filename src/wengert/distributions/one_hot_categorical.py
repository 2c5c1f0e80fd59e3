"""One of several events, as a vector with a single 1."""

from __future__ import annotations

from typing import Any, ClassVar

from ..dtypes import Size
from ..ops.creation import eye
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution, Shape
from .probabilities import OfVectors

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OverCategorical(Distribution):
    """A distribution of vectors that is made of a `Categorical`."""

    arg_constraints: ClassVar[Any] = OfVectors.arg_constraints

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._to_expand(_instance)
        vars(new).update(vars(self))
        new._categorical = self._categorical.expand(batch_shape)
        new._batch_shape = new._categorical.batch_shape
        return new

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._categorical.param_shape

    def _one_hot(self, index: Tensor) -> Tensor:
        """Return vectors with a 1 at an index."""
        return eye(self.param_shape[-1], dtype=self._categorical._param.dtype)[index]


class OneHotCategorical(OverCategorical):
    """A vector with one 1 in a random place, and zeros.

    Args:
        probs: the probabilities of the places, up to a factor.
        logits: their logarithms up to a constant, in place of them.

    >>> import wengert as torch
    >>> places = torch.distributions.OneHotCategorical(torch.tensor([1.0, 3.0]))
    >>> places.mean, places.mode
    (tensor([0.2500, 0.7500]), tensor([0., 1.]))
    >>> places.log_prob(torch.eye(2)).exp()
    tensor([0.2500, 0.7500])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._over_batch(
            eye(self.param_shape[-1], dtype=self._categorical._param.dtype), expand
        )


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """The same, where samples have the gradient of the probabilities.

    That gradient is biased (Bengio, Léonard and Courville, 2013).

    >>> import wengert as torch
    >>> logits = torch.zeros(2, requires_grad=True)
    >>> places = torch.distributions.OneHotCategoricalStraightThrough(logits=logits)
    >>> places.rsample().sum().item()
    1.0
    """

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
