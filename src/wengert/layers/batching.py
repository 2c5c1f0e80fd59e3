"""How ops go over a batch: what `Batched` does with each primitive.

An elementwise op follows from its class. Of the others most need nothing but parameters
that count the hidden dimension: the lists below say which. The rest have a rule each
(`batch_rules`), or are called once for each element (right, slow, and counted in
`looped`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..primitive import Primitive
from ..primitives.shape import reshape

Rule = Callable[..., Any]

looped: Counter[str] = Counter()
"""How often each primitive was called for one element of a batch at a time."""

ALIGNED = {"mul", "masked_fill", "masked_fill_number", "fill", "prelu"}
"""Ops that broadcast their inputs though they are not elementwise."""

TOGETHER = {
    *("cat", "stack", "gather", "gather_backward", "scatter", "scatter_value"),
    *("scatter_add", "scatter_reduce", "take_along", "put_along", "recurrence"),
    *("softmax_backward", "log_softmax_backward", "cross", "shares", "bmm"),
    *("select_scatter", "slice_scatter", "diagonal_scatter"),
    *("max_pool_backward", "take_pooled"),
    *("fractional_max_pool2d", "fractional_max_pool3d"),
}
"""Ops of several inputs of one rank, all of which get the batch as first dimension."""

FIRST = {
    *("index_select", "index_select_backward", "embedding_rows", "index_fill"),
}
"""Ops whose first input may be batched if the others are not."""

DYNAMIC = {"nonzero", "unique", "unique_dim", "unique_consecutive", "masked_select"}
"""Ops whose results have shapes that depend on values."""

# --- parameters -----------------------------------------------------------------------

DIMS = {"dim", "dims", "dim0", "dim1", "dim2", "axis"}
"""Parameters that number dimensions: they count one more."""

WHOLE = {"shape"}
"""Parameters that are the sizes of all dimensions: the batch's comes first."""

LEADING = {"before": 0, "after": 0, "repeats": 1, "index": slice(None)}
"""Parameters with an entry for each dimension, and the entry for the batch's."""

FIXED = {
    *("dtype", "keepdim", "correction", "ord", "descending", "stable", "largest", "k"),
    *("value", "offset", "diagonal", "reverse", "by", "sizes", "size", "step", "nan"),
    *("shifts", "num_classes", "repeated", "reduce", "include_self"),
    *("kernel_size", "stride", "padding", "dilation", "ceil_mode", "output_size"),
    *("count_include_pad", "divisor_override", "spatial"),
    *("normalization", "forward", "onesided", "last_dim_size"),
}
"""Parameters that have nothing to do with the other dimensions."""

UNSHIFTABLE = {
    *("as_strided", "strided_forward", "strided_backward", "diagonal_copy", "trace"),
    *("on_diagonal", "max", "min", "median", "nanmedian", "nonzero", "unique", "take"),
    *("take_backward", "masked_select", "bincount", "histogram", "searchsorted", "t"),
    *("index", "index_backward", "index_put", "block_diag", "view_dtype", "embedding"),
    *("kthvalue", "mode", "unique_dim", "unique_consecutive", "rot90"),
}
"""Ops whose parameters do not tell everything."""


def shift(params: dict[str, Any], rank: int, size: int) -> dict[str, Any] | None:
    """Return an op's parameters with the batch in front; None if that is not known.

    Args:
        rank: how many dimensions the op's input shows.
        size: the size of the batch.
    """
    shifted = dict(params)
    for name, value in params.items():
        if name in DIMS:
            if rank == 0 and value != ():
                return None
            shifted[name] = shift_dims(value, rank)
        elif name in WHOLE:
            shifted[name] = (size, *value)
        elif name in LEADING:
            shifted[name] = (LEADING[name], *value)
        elif name not in FIXED:
            return None
    return shifted


def shift_dims(dims: Any, rank: int) -> Any:
    """Count dimensions from one later; None stands for all."""
    if dims is None:
        return tuple(range(1, rank + 1))
    if isinstance(dims, int):
        return dims + 1
    return tuple([dim + 1 for dim in dims])


def is_aligned(primitive: Primitive) -> bool:
    """Whether an op's inputs are broadcast against each other."""
    return primitive.kind == "elementwise" or primitive.name in ALIGNED


def rule_of(primitive: Primitive) -> Rule | None:
    """Return the rule of an op that has one of its own."""
    return primitive.batch or rules.get(primitive.name)


def shiftable(primitive: Primitive) -> bool:
    """Whether an op of one array follows from its parameters."""
    return len(primitive.inputs) == 1 and primitive.name not in UNSHIFTABLE


# --- rules ----------------------------------------------------------------------------
#
# A rule is called with the size of the batch, for each input whether it is batched, the
# values (a batched one has the batch as its first dimension), and the parameters. It
# returns the value of the result, or NotImplemented, and then the op is looped.

rules: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for primitives."""

    def enter(function: Rule) -> Rule:
        for name in names:
            rules[name] = function
        return function

    return enter


# --- helpers of rules -----------------------------------------------------------------


def aligned(value: Any, batched: bool, rank: int) -> Any:
    """Insert dimensions of size 1 after the batch's until `rank` others follow it."""
    if not batched:
        return value
    batch, *shape = value.shape
    missing = rank - len(shape)
    if missing <= 0:
        return value
    return reshape(value, shape=(batch, *(1,) * missing, *shape))


def together(values: Sequence[Any], batched: Sequence[bool], size: int) -> list[Any]:
    """Give every value the batch as its first dimension."""
    return [
        value
        if has or not hasattr(value, "shape")
        else value.unsqueeze(0).expand((size, *value.shape))
        for value, has in zip(values, batched, strict=True)
    ]
