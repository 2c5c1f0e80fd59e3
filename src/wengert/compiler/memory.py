"""The memory plan: one arena, whose bytes are shared by buffers that do not meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALIGNMENT = 64
GUARD = 256  # bytes on each side of a buffer in a guarded arena
POISON = 0xA5


@dataclass(frozen=True)
class Lifetime:
    """A buffer's size and the first and last steps that touch it."""

    nbytes: int
    first: int
    last: int


def plan(lifetimes: list[Lifetime]) -> tuple[list[int], int]:
    """An offset for each buffer, and the arena's size.

    Large buffers are placed first, each at the lowest offset that is free during its
    whole life.
    """
    offsets = [0] * len(lifetimes)
    placed: list[tuple[int, int, Lifetime]] = []
    total = 0
    for i in sorted(range(len(lifetimes)), key=lambda i: -lifetimes[i].nbytes):
        life = lifetimes[i]
        size = _aligned(life.nbytes)
        offset = 0
        for start, end, other in sorted(placed, key=lambda entry: entry[0]):
            apart = other.last < life.first or life.last < other.first
            if apart or end <= offset:
                continue
            if start >= offset + size:
                break
            offset = end
        offsets[i] = offset
        placed.append((offset, offset + size, life))
        total = max(total, offset + size)
    return offsets, total


def plan_guarded(lifetimes: list[Lifetime]) -> tuple[list[int], int]:
    """Like `plan` with nothing shared and poisoned bytes around each buffer (tests)."""
    offsets, position = [], GUARD
    for life in lifetimes:
        offsets.append(position)
        position += _aligned(life.nbytes) + GUARD
    return offsets, position


def _aligned(nbytes: int) -> int:
    return max(1, -(-nbytes // ALIGNMENT)) * ALIGNMENT


def aligned_bytes(nbytes: int) -> np.ndarray:
    """Uninitialised bytes whose address is a multiple of the alignment."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT
    return raw[skip : skip + nbytes]


class GuardedBytes:
    """Poisoned memory that can tell whether anything outside of its buffers changed."""

    def __init__(self, nbytes: int, buffers: list[tuple[int, int]]) -> None:
        self.bytes = aligned_bytes(nbytes)
        self.bytes[:] = POISON
        self._outside = np.ones(nbytes, bool)
        for offset, size in buffers:
            self._outside[offset : offset + size] = False

    def check(self) -> None:
        """Raise AssertionError where a kernel wrote outside of its buffers."""
        touched = np.flatnonzero((self.bytes != POISON) & self._outside)
        assert not touched.size, f"bytes written outside of any buffer: {touched[:8]}"
