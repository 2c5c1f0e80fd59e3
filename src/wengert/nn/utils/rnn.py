"""Sequences of different lengths."""

from __future__ import annotations

from collections.abc import Iterable

from ...ops.creation import full
from ...ops.joining import cat, stack
from ...tensor import Tensor


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences after making them equally long.

    Args:
        sequences: tensors (length, *) of which only the length differs.
        batch_first: return (number, length, *) instead of (length, number, *).
        padding_value: what is added to the shorter ones.
        padding_side: "right" (behind them) or "left" (before).

    >>> import wengert as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.ones(2), torch.ones(3)], True)
    tensor([[1., 1., 0.],
            [1., 1., 1.]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise ValueError(
            f"padding_side must be 'left' or 'right', but got {padding_side!r}"
        )
    several = list(sequences)
    longest = max(len(sequence) for sequence in several)
    padded = [
        with_padding(sequence, longest, padding_value, padding_side)
        for sequence in several
    ]
    return stack(padded, 0 if batch_first else 1)


def with_padding(sequence: Tensor, length: int, value: float, side: str) -> Tensor:
    """Return a sequence made longer."""
    missing = length - len(sequence)
    if not missing:
        return sequence
    shape = (missing, *sequence.shape[1:])
    padding = full(shape, value, dtype=sequence.dtype)
    return cat([sequence, padding] if side == "right" else [padding, sequence])


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences that `pad_sequence` has stacked."""
    sequences = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [
        sequence[:length]
        for sequence, length in zip(sequences, lengths.tolist(), strict=True)
    ]
