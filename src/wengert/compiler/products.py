"""How a matrix product is cut into launches of `gemm`'s functions."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd, prod
from typing import Any

from . import gemm
from .emit import llvm_type
from .graph import Node
from .layout import matrix_layout
from .tiling import FIELDS, Tiling, tiling
from .values import Argument

CHUNK = 1_000_000  # multiplications that are worth a chunk
HALVED = 50_000  # ... that two threads do sooner than one: 1 us
MOST_CHUNKS = 16
ROWS = 64  # ... are enough for a chunk
PER_NS = {"float": 50, "double": 25}  # multiplications, roughly
OWN = 100_000  # elements that are rather packed by several chunks than in a launch
FEW = 4  # tiles for which packing does not pay
WAY = 1 << 17  # bytes after which a core's cache maps memory to the same places again
_PACKED_BY_CHUNK = 32768  # elements


@dataclass
class Product:
    """What `launches` needs to know: ``words`` by the names of `tiling.FIELDS`."""

    words: dict[str, Any]
    chunks: int
    packs: int = 0  # chunks of the packing
    packed: int = 0  # bytes of an operand that is packed for all chunks
    scratch: int = 0  # bytes of each thread
    rows: int = 0  # of each chunk
    nanoseconds: float = 0.0
    kind: str = "float"

    def arguments(self, packed: int) -> list[Any]:
        """The arguments, where the packed operand begins at an address."""
        words = self.words | ({"packed_b": packed} if self.packed else {})
        return [words[name] for name in FIELDS]


def plan(node: Node, most: int = 0) -> Product:
    """Decide how to compute a product.

    Args:
        node: the product.
        most: if given, chunks must be whole rows, and not be more than that.
    """
    a, b = node.inputs
    kind = llvm_type(node.dtype)
    item, tiles = node.dtype.itemsize, tiling(kind)
    (m, k), n = a.shape[-2:], b.shape[-1]
    base_a, offset_a, (a_down, a_along), batch_a = matrix_layout(a)  # type: ignore[misc]
    base_b, offset_b, (b_along, b_down), batch_b = matrix_layout(b)  # type: ignore[misc]
    batch = prod(node.shape[:-2])
    rows, columns = _cut(m, n, k, batch, tiles, most)
    down, across = ceil(m / rows), ceil(n / columns)
    depth = ceil(k / ceil(k / gemm.DEPTH))
    direct = b_down == 1 and n % tiles.lanes == 0
    direct = direct and (m <= FEW * tiles.rows or not _crowd(b_along * item, depth))
    words = dict.fromkeys(FIELDS, 0) | {
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
        "direct": int(direct),
        "chunk_rows": rows,
        "chunk_columns": columns,
        "row_chunks": down,
        "chunks": down * across,
        "a_step": batch_a * item,
        "b_step": batch_b * item,
        "c_step": m * n * item,
    }
    product = Product(words, batch * down * across, kind=kind)
    product.nanoseconds = batch * m * n * k / PER_NS[kind]
    product.rows = rows
    if batch == 1 and n * k * (down - 1) > OWN and not direct:
        _share(product, tiles, item)
    elif not direct:
        product.scratch = _rounded(columns, tiles.lanes) * depth * item
    return product


def _cut(
    m: int, n: int, k: int, batch: int, tiles: Tiling, most: int
) -> tuple[int, int]:
    """Decide how many rows or columns a chunk has: all of one of them."""
    work = batch * m * n * k
    wanted = max(1, max(work // CHUNK, 1 + (work >= HALVED)) // batch)
    panels = ceil(n / tiles.columns)
    parts = min(wanted, MOST_CHUNKS)
    if not most and m <= n and panels >= 3 * parts:
        return m, ceil(panels / parts) * tiles.columns
    rows = min(ROWS, ceil(m / MOST_CHUNKS))
    rows = max(rows, ceil(m / wanted), ceil(m / (most or m)))
    return _rounded(rows, tiles.rows), n


def _crowd(stride: int, count: int) -> bool:
    """Whether rows so many bytes apart fall into the same few sets of a cache."""
    return count * gcd(stride, WAY) > 4 * WAY


def _share(product: Product, tiles: Tiling, item: int) -> None:
    """Let a launch pack the right operand for all chunks."""
    words = product.words
    panels = ceil(words["n"] / tiles.columns)
    each = min(panels, ceil(_PACKED_BY_CHUNK / (tiles.columns * words["k"])))
    words["panels"] = each
    product.packed = _rounded(words["n"], tiles.lanes) * words["k"] * item
    product.packs = ceil(panels / each)


def _rounded(n: int, unit: int) -> int:
    return -(-n // unit) * unit
