"""How a matrix product is cut into launches of `gemm`'s functions."""

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
HALVED = 50_000  # ... that two threads do sooner than one: 1 us
MOST_CHUNKS = 16
PER_NS = {"float": 50, "double": 25}  # multiplications, roughly
OWN = 40_000  # elements: an operand that every chunk rather packs for itself
_PACKED_BY_CHUNK = 32768  # elements


@dataclass
class Product:
    """What `native` needs to know: ``words`` are in the order of ``gemm.FIELDS``."""

    words: dict[str, Any]
    launches: list[tuple[str, int]]  # functions and how many chunks
    shared: str = ""  # the argument that says where an operand is packed for all chunks
    packed: int = 0  # ... in how many bytes
    scratch: int = 0  # bytes of each thread
    nanoseconds: float = 0.0
    kind: str = "float"

    def arguments(self, packed: int) -> list[Any]:
        """The arguments, where the packed operand begins at an address."""
        words = self.words | ({self.shared: packed} if self.shared else {})
        return [words[name] for name in gemm.FIELDS]


def plan(node: Node) -> Product:
    a, b = node.inputs
    kind = llvm_type(node.dtype)
    item, tiling = node.dtype.itemsize, gemm.tiling(kind)
    (m, k), n = a.shape[-2:], b.shape[-1]
    base_a, offset_a, (a_down, a_along), batch_a = matrix_layout(a)  # type: ignore[misc]
    base_b, offset_b, (b_along, b_down), batch_b = matrix_layout(b)  # type: ignore[misc]
    batch = prod(node.shape[:-2])
    rows, columns = _cut(m, n, k, batch, tiling)
    down, across = ceil(m / rows), ceil(n / columns)
    depth = ceil(k / ceil(k / gemm.DEPTH))
    own_b = _rounded(rows, tiling.rows) * depth
    words = dict.fromkeys(gemm.FIELDS, 0) | {
        "a": Argument("node", base_a, offset_a * item),
        "b": Argument("node", base_b, offset_b * item),
        "c": Argument("node", node),
        "m": m,
        "n": n,
        "k": k,
        "depth": depth,
        "a_down": a_down,
        "a_along": a_along,
        "b_down": b_down,
        "b_along": b_along,
        "chunk_rows": rows,
        "chunk_columns": columns,
        "row_chunks": down,
        "chunks": down * across,
        "a_step": batch_a * item,
        "b_step": batch_b * item,
        "c_step": m * n * item,
        "own_b": own_b,
    }
    product = Product(words, [("multiply", batch * down * across)], kind=kind)
    product.nanoseconds = batch * m * n * k / PER_NS[kind]
    product.scratch = (own_b + _rounded(columns, tiling.lanes) * depth) * item
    if batch == 1 and across > 1 and m * k > OWN:
        _share(product, "packed_a", m, tiling.rows, tiling.rows)
    elif batch == 1 and down > 1 and n * k > OWN:
        _share(product, "packed_b", n, tiling.columns, tiling.lanes)
    return product


def _cut(m: int, n: int, k: int, batch: int, tiling: gemm.Tiling) -> tuple[int, int]:
    """Decide how many rows or columns a chunk of a product has: all of one of them."""
    work = batch * m * n * k
    wanted = min(MOST_CHUNKS, max(work // CHUNK, 1 + (work >= HALVED)))
    wanted = max(1, wanted // batch)
    panels = ceil(n / tiling.columns)
    if m <= n and panels >= 3 * wanted:
        return m, ceil(panels / wanted) * tiling.columns
    return _rounded(ceil(m / wanted), tiling.rows), n


def _share(product: Product, where: str, count: int, width: int, unit: int) -> None:
    """Let a launch pack an operand for all chunks."""
    words = product.words
    item = 4 if product.kind == "float" else 8
    panels = ceil(count / width)
    each = min(panels, ceil(_PACKED_BY_CHUNK / (width * words["k"])))
    words["panels"] = each
    product.shared = where
    product.packed = _rounded(count, unit) * words["k"] * item
    product.launches.insert(0, ("pack", ceil(panels / each)))


def _rounded(n: int, unit: int) -> int:
    return -(-n // unit) * unit
