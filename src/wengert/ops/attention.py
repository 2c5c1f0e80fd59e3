"""Attention: functions of `torch.nn.functional`.

attention(q, k, v) = softmax(q kᵀ / √d + mask) v
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .creation import full, ones, zeros
from .dropout import dropout
from .joining import cat
from .matmul import linear
from .padding import pad

NEVER = float("-inf")
"""What is added to the logarithm of a weight that is to be zero."""


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return for each query the mean of the values, weighted by how keys fit it.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: broadcast to (..., L, S): booleans, true where a key counts, or
            numbers that are added.
        dropout_p: the probability with which a weight vanishes, in eval mode too.
        is_causal: a query sees no later keys; excludes `attn_mask`.
        scale: what the products are multiplied with, 1 / √E by default.
        enable_gqa: let several heads of queries share one of keys and values.

    Returns:
        The means, (..., L, Ev). A query that sees no key gets zeros.

    >>> import wengert as torch
    >>> q = k = torch.eye(2)
    >>> v = torch.tensor([[0.0], [1.0]])
    >>> torch.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[0.3302],
            [0.6698]])
    """
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set "
                "when is_causal=True"
            )
        size = (query.shape[-2], key.shape[-2])
        attn_mask = ones(*size, dtype=dtypes.bool_).tril()
    if enable_gqa:
        sharing = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(sharing, -3)
        value = value.repeat_interleave(sharing, -3)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * scale) @ key.transpose(-2, -1)
    if attn_mask is None:
        weights = scores.softmax(-1)
    else:
        weights = masked_softmax(scores + additive(attn_mask, query.dtype, True))
    return dropout(weights, dropout_p) @ value


def additive(mask: Tensor, dtype: dtypes.dtype, seen: bool) -> Tensor:
    """Return a mask as numbers to add.

    Args:
        seen: what a boolean mask has where a key counts.
    """
    if mask.dtype is not dtypes.bool_:
        return mask
    hidden = ~mask if seen else mask
    return zeros(*mask.shape, dtype=dtype).masked_fill(hidden, NEVER)


def masked_softmax(scores: Tensor) -> Tensor:
    """Return the softmax along the last dimension, zeros where all scores are -∞."""
    blind = (scores == NEVER).all(-1, keepdim=True)
    return scores.masked_fill(blind, 0).softmax(-1).masked_fill(blind, 0)


# --- several heads --------------------------------------------------------------------


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return what `nn.MultiheadAttention` does, from its parameters.

    Args:
        query: (L, N, E), or without N.
        key, value: (S, N, E), or without N.
        key_padding_mask: (N, S): true, or -∞, for keys that are not there.
        attn_mask: (L, S) or (N · heads, L, S): true, or -∞, where a query does not see
            a key.
        need_weights: return the weights as well, (N, L, S).
        average_attn_weights: as their mean over the heads.
    """
    batched = check_dims(query, key, value, key_padding_mask, attn_mask)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the "
            "Transformer module method `generate_square_subsequent_mask` to create "
            "this mask."
        )
    if not batched:
        query, key, value = [part.unsqueeze(1) for part in (query, key, value)]
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    check_widths(width, embed_dim_to_check, num_heads)
    if use_separate_proj_weight:
        matrices = [q_proj_weight, k_proj_weight, v_proj_weight]
    else:
        assert in_proj_weight is not None
        matrices = list(in_proj_weight.chunk(3))
    biases = [None] * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    parts = zip((query, key, value), matrices, biases, strict=True)
    q, k, v = [linear(*part) for part in parts]  # type: ignore[arg-type]
    more = 0
    if bias_k is not None and bias_v is not None:
        k = cat([k, bias_k.expand(1, batch, width)])
        v = cat([v, bias_v.expand(1, batch, width)])
        more += 1
    if add_zero_attn:
        nothing = zeros(1, batch, width, dtype=k.dtype)
        k, v = cat([k, nothing]), cat([v, nothing])
        more += 1
    mask = whole_mask(
        attn_mask, key_padding_mask, batch, num_heads, (length, len(k) - more), more, q
    )
    # (L, N, E) to (N, heads, L, E / heads)
    q, k, v = [
        part.reshape(len(part), batch, num_heads, -1).permute(1, 2, 0, 3)
        for part in (q, k, v)
    ]
    scores = (q * (1 / math.sqrt(q.shape[-1]))) @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores + mask
    # of a query that sees no key PyTorch shows NaN, but computes with zeros
    safe = mask is not None and not need_weights
    weights = masked_softmax(scores) if safe else scores.softmax(-1)
    weights = dropout(weights, dropout_p, training)
    joined = (weights @ v).permute(2, 0, 1, 3).reshape(length, batch, width)
    output = linear(joined, out_proj_weight, out_proj_bias)
    shown = None
    if need_weights:
        shown = weights.mean(1) if average_attn_weights else weights
        shown = shown if batched else shown.squeeze(0)
    return output if batched else output.squeeze(1), shown


def check_dims(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
) -> bool:
    """Refuse dimensions that do not fit; return whether there is a batch."""
    dims = query.ndim
    if dims not in (2, 3):
        raise AssertionError(
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{dims}-D query tensor"
        )
    what = "For batched (3-D) `query`" if dims == 3 else "For unbatched (2-D) `query`"
    if key.ndim != dims or value.ndim != dims:
        raise AssertionError(
            f"{what}, expected `key` and `value` to be {dims}-D but found {key.ndim}-D "
            f"and {value.ndim}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.ndim != dims - 1:
        raise AssertionError(
            f"{what}, expected `key_padding_mask` to be `None` or {dims - 1}-D but "
            f"found {key_padding_mask.ndim}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.ndim not in (2, 3):
        raise AssertionError(
            f"{what}, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{attn_mask.ndim}-D tensor instead"
        )
    return dims == 3


def check_widths(width: int, expected: int, heads: int) -> None:
    """Refuse an embedding that is not the layer's, or that heads do not divide."""
    if width != expected:
        raise AssertionError(
            f"was expecting embedding dimension of {expected}, but got {width}"
        )
    if width % heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {heads}")


def whole_mask(
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    batch: int,
    heads: int,
    shape: tuple[int, int],
    more: int,
    like: Tensor,
) -> Tensor | None:
    """Return the sum of both masks, broadcast to (N, heads, L, S); None for none.

    Args:
        shape: (L, S).
        more: how many keys were added, which all queries see.
    """
    parts = []
    if attn_mask is not None:
        check_mask(attn_mask, batch, heads, shape)
        mask = numbers(attn_mask, "attn_mask", like)
        if attn_mask.ndim == 3:
            mask = mask.reshape(batch, heads, *shape)
        parts.append(mask)
    if key_padding_mask is not None:
        mask = numbers(key_padding_mask, "key_padding_mask", like)
        parts.append(mask.reshape(batch, 1, 1, shape[1]))
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return pad(whole, (0, more)) if more else whole


def numbers(mask: Tensor, name: str, like: Tensor) -> Tensor:
    """Return a mask, true where nothing is seen, as numbers to add."""
    if mask.dtype is not dtypes.bool_ and not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return additive(mask, like.dtype, False)


def check_mask(mask: Tensor, batch: int, heads: int, shape: tuple[int, int]) -> None:
    """Refuse a mask of another shape."""
    expected = shape if mask.ndim == 2 else (batch * heads, *shape)
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be "
            f"{expected}."
        )


def causal_mask(size: int, **options: Any) -> Tensor:
    """Return the mask that hides later keys: -∞ above the diagonal, else zero."""
    return full((size, size), NEVER, **options).triu(1)
