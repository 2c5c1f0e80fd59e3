"""Embeddings: rows of a learnt matrix by their indices, and bags of them."""

from __future__ import annotations

from typing import Any, Self

from ..ops.creation import empty
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """Gives for each index the row of a learnt matrix.

    Args:
        num_embeddings: the number of rows.
        embedding_dim: their length.
        padding_idx: a row that is zero at first and never learns.
        max_norm: rows that are used are first scaled down to this norm, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was used.
        sparse: has no effect: gradients are dense.
        device, dtype: of the matrix.

    Attributes:
        weight: the matrix, at first standard normal numbers.

    >>> import wengert as torch
    >>> torch.nn.Embedding(10, 3)(torch.tensor([[1, 2], [4, 5]])).shape
    torch.Size([2, 2, 3])
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = row_of(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            values = empty(shape, device=device, dtype=dtype)
            self.weight = Parameter(values, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            check_weight(_weight, shape)
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Fill the matrix with its first values."""
        init.normal_(self.weight)
        clear_padding(self)

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows of the indices: (*) to (*, embedding_dim)."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        return described(self, "Embedding")

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """Return an embedding with a given matrix.

        Args:
            embeddings: the matrix.
            freeze: do not train it.
            padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse: as in the
                constructor.
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, cols = embeddings.shape
        return cls(
            rows,
            cols,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(Module):
    """Gives for each bag of indices the sum, mean or maximum of a matrix's rows.

    Args:
        num_embeddings: the number of rows.
        embedding_dim: their length.
        max_norm: rows that are used are first scaled down to this norm, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was used.
        mode: "sum", "mean" or "max".
        sparse: has no effect: gradients are dense.
        include_last_offset: the last offset is the end of the last bag.
        padding_idx: a row that does not count, and never learns.
        device, dtype: of the matrix.
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = row_of(padding_idx, num_embeddings)
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            self.weight = Parameter(empty(shape, device=device, dtype=dtype))
            self.reset_parameters()
        else:
            check_weight(_weight, shape)
            self.weight = Parameter(_weight)

    def reset_parameters(self) -> None:
        """Fill the matrix with its first values."""
        init.normal_(self.weight)
        clear_padding(self)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        """Return a row for each bag.

        Args:
            input: the indices: (bags, length), or all in one vector.
            offsets: where the bags begin, if the indices are in one vector.
            per_sample_weights: of each index, for the sum.
        """
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        return described(self, "EmbeddingBag")

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, **options: Any
    ) -> Self:
        """Return bags of a given matrix.

        Args:
            embeddings: the matrix.
            freeze: do not train it.
            options: as in the constructor.
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, cols = embeddings.shape
        made = cls(rows, cols, _weight=embeddings, **options)
        made.weight.requires_grad = not freeze
        return made


def row_of(padding_idx: int | None, rows: int) -> int | None:
    """Return the padding row counted from zero."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def check_weight(weight: Tensor, shape: tuple[int, int]) -> None:
    """Refuse a matrix of another shape."""
    if tuple(weight.shape) != shape:
        raise AssertionError(
            "Shape of weight does not match num_embeddings and embedding_dim"
        )


def clear_padding(module: Any) -> None:
    """Make the padding row zero."""
    if module.padding_idx is not None:
        init.zeros_(module.weight.detach()[module.padding_idx])


def described(module: Any, kind: str) -> str:
    """Return what is printed of an embedding: the options that are not as usual."""
    usual = {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
    text = f"{module.num_embeddings}, {module.embedding_dim}"
    order = ["padding_idx", *usual] if kind == "Embedding" else [*usual]
    usual["padding_idx"] = None
    for name in order:
        value = getattr(module, name)
        if value != usual[name]:
            text += f", {name}={value}"
    if module.sparse:
        text += ", sparse=True"
    if kind == "EmbeddingBag":
        text += f", mode={module.mode!r}"
        if module.padding_idx is not None:
            text += f", padding_idx={module.padding_idx}"
    return text
