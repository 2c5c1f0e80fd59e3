"""The stream of random bits, MT19937, in the batches that PyTorch takes from it.

NumPy's implementation makes the 32-bit *words* in bulk; a stream remembers where it is,
and can tell and be told so in the bytes of PyTorch's generator states.
"""

from __future__ import annotations

import math
import os
from operator import index
from typing import Any, Self

import numpy as np
from numpy import ndarray

from .ranges import require

DEFAULT_SEED = 67280421310721
BATCH = 624  # words that MT19937 makes at a time
FEW = 4000  # long words that are quicker made of short ones

# The bytes that PyTorch's get_state() returns.
STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # how many words of the batch are left, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),  # how many words of the batch are taken
        ("key", "<u8", BATCH),
        ("unused_x", "<f8"),
        ("next_normal", "<f8"),
        ("unused_rho", "<f8"),
        ("has_next_normal", "<i4"),
        ("unused_single", "V12"),
    ]
)


class Stream:
    """A stream of random words, and of the simplest numbers that are made of them."""

    __slots__ = ("_seed", "_engine", "_fresh", "_next_normal")
    _engine: Any  # numpy.random.MT19937, from the first draw on
    _fresh: bool  # nothing was drawn since seeding; the engine is not yet seeded
    _next_normal: float | None  # the second normal number of a pair

    def __init__(self) -> None:
        self._engine = None
        self._restart(DEFAULT_SEED)

    # --- Seed and state ---------------------------------------------------------------

    def manual_seed(self, seed: int) -> Self:
        """Start the stream that belongs to `seed`, and return the generator.

        Args:
            seed: from -2⁶³ to 2⁶⁴ - 1; a negative one counts from 2⁶⁴.

        Raises:
            RuntimeError: `seed` is not an integer.
            ValueError: `seed` is out of range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            kind = type(seed).__name__
            raise RuntimeError(f"manual_seed expected a long, but got {kind}")
        if not -(2**63) <= index(seed) < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._restart(index(seed) % 2**64)
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foresee, and return its seed."""
        self._restart(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        return self._seed

    def get_state(self) -> ndarray:
        """Where the stream is, as the 5056 bytes that PyTorch's `get_state` returns."""
        if self._fresh:
            self._seed_engine()
        mt19937 = self._engine.state["state"]
        taken = 0 if self._fresh else mt19937["pos"]
        state = np.zeros(1, STATE)
        state["seed"] = self._seed
        state["left"] = 1 if self._fresh else BATCH + 1 - taken
        state["seeded"] = 1
        state["next"] = taken
        state["key"] = mt19937["key"]
        if self._next_normal is not None:
            state["next_normal"] = self._next_normal
            state["has_next_normal"] = 1
        return state.view(np.uint8)

    def set_state(self, new_state: ndarray) -> None:
        """Go to where a stream was when `get_state`, here or PyTorch's, returned this.

        Raises:
            TypeError: `new_state` is not an array of bytes.
            RuntimeError: it is not a state.
        """
        if new_state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        require(
            new_state.size == STATE.itemsize,
            f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the "
            f"input RNG state size to be {new_state.size}",
        )
        state = np.ascontiguousarray(new_state).reshape(-1).view(STATE)[0]
        left, taken = int(state["left"]), int(state["next"])
        fresh = (left, taken) == (1, 0)
        valid = fresh or (0 < left <= BATCH and left + taken == BATCH + 1)
        require(state["seeded"] == 1 and valid, "Invalid mt19937 state")
        self._restart(int(state["seed"]))
        if not fresh:
            self._start()
            mt19937 = {"key": state["key"].astype(np.uint32), "pos": taken}
            self._engine.state = {"bit_generator": "MT19937", "state": mt19937}
        if state["has_next_normal"]:
            self._next_normal = float(state["next_normal"])

    def _restart(self, seed: int) -> None:
        self._seed = seed
        self._fresh = True
        self._next_normal = None

    def _start(self) -> None:
        self._seed_engine()
        self._fresh = False

    def _seed_engine(self) -> None:
        from numpy.random import MT19937, RandomState  # importing it takes milliseconds

        if self._engine is None:
            self._engine = MT19937(0)
        RandomState(self._engine).seed(self._seed % 2**32)

    # --- Words and uniform numbers ----------------------------------------------------

    def _words(self, count: int) -> ndarray:
        """The next 32-bit words, each in 64 bits."""
        if count == 0:
            return np.empty(0, np.uint64)
        if self._fresh:
            self._start()
        words: ndarray = self._engine.random_raw(count)
        return words

    def _long_words(self, count: int) -> ndarray:
        """The next 64-bit words, each made of two words, the upper half first."""
        if count > FEW:  # one pass in place of three, but several microseconds to begin
            return self._many_long_words(count)
        words = self._words(2 * count)
        long = words[::2] << np.uint64(32)
        long |= words[1::2]
        return long

    def _many_long_words(self, count: int) -> ndarray:
        from numpy.random import RandomState  # whose streams NumPy never changes

        if self._fresh:
            self._start()
        return RandomState(self._engine).randint(0, 2**64, count, np.uint64)

    def _singles(self, count: int) -> ndarray:
        """Uniform numbers of [0, 1) that have 24 bits, in float32."""
        bits = self._words(count).astype(np.int32)
        bits &= 2**24 - 1
        uniform = bits.astype(np.float32)
        uniform *= np.float32(2**-24)
        return uniform

    def _doubles(self, count: int) -> ndarray:
        """Uniform numbers of [0, 1) that have 53 bits, in float64."""
        bits = self._long_words(count).view(np.int64)
        bits &= 2**53 - 1
        uniform = bits.astype(np.float64)
        uniform *= 2.0**-53
        return uniform

    def _below(self, count: int, bound: float) -> ndarray:
        """Whether uniform numbers of [0, 1) that have 53 bits are less than a bound."""
        bits = self._long_words(count)
        bits &= np.uint64(2**53 - 1)
        below: ndarray = bits < np.uint64(math.ceil(bound * 2**53))
        return below

    def _next_double(self) -> float:
        upper, lower = self._words(2).tolist()
        bits: int = (upper << 32 | lower) & (2**53 - 1)
        return bits * 2.0**-53

    def _next_normal_number(self) -> float:
        waiting, self._next_normal = self._next_normal, None
        if waiting is not None:
            return waiting
        angle = 2 * math.pi * self._next_double()
        radius = math.sqrt(-2 * math.log1p(-self._next_double()))
        self._next_normal = radius * math.sin(angle)
        return radius * math.cos(angle)
