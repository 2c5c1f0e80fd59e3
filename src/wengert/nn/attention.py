"""Attention with several heads."""

from __future__ import annotations

from typing import Any

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .linear import Linear
from .module import Module
from .parameter import Parameter


class NonDynamicallyQuantizableLinear(Linear):
    """The linear layer of `MultiheadAttention`, by PyTorch's name."""


class MultiheadAttention(Module):
    """Attention of several heads, of Vaswani and others (2017).

    Queries, keys and values are mapped by matrices of their own and divided into heads;
    each head attends: softmax(q kᵀ / √d + mask) v. A last matrix mixes the heads.

    Args:
        embed_dim: E, the size of the embedding.
        num_heads: how many heads there are; they divide E.
        dropout: in training, the probability with which a weight vanishes.
        bias: whether there are biases.
        add_bias_kv: add a learnt key and value to the sequence.
        add_zero_attn: add a key and value of zeros.
        kdim, vdim: the sizes of keys and values, E by default.
        batch_first: tensors are (N, L, E) instead of (L, N, E).

    >>> import wengert as torch
    >>> attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = torch.zeros(3, 5, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        where = {"device": device, "dtype": dtype}

        def parameter(name: str, wanted: bool, *shape: int) -> None:
            made = Parameter(empty(*shape, **where)) if wanted else None
            self.register_parameter(name, made)

        separate = not self._qkv_same_embed_dim
        if separate:
            parameter("q_proj_weight", True, embed_dim, embed_dim)
            parameter("k_proj_weight", True, embed_dim, self.kdim)
            parameter("v_proj_weight", True, embed_dim, self.vdim)
        parameter("in_proj_weight", not separate, 3 * embed_dim, embed_dim)
        if not separate:
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                parameter(name, False)
        parameter("in_proj_bias", bias, 3 * embed_dim)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias, **where
        )
        parameter("bias_k", add_bias_kv, 1, 1, embed_dim)
        parameter("bias_v", add_bias_kv, 1, 1, embed_dim)
        self._reset_parameters()

    @property
    def _qkv_same_embed_dim(self) -> bool:
        return self.kdim == self.vdim == self.embed_dim

    def _reset_parameters(self) -> None:
        for name in (
            "in_proj_weight",
            "q_proj_weight",
            "k_proj_weight",
            "v_proj_weight",
        ):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for name in ("bias_k", "bias_v"):
            if getattr(self, name) is not None:
                init.xavier_normal_(getattr(self, name))

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what the queries get, and the weights if they are asked for.

        Args:
            query: (L, N, E), or without N.
            key: (S, N, kdim).
            value: (S, N, vdim).
            key_padding_mask: (N, S): true, or -∞, for keys that are not there.
            need_weights: return the weights, (N, L, S).
            attn_mask: (L, S) or (N · num_heads, L, S): true, or -∞, where a query does
                not see a key.
            average_attn_weights: return the mean of the weights over the heads.
            is_causal: says that `attn_mask` hides later keys; it is used as it is.
        """
        swap = self.batch_first and query.ndim == 3
        if swap:
            query, key, value = [part.transpose(0, 1) for part in (query, key, value)]
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return output.transpose(0, 1) if swap else output, weights
