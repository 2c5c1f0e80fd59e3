"""Parameters and buffers: the tensors that a module registers by itself."""

from __future__ import annotations

from typing import Any

from ..tensor import Parameter, Tensor

__all__ = ["Buffer", "Parameter"]


def is_buffer(value: object) -> bool:
    """Whether a module registers a value as a buffer."""
    return isinstance(value, Tensor) and "_is_buffer" in value.__dict__


class _BufferType(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(cls, value: object) -> bool:
        return is_buffer(value)


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor that a module registers as a buffer when it is assigned to an attribute.

    Args:
        data: the tensor whose memory it shares.
        persistent: whether it is part of the module's `state_dict`.
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        if data is None:
            from ..ops import namespace

            data = namespace["empty"](0)
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer
