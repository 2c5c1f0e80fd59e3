"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..tensor import Tensor
from . import constraints
from .gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The sum of squares of standard normal numbers.

    Args:
        df: how many, the degrees of freedom.

    >>> import wengert as torch
    >>> torch.distributions.Chi2(torch.tensor([3.0])).mean
    tensor([3.])
    """

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args)

    def _event_dim(self, parameter: str) -> int:
        return 0

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2
