"""How a matrix product is cut into launches of `gemm`'s functions.

A small product, or one of a batch, is one chunk: it packs its operands into scratch
memory and multiplies. A large one is two launches: all chunks of the first pack, those
of the second multiply rectangles of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import Any

from . import gemm
from .emit import llvm_type
from .graph import Node
from .layout import matrix_layout
from .values import Argument

CHUNK = 1_000_000  # multiplications that are worth a chunk
SMALL = 400_000  # ... worth two
MOST_CHUNKS = 16
MOST_ROWS = 128  # of a chunk: the left operand's block stays in the second cache
PER_NS = {"float": 50, "double": 25}  # multiplications, roughly
_PACKED_BY_CHUNK = 32768  # elements


@dataclass
class Product:
    """What `native` needs to know: ``words`` are in the order of ``gemm.FIELDS``."""

    words: dict[str, Any]
    launches: list[tuple[str, int]]  # functions and how many chunks
    packed: int = 0  # bytes of memory for packed operands
    scratch: int = 0  # ... of each thread
    nanoseconds: float = 0.0
    kind: str = "float"

    def arguments(self, packed: int) -> list[Any]:
        """The arguments, where packed operands begin at an address."""
        self.words["packed_a"] = packed
        self.words["packed_b"] = packed + self.words["packed_b"]
        return [self.words[name] for name in gemm.FIELDS]


def plan(node: Node) -> Product:
    a, b = node.inputs
    kind = llvm_type(node.dtype)
    item, tiling = node.dtype.itemsize, gemm.tiling(kind)
    (m, k), n = a.shape[-2:], b.shape[-1]
    base_a, offset_a, (a_down, a_along), batch_a = matrix_layout(a)  # type: ignore[misc]
    base_b, offset_b, (b_along, b_down), batch_b = matrix_layout(b)  # type: ignore[misc]
    size_a = _rounded(_rounded(m, tiling.rows) * k * item, 64)
    size_b = _rounded(n, tiling.lanes) * k * item
    words = dict.fromkeys(gemm.FIELDS, 0) | {
        "a": Argument("node", base_a, offset_a * item),
        "b": Argument("node", base_b, offset_b * item),
        "c": Argument("node", node),
        "packed_b": size_a,
        "m": m,
        "n": n,
        "k": k,
        "depth": ceil(k / ceil(k / gemm.DEPTH)),
        "a_down": a_down,
        "a_along": a_along,
        "b_down": b_down,
        "b_along": b_along,
        "a_step": batch_a * item,
        "b_step": batch_b * item,
        "c_step": m * n * item,
    }
    batch = prod(node.shape[:-2])
    work = batch * m * n * k / PER_NS[kind]
    if batch > 1 or m * n * k < SMALL:
        launches = [("product", batch)]
        return Product(words, launches, 0, size_a + size_b, work, kind)
    packing = _cut_packing(words, tiling)
    launches = [("pack", packing), ("multiply", _cut_product(words, tiling))]
    return Product(words, launches, size_a + size_b, 0, work, kind)


def _cut_packing(words: dict[str, Any], tiling: gemm.Tiling) -> int:
    """Decide how many panels a chunk packs; how many chunks there are."""
    counts = []
    for side, total, width in (
        ("a", words["m"], tiling.rows),
        ("b", words["n"], tiling.columns),
    ):
        panels = ceil(total / width)
        each = min(panels, ceil(_PACKED_BY_CHUNK / (width * words["k"])))
        words[f"{side}_panels"] = each
        counts.append(ceil(panels / each))
    words["a_chunks"] = counts[0]
    return sum(counts)


def _cut_product(words: dict[str, Any], tiling: gemm.Tiling) -> int:
    """Decide which rectangle of the result a chunk is; how many there are."""
    m, n = words["m"], words["n"]
    wanted = min(MOST_CHUNKS, max(2, m * n * words["k"] // CHUNK))
    panels = ceil(n / tiling.columns)
    across = 1
    while across * 2 <= wanted and panels >= 8 * across:
        across *= 2
    down = max(ceil(m / MOST_ROWS), ceil(wanted / across))
    rows = min(m, _rounded(ceil(m / down), tiling.rows))
    columns = ceil(panels / across) * tiling.columns
    down = ceil(m / rows)
    words |= {"chunk_rows": rows, "chunk_columns": columns, "row_chunks": down}
    return down * ceil(n / columns)


def _rounded(n: int, unit: int) -> int:
    return -(-n // unit) * unit
