"""Data sets: samples by their indices, or one after the other."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, Generic, TypeVar

from ...ops.random import randperm
from ...tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by their indices.

    A subclass writes ``__getitem__``, and ``__len__`` if samplers are to know how many
    there are. If it has ``__getitems__``, loaders call that with the list of a batch's
    indices.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples one after the other: a subclass writes ``__iter__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(
            "Subclasses of IterableDataset should implement __iter__."
        )

    def __add__(self, other: Dataset[T_co]) -> Any:
        return ChainDataset([self, other])  # type: ignore[list-item]


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples that are the rows of tensors.

    Args:
        tensors: with the same size of the first dimension.

    >>> import wengert as torch
    >>> from wengert.utils.data import TensorDataset
    >>> TensorDataset(torch.arange(3), torch.zeros(3))[1]
    (tensor(1), tensor(0.))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.shape[0] != tensors[0].shape[0] for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def batch(self, indices: list[int]) -> Any:
        """Return a batch as collating its samples would make it, in one operation.

        None if the samples are not simply the rows, because a subclass changed that.
        """
        if type(self).__getitem__ is not TensorDataset.__getitem__:
            return None
        return [tensor[indices] for tensor in self.tensors]


class StackDataset(Dataset[Any]):
    """Samples composed of those of several data sets: tuples, or dictionaries.

    Args:
        args, kwargs: the data sets, which have the same length; either without or with
            names.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or ``dict``- (via "
                "``kwargs``) like input/output, but both types are given."
                if args
                else "At least one dataset should be passed"
            )
        self.datasets: Any = kwargs or args
        lengths = {len(dataset) for dataset in (*args, *kwargs.values())}
        if len(lengths) > 1:
            raise ValueError("Size mismatch between datasets")
        (self._length,) = lengths

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """The samples of several data sets, one set after the other."""

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        sizes: list[int] = [len(d) for d in self.datasets]  # type: ignore[arg-type]
        self.cumulative_sizes = list(accumulate(sizes))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        if index < 0:
            if -index > len(self):
                raise ValueError(
                    "absolute value of index should not exceed dataset length"
                )
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]


class ChainDataset(IterableDataset[T_co]):
    """The samples of several iterable data sets, one set after the other."""

    def __init__(self, datasets: Iterable[IterableDataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from dataset

    def __len__(self) -> int:
        sizes: list[int] = [len(d) for d in self.datasets]  # type: ignore[arg-type]
        return sum(sizes)


class Subset(Dataset[T_co]):
    """Some samples of a data set, by their indices."""

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.dataset.__getitems__(chosen)  # type: ignore[attr-defined]
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, indices: list[int]) -> Any:
        """Return a batch as the data set makes it in one operation, or None."""
        make = getattr(self.dataset, "batch", None)
        if type(self) is not Subset or not isinstance(
            self.dataset, TensorDataset | Subset
        ):
            return None
        return make([self.indices[i] for i in indices])  # type: ignore[misc]


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[float], generator: Any = None
) -> list[Subset[T_co]]:
    """Split a data set at random.

    Args:
        lengths: of the parts: numbers of samples, or fractions that add up to one; what
            these leave over goes to the first parts, one sample to each.
        generator: where random numbers come from.

    >>> from wengert.utils.data import random_split
    >>> [len(part) for part in random_split(range(10), [0.5, 0.25, 0.25])]
    [6, 2, 2]
    """
    count = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = lengths_of(lengths, count)
    if sum(lengths) != count:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset!"
        )
    order = randperm(count, generator=generator).tolist()
    ends = [int(end) for end in accumulate(chain([0], lengths))]
    return [Subset(dataset, order[start:end]) for start, end in pairwise(ends)]


def lengths_of(fractions: Sequence[float], count: int) -> list[int]:
    """Return how many of `count` samples belong to each fraction."""
    lengths = []
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        lengths.append(math.floor(count * fraction))
    for i in range(count - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, length in enumerate(lengths):
        if length == 0:
            warnings.warn(
                f"Length of split at index {i} is 0. This might result in an empty "
                "dataset.",
                stacklevel=3,
            )
    return lengths
