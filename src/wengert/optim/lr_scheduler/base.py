"""What all schedulers are.

A scheduler's `get_lr` gives the next rates from the present ones, so that several
schedulers of one optimizer multiply their effects.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from ...tensor import Tensor
from ..optimizer import Group, Optimizer


def set_rate(group: Group, value: Any, name: str = "lr") -> None:
    """Set an option of a group, in place if it is a tensor."""
    if isinstance(group[name], Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def one_for_each(optimizer: Optimizer, value: Any, name: str) -> list[Any]:
    """Return a list with one value for each group."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"Expected {count} {name}, but got {len(value)}")
    return list(value)


class LRScheduler:
    """The base class of schedulers.

    A subclass writes `get_lr`, which returns the rates of all groups for `last_epoch`.

    Args:
        optimizer: whose learning rates are set.
        last_epoch: how many steps were done before; −1 to begin.

    Attributes:
        base_lrs: the rates at the beginning.
        last_epoch: how often `step` was called.
    """

    _stepped = True
    """Whether the optimizer has made a step."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                rate = group["lr"]
                initial = rate.clone() if isinstance(rate, Tensor) else rate
                group.setdefault("initial_lr", initial)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when "
                    "resuming scheduler with last_epoch >= 0."
                )
        self.base_lrs: list[float] = [
            group["initial_lr"] for group in optimizer.param_groups
        ]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        self._follow()
        self.step()

    def _follow(self) -> None:
        """Notice the first step of the optimizer."""
        self._stepped = False

        def notice(*_: Any) -> None:
            self._stepped = True
            handle.remove()

        handle = self.optimizer.register_step_post_hook(notice)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        skipped = ("optimizer", "_stepped")
        return {key: value for key, value in vars(self).items() if key not in skipped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last."""
        return self._last_lr

    def get_lr(self) -> list[float]:
        """Return the rates for `last_epoch`."""
        raise NotImplementedError

    def _rates(self) -> list[float]:
        """Return the present rates."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def _times(self, factor: float) -> list[float]:
        """Return the present rates times a factor."""
        return [rate * factor for rate in self._rates()]

    def step(self, epoch: int | None = None) -> None:
        """Go one step on, or to a given one, and set the rates."""
        if self._step_count == 1 and not self._stepped:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In "
                "PyTorch 1.1.0 and later, you should call them in the opposite order: "
                "`optimizer.step()` before `lr_scheduler.step()`.  Failure to do this "
                "will result in PyTorch skipping the first value of the learning rate "
                "schedule.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
        else:
            self.last_epoch = epoch
            closed = getattr(self, "_get_closed_form_lr", self.get_lr)
            self._set(closed())

    def _set(self, rates: Iterable[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = [
            float(rate) if isinstance(rate, Tensor) else rate for rate in self._rates()
        ]
