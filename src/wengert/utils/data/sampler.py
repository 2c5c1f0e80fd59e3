"""Samplers: in which order the samples of a data set are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

from ... import dtypes
from ...generator import Generator
from ...ops.creation import empty
from ...ops.data import as_tensor
from ...ops.random import multinomial, randint, randperm

T_co = TypeVar("T_co", covariant=True)

DRAWN_AT_ONCE = 32


def new_seed(generator: Any = None) -> int:
    """Draw a seed for another generator."""
    seed: int = empty((), dtype=dtypes.int64).random_(generator=generator).item()
    return seed


def fresh_generator() -> Generator:
    """Return a generator with a seed drawn from the default one."""
    return Generator().manual_seed(new_seed())


class Sampler(Generic[T_co]):
    """Indices in some order: a subclass writes ``__iter__``."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """All indices in their order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices at random.

    Args:
        data_source: the data set.
        replacement: the same index may be drawn again.
        num_samples: how many to draw, by default as many as there are.
        generator: where random numbers come from.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        check_bool("replacement", replacement)
        check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator or fresh_generator()
        draw = self._draws if self.replacement else self._permutations
        yield from draw(generator)

    def _draws(self, generator: Any) -> Iterator[int]:
        """Yield independent draws, some at once."""
        count, total = len(self.data_source), self.num_samples
        for done in range(0, total, DRAWN_AT_ONCE):
            size = (min(DRAWN_AT_ONCE, total - done),)
            yield from randint(count, size, generator=generator).tolist()

    def _permutations(self, generator: Any) -> Iterator[int]:
        """Yield one permutation after the other.

        A last one is drawn even if nothing of it is taken, as PyTorch does.
        """
        count = len(self.data_source)
        whole, rest = divmod(self.num_samples, count)
        for _ in range(whole):
            yield from randperm(count, generator=generator).tolist()
        yield from randperm(count, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with given probabilities, which need not add up to one."""

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        check_count("num_samples", num_samples)
        check_bool("replacement", replacement)
        self.weights = as_tensor(weights, dtype=dtypes.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists.

    Args:
        sampler: the other sampler, or any iterable.
        batch_size: the length of the lists.
        drop_last: leave a shorter last list out.

    >>> from wengert.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, sampler: Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        check_count("batch_size", batch_size)
        check_bool("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        extra = 0 if self.drop_last else self.batch_size - 1
        return (count + extra) // self.batch_size


def check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        kind = "TypeError" if name == "replacement" else "ValueError"
        error = TypeError if kind == "TypeError" else ValueError
        raise error(f"{name} should be a boolean value, but got {name}={value}")


def check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(
            f"{name} should be a positive integer value, but got {name}={value}"
        )
