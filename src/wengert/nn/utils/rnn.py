"""Sequences of different lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...ops.creation import full
from ...ops.data import tensor
from ...ops.joining import cat, stack
from ...tensor import Tensor

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


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


# --- packed ---------------------------------------------------------------------------


class PackedSequence(NamedTuple):
    """Sequences of different lengths, time by time: those that have ended are left out.

    Attributes:
        data: what all sequences have at the first time, then at the second, ….
        batch_sizes: how many sequences there are at each time.
        sorted_indices: which sequence comes where: the longest first.
        unsorted_indices: the way back.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def pack_padded_sequence(
    input: Tensor,
    lengths: Any,
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack sequences that padding has made equally long.

    Args:
        input: (L, N, *), or (N, L, *) if `batch_first`.
        lengths: the length of each sequence, as a list or a tensor.
        enforce_sorted: refuse sequences that do not come longest first.

    >>> import wengert as torch
    >>> padded = torch.tensor([[1, 4], [2, 5], [3, 0]])
    >>> packed = torch.nn.utils.rnn.pack_padded_sequence(padded, [3, 2])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """
    counts = tensor(lengths) if not isinstance(lengths, Tensor) else lengths
    order = back = None
    if not enforce_sorted:
        counts, order = counts.sort(descending=True)
        back = order.argsort()
        input = input.index_select(0 if batch_first else 1, order)
    sizes = counts.tolist()
    if batch_first:
        input = input.transpose(0, 1)
    if len(sizes) != input.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
            f"(batch_size={input.shape[1]})"
        )
    if min(sizes) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in "
            "'lengths' that is <= 0"
        )
    if sizes != sorted(sizes, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` "
            "is True. You can pass `enforce_sorted=False` to pack_padded_sequence "
            "and/or pack_sequence to sidestep this requirement if you do not need ONNX "
            "exportability."
        )
    at_time = [sum(length > time for length in sizes) for time in range(sizes[0])]
    data = cat([input[time, :size] for time, size in enumerate(at_time)])
    return PackedSequence(data, tensor(at_time), order, back)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return packed sequences with padding, and their lengths.

    Args:
        batch_first: return (N, L, *) instead of (L, N, *).
        padding_value: what stands where a sequence has ended.
        total_length: make all this long.
    """
    sizes = sequence.batch_sizes.tolist()
    if total_length is not None and total_length < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence "
            f"in input, but got total_length={total_length} and max sequence length "
            f"being {len(sizes)}"
        )
    rows = [
        with_padding(part, sizes[0], padding_value, "right")
        for part in sequence.data.split(sizes)
    ]
    padded = stack(rows)
    if total_length is not None:
        padded = with_padding(padded, total_length, padding_value, "right")
    lengths = tensor([sum(size > i for size in sizes) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def pack_sequence(
    sequences: list[Tensor], enforce_sorted: bool = True
) -> PackedSequence:
    """Pack sequences, tensors (length, *) of which only the length differs."""
    lengths = [len(sequence) for sequence in sequences]
    padded = pad_sequence(sequences)
    return pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences that `pack_sequence` has packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
