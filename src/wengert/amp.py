"""`torch.amp`: mixed precision, which PyTorch has for GPUs and bfloat16.

Where there is no GPU PyTorch warns and goes on in full precision; so does this.
"""

from __future__ import annotations

import warnings
from contextlib import ContextDecorator
from typing import Any

from . import errors
from .tensor import Tensor


class autocast(ContextDecorator):
    """A block in which ops of a GPU would compute in half precision.

    Args:
        device_type: "cuda", which is switched off with a warning, or "cpu", whose
            bfloat16 NumPy does not have.
        dtype: the half precision.
        enabled: whether it is wanted.
        cache_enabled: of no meaning here.

    Raises:
        Unsupported: it is wanted for the CPU.
    """

    def __init__(
        self,
        device_type: str = "cuda",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if enabled and device_type == "cpu":
            raise errors.Unsupported(
                "autocast on the CPU computes in bfloat16, which NumPy does not have; "
                "use enabled=False"
            )
        if enabled:
            warnings.warn(
                f"User provided device_type of '{device_type}', but "
                f"{device_type.upper()} is not available. Disabling",
                stacklevel=2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *args: object) -> None:
        return None


class GradScaler:
    """What scales losses for half precision: here it leaves them as they are.

    Args:
        device: "cuda", which is switched off with a warning.
        enabled: whether it is wanted.

    >>> import wengert as torch
    >>> scaler = torch.amp.GradScaler(enabled=False)
    >>> scaler.scale(torch.tensor(2.0))
    tensor(2.)
    """

    def __init__(
        self, device: str = "cuda", *args: Any, enabled: bool = True, **options: Any
    ) -> None:
        if enabled:
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  "
                "Disabling.",
                stacklevel=2,
            )

    def scale(self, outputs: Any) -> Any:
        """Return a loss, or several, as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing: gradients have their true size."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Let the optimizer take its step."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Do nothing: there is no scale to change."""

    def is_enabled(self) -> bool:
        """Whether losses are scaled: no."""
        return False

    def get_scale(self) -> float:
        """Return the scale: 1."""
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return the state: none."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state: there is none."""
