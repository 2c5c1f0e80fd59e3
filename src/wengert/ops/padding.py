"""`nn.functional.pad`: margins around a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..primitives import padding as P
from ..tensor import Tensor
from .public import check_operand, op

Widths = tuple[tuple[int, ...], tuple[int, ...]]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = None
) -> Tensor:
    """Return a tensor with margins.

    Args:
        pad: the widths of the margins before and after, for the last dimension first.
            Negative widths crop.
        mode: what the margins are: "constant"; "reflect": the elements inside,
            mirrored; "replicate": the outermost ones; "circular": the other side's.
            The last three take the last one, two or three dimensions.
        value: the constant, zero by default.

    >>> import wengert as torch
    >>> torch.nn.functional.pad(torch.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    """
    check_operand("pad", "input", 0, input)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    ndim = len(input.shape)
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input "
            f"dimension but got padding length {len(pad)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value not in (None, 0):
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    return edge_pad(input, pad, mode)


def widths(pad: Sequence[int], ndim: int) -> Widths:
    """Return the margins before and after each dimension, the first dimension first."""
    unpadded = (0,) * (ndim - len(pad) // 2)
    flipped = [int(width) for width in pad[::-1]]
    return unpadded + tuple(flipped[1::2]), unpadded + tuple(flipped[::2])


@op(method=False, out=False)
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    """Return a tensor with margins of one value, see `nn.functional.pad`."""
    before, after = widths(pad, len(input.shape))
    for size, b, a in zip(input.shape, before, after, strict=True):
        if size + b + a < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    result: Tensor = P.constant_pad(input, before=before, after=after, value=value)
    return result


def edge_pad(input: Tensor, pad: Sequence[int], mode: str) -> Tensor:
    """Return a tensor with margins made of its own elements."""
    ndim, count = len(input.shape), len(pad) // 2
    if ndim not in (count + 1, count + 2) or count > 3:
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {ndim}D input tensor."
        )
    before, after = widths(pad, ndim)
    if mode == "circular" and min(before + after) < 0:
        crop = [min(width, 0) for width in pad]
        input = constant_pad_nd(input, crop)
        before, after = widths([max(width, 0) for width in pad], ndim)
    check_margins(input, before, after, mode)
    result: Tensor = P.edge_pads[mode, count](input, before=before, after=after)
    return result


def check_margins(
    input: Tensor, before: Sequence[int], after: Sequence[int], mode: str
) -> None:
    """Refuse margins wider than what they are made of."""
    for dim, (size, b, a) in enumerate(zip(input.shape, before, after, strict=True)):
        if mode == "reflect" and max(b, a) >= max(size, 1):
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({b}, {a}) at dimension {dim} of input "
                f"{list(input.shape)}"
            )
        if mode == "circular" and max(b, a) > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
