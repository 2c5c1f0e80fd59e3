"""Bags of embeddings: the sum, the mean or the maximum of several rows of a table."""

from __future__ import annotations

from math import inf

import numpy as np

from ..ops.gathering import embedding, scale_down
from ..ops.searching import searchsorted
from ..recording import numpy_dtype
from ..tensor import Tensor, plain


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return what the rows of a table that indices name come to, bag by bag.

    Args:
        input: the indices: (bags, length), or all in one vector.
        weight: the table.
        offsets: where the bags begin, if the indices are in one vector.
        max_norm, norm_type, scale_grad_by_freq, sparse: see `embedding`.
        mode: "sum", "mean" or "max".
        per_sample_weights: of each index, for the sum.
        include_last_offset: the last offset is the end of the last bag.
        padding_idx: a row that does not count.

    >>> import wengert as torch
    >>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 1]]), table, mode="sum")
    tensor([[4., 6.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is "
            f"only supported for mode='sum' (got mode='{mode}')."
        )
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            "embedding_bag: If per_sample_weights is not None, then it must have the "
            "same shape as the input"
        )
    bag, count = bags_of(input, offsets, include_last_offset)
    index = input.reshape(-1)
    shares = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    if max_norm is not None:
        scale_down(weight, input, max_norm, norm_type)
    rows = embedding(index, weight, scale_grad_by_freq=scale_grad_by_freq)
    if shares is not None:
        rows = rows * shares.unsqueeze(1)
    counts = weight.new_ones(index.shape)
    if padding_idx is not None:
        counted = index != padding_idx % weight.shape[0]
        counts = counts * counted
        rows = rows.where(counted.unsqueeze(1), 0 if mode != "max" else -inf)
    sizes = weight.new_zeros(count).index_add(0, bag, counts).unsqueeze(1)
    blank = weight.new_zeros((count, weight.shape[1]))
    if mode == "max":
        places = bag.unsqueeze(1).expand(rows.shape)
        found = blank.scatter_reduce(0, places, rows, "amax", include_self=False)
        return found.where(sizes > 0, 0)
    total = blank.index_add(0, bag, rows)
    return total if mode == "sum" else total / sizes.clamp(min=1)


def bags_of(
    input: Tensor, offsets: Tensor | None, include_last_offset: bool
) -> tuple[Tensor, int]:
    """Return the bag of each index, and how many bags there are."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a "
                "mini-batch of fixed length sequences. However, found offsets of type "
                f"{type(offsets)}"
            )
        count, length = input.shape
        return plain(np.repeat(np.arange(count), length)), count
    if input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = offsets[:-1] if include_last_offset else offsets
    places = plain(np.arange(input.shape[0], dtype=numpy_dtype(starts)))
    return searchsorted(starts, places, right=True) - 1, starts.shape[0]
