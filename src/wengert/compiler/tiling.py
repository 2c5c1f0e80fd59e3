"""What the parts of `gemm` share: the tile's shape, and a product's arguments."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from . import llvm
from .emit import SIZES, Value
from .routine import Routine

FIELDS = (
    *("a", "b", "c", "packed_b"),  # packed for all chunks, or zero
    *("m", "n", "k", "depth"),
    *("a_down", "a_along", "b_down", "b_along"),  # strides; along k: a's and b's
    "direct",  # whether b is read as it lies
    "panels",  # that a chunk of the packing does
    *("chunk_rows", "chunk_columns", "row_chunks", "chunks"),  # of each product
    *("a_step", "b_step", "c_step"),  # bytes from one product of a batch to the next
    *("epilogue", "epilogue_args"),  # a kernel that each chunk ends with, or zero
    *("ahead0", "ahead1"),  # what it reads, laid out as c, or zero
)


@dataclass(frozen=True)
class Tiling:
    """How the target computes: a tile's rows, and its columns in vectors of lanes.

    With 32 registers 24 hold the tile, with 16 they are 12: the rest are for a row of
    the right operand, and one element of the left one.
    """

    kind: str
    lanes: int
    rows: int
    vectors: int = 3

    @property
    def columns(self) -> int:
        return self.lanes * self.vectors


@functools.cache
def tiling(kind: str) -> Tiling:
    width = llvm.machine().vector_bytes
    return Tiling(kind, width // SIZES[kind], 8 if width == 64 else 4)


class Function(Routine):
    """One of the functions of which products are made."""

    def __init__(self, tiling: Tiling) -> None:
        super().__init__(tiling.kind)
        self.tiling = tiling


class Kernel(Function):
    """A function that reads a product's arguments by name."""

    def argument(self, name: str) -> Value:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "i64")

    def pointer(self, name: str) -> str:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "ptr").text

    def flag(self, name: str) -> Value:
        return self.argument(name).compare("ne", 0)

    def choose(self, condition: Value, yes: str, no: str) -> str:
        """One of two pointers."""
        return self.op(f"select i1 {condition.text}, ptr {yes}, ptr {no}", "ptr").text

    def quotient(self, x: Value, y: int) -> Value:
        return self.binary("udiv", x + (y - 1), self.number(y))

    def deep(self, start: Value) -> Value:
        return self.least(self.argument("k") - start, self.argument("depth"))
