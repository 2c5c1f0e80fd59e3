"""The Transformer, and its layers: attention, two linear layers, short cuts."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ..ops.attention import causal_mask
from ..tensor import Tensor
from . import functional as F, init
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

Activation = Callable[[Tensor], Tensor]


def activation_of(activation: str | Activation) -> Activation:
    """Return the function that an argument `activation` means."""
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    found: Activation = getattr(F, activation)
    return found


class TransformerLayer(Module):
    """What the layers of encoder and decoder share: blocks, each with a short cut.

    x ← norm(x + block(x)), or x ← x + block(norm(x)) if `norm_first`.

    Args:
        d_model: E, the size of the embedding.
        nhead: how many heads there are.
        dim_feedforward: the size inside of the two linear layers.
        dropout: in training, the probability with which an element vanishes.
        activation: "relu", "gelu", or a function.
        layer_norm_eps: added to the variance.
        batch_first: tensors are (N, L, E) instead of (L, N, E).
        norm_first: normalise before each block instead of after it.
        bias: whether there are biases.
    """

    attentions: tuple[str, ...] = ("self_attn",)

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        for name in self.attentions:
            made = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, **where
            )
            setattr(self, name, made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **where)
        self.norm_first = norm_first
        blocks = range(1, len(self.attentions) + 2)
        for i in blocks:
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
            setattr(self, f"norm{i}", norm)
        for i in blocks:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = activation_of(activation)

    def block(self, i: int, x: Tensor, compute: Activation) -> Tensor:
        """Return what becomes of x by the block of this number, from 1."""
        norm, drop = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        result: Tensor
        if self.norm_first:
            result = x + drop(compute(norm(x)))
        else:
            result = norm(x + drop(compute(x)))
        return result

    def feed(self, x: Tensor) -> Tensor:
        """Return what the two linear layers make of x."""
        inside = self.dropout(self.activation(self.linear1(x)))
        result: Tensor = self.linear2(inside)
        return result


class TransformerEncoderLayer(TransformerLayer):
    """A layer of the encoder: attention to itself, and two linear layers.

    The arguments are those of `TransformerLayer`.

    >>> import wengert as torch
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(torch.zeros(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return the sequence (L, N, E) after the layer; see `MultiheadAttention`."""

        def attend(x: Tensor) -> Tensor:
            result: Tensor = self.self_attn(
                x,
                x,
                x,
                attn_mask=src_mask,
                key_padding_mask=src_key_padding_mask,
                need_weights=False,
            )[0]
            return result

        return self.block(2, self.block(1, src, attend), self.feed)


class TransformerDecoderLayer(TransformerLayer):
    """A layer of the decoder: attention to itself and to the encoder's output.

    The arguments are those of `TransformerLayer`.

    >>> import wengert as torch
    >>> layer = torch.nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(torch.zeros(3, 5, 8), torch.zeros(3, 7, 8)).shape
    torch.Size([3, 5, 8])
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the sequence `tgt` (L, N, E) after the layer.

        Args:
            memory: what the encoder has made, (S, N, E).
            tgt_mask, memory_mask: see `attn_mask` of `MultiheadAttention`.
            tgt_key_padding_mask, memory_key_padding_mask: see its `key_padding_mask`.
        """

        def attend(x: Tensor) -> Tensor:
            result: Tensor = self.self_attn(
                x,
                x,
                x,
                attn_mask=tgt_mask,
                key_padding_mask=tgt_key_padding_mask,
                need_weights=False,
            )[0]
            return result

        def remember(x: Tensor) -> Tensor:
            result: Tensor = self.multihead_attn(
                x,
                memory,
                memory,
                attn_mask=memory_mask,
                key_padding_mask=memory_key_padding_mask,
                need_weights=False,
            )[0]
            return result

        x = self.block(2, self.block(1, tgt, attend), remember)
        return self.block(3, x, self.feed)


class TransformerStack(Module):
    """What encoder and decoder share: copies of a layer, one after the other.

    Args:
        layer: what is copied.
        num_layers: how often.
        norm: applied at the end.
    """

    def __init__(
        self, layer: TransformerLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = ModuleList([deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def through(self, x: Tensor, *args: Any, **masks: Any) -> Tensor:
        """Return x after all layers."""
        for layer in self.layers:
            x = layer(x, *args, **masks)
        result: Tensor = x if self.norm is None else self.norm(x)
        return result


class TransformerEncoder(TransformerStack):
    """Layers of an encoder.

    Args:
        encoder_layer: the layer, of which there are copies.
        num_layers: how many.
        norm: applied at the end.
        enable_nested_tensor, mask_check: of no meaning here.

    >>> import wengert as torch
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> torch.nn.TransformerEncoder(layer, 2)(torch.zeros(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return the sequence (L, N, E) after all layers; see `MultiheadAttention`."""
        return self.through(
            src, src_mask=mask, src_key_padding_mask=src_key_padding_mask
        )


class TransformerDecoder(TransformerStack):
    """Layers of a decoder.

    Args:
        decoder_layer: the layer, of which there are copies.
        num_layers: how many.
        norm: applied at the end.
    """

    def __init__(
        self,
        decoder_layer: TransformerDecoderLayer,
        num_layers: int,
        norm: Module | None = None,
    ) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return `tgt` after all layers; see `TransformerDecoderLayer`."""
        return self.through(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
        )


class Transformer(Module):
    """Encoder and decoder, of Vaswani and others (2017).

    The arguments after the numbers of layers are those of `TransformerLayer`.

    Args:
        d_model: E, the size of the embedding.
        nhead: how many heads there are.
        num_encoder_layers, num_decoder_layers: how many layers there are.
        custom_encoder, custom_decoder: take the place of those that would be made.

    >>> import wengert as torch
    >>> model = torch.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(torch.zeros(3, 5, 8), torch.zeros(3, 4, 8)).shape
    torch.Size([3, 4, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        options: dict[str, Any] = {
            "dim_feedforward": dim_feedforward,
            "dropout": dropout,
            "activation": activation,
            "layer_norm_eps": layer_norm_eps,
            "batch_first": batch_first,
            "norm_first": norm_first,
            "bias": bias,
            **where,
        }

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)

        if custom_encoder is None:
            encoding = TransformerEncoderLayer(d_model, nhead, **options)
            custom_encoder = TransformerEncoder(encoding, num_encoder_layers, norm())
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoding = TransformerDecoderLayer(d_model, nhead, **options)
            custom_decoder = TransformerDecoder(decoding, num_decoder_layers, norm())
        self.decoder = custom_decoder
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the decoder's output for `tgt` (L, N, E), given `src` (S, N, E)."""
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                "the feature number of src and tgt must be equal to d_model"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask
        )
        output: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
        )
        return output

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Any = None, dtype: Any = None
    ) -> Tensor:
        """Return the mask (sz, sz) that hides what comes later.

        >>> import wengert as torch
        >>> torch.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return causal_mask(sz, dtype=dtype, device=device)
