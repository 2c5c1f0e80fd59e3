"""What all distributions have in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, ClassVar

from ..autograd import no_grad
from ..dtypes import Size
from ..tensor import Tensor
from . import validation

Shape = Iterable[int]


class Distribution:
    """A batch of probability distributions, whose samples are called events.

    Args:
        batch_shape: the shape of the batch: each element has parameters of its own.
        event_shape: the shape of one event.
        validate_args: whether parameters and samples are checked, by default they are.

    Attributes:
        arg_constraints: the constraint of each parameter.
        has_rsample: whether `rsample` has gradients.
        has_enumerate_support: whether `enumerate_support` is possible.

    >>> import wengert as torch
    >>> normal = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    >>> normal.batch_shape, normal.event_shape
    (torch.Size([2]), torch.Size([]))
    >>> normal.sample((3,)).shape
    torch.Size([3, 2])
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = __debug__
    _parameters: ClassVar[tuple[str, ...]] = ()
    """The names of the attributes that `expand` expands."""

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Say whether distributions check their arguments that are not told."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Shape = (),
        event_shape: Shape = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            validation.check_parameters(self)

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event of one of them."""
        return self._event_shape

    @property
    def arg_constraints(self) -> Any:
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint that samples satisfy."""
        raise NotImplementedError

    # --- statistics -------------------------------------------------------------------

    @property
    def mean(self) -> Tensor:
        """The expected event."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The event with the highest probability, or density."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation, the root of the variance."""
        return self.variance.sqrt()

    def entropy(self) -> Tensor:
        """The expected negative logarithm of the probability, or density."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """exp(entropy): how many events as likely as each other have this entropy."""
        return self.entropy().exp()

    # --- samples ----------------------------------------------------------------------

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Return random events, in the given shape for each distribution.

        They have no gradients.
        """
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Return random events as differentiable functions of the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Return n events for each distribution: the same as ``sample((n,))``."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.sample((n,))

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all events, along the first dimension.

        Args:
            expand: repeat them over the batch, in place of ones in its shape.
        """
        raise NotImplementedError

    def _over_batch(self, events: Tensor, expand: bool) -> Tensor:
        """Return events as `enumerate_support` has to."""
        ones = (1,) * len(self._batch_shape)
        events = events.reshape((-1, *ones, *self._event_shape))
        if not expand:
            return events
        return events.expand(-1, *self._batch_shape, *self._event_shape)

    # --- probabilities ----------------------------------------------------------------

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability, or density, of events."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of events that are not above a value."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """Return the event whose `cdf` is a value."""
        raise NotImplementedError

    # --- shapes -----------------------------------------------------------------------

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        """Return the distributions with their batch expanded to a shape.

        >>> import wengert as torch
        >>> torch.distributions.Normal(0.0, 1.0).expand((2, 3))
        Normal(loc: torch.Size([2, 3]), scale: torch.Size([2, 3]))
        """
        new = self._to_expand(_instance)
        for name, value in vars(self).items():
            if name in self._parameters:
                event = value.shape[value.dim() - self._event_dim(name) :]
                value = value.expand(*batch_shape, *event)
            setattr(new, name, value)
        new._batch_shape = Size(batch_shape)
        return new

    def _event_dim(self, parameter: str) -> int:
        """How many dimensions of a parameter belong to one distribution."""
        return self.arg_constraints[parameter].event_dim

    def _to_expand(self, instance: Any) -> Any:
        """Return the object for `expand` to fill."""
        family = next(kind for kind in type(self).__mro__ if belongs(kind))
        if family is Distribution:
            raise NotImplementedError
        return self._get_checked_instance(family, instance)

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        """Return an object for `expand` to fill: a new one, or the given one.

        A subclass of `cls` whose ``__init__`` is its own has to give one.
        """
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a "
                "custom __init__ method must also define a custom .expand() method."
            )
        return type(self).__new__(type(self))

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        """The shape of samples."""
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Tensor) -> None:
        """Raise a ValueError if these are no samples."""
        validation.check_sample(self, value)

    def _expanded(self, parameter: Tensor, sample_shape: Shape) -> Tensor:
        """Return a parameter in the shape of samples."""
        return parameter.expand(self._extended_shape(sample_shape))

    def __repr__(self) -> str:
        parameters = [
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name in self.arg_constraints
            if (value := vars(self).get(name)) is not None
        ]
        return f"{type(self).__name__}({', '.join(parameters)})"


def belongs(kind: type) -> bool:
    """Whether a class is of this package, and not a user's."""
    return kind.__module__.startswith(f"{__package__}.")
