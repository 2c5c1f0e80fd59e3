"""DataLoader: batches of the samples of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ...errors import Unsupported
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, new_seed

T_co = TypeVar("T_co", covariant=True)
Collate = Callable[[list[Any]], Any]

FIXED = frozenset(
    {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset"}
    | {"persistent_workers"}
)


class DataLoader(Generic[T_co]):
    """An iterable over the batches of a data set.

    Args:
        dataset: the samples.
        batch_size: how many samples a batch has; None for single samples.
        shuffle: take the samples in another random order each time.
        sampler: indices in some order, in place of `shuffle`.
        batch_sampler: lists of indices, in place of everything about batches.
        num_workers: only 0 is supported: samples are loaded when they are asked for.
        collate_fn: makes a batch of a list of samples.
        drop_last: leave a smaller last batch out.
        generator: where the random numbers of `shuffle` come from.
        pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
            persistent_workers, pin_memory_device, in_order: what matters for worker
            processes and for GPUs.

    >>> import wengert as torch
    >>> from wengert.utils.data import DataLoader, TensorDataset
    >>> for (x,) in DataLoader(TensorDataset(torch.arange(5)), batch_size=2):
    ...     print(x)
    tensor([0, 1])
    tensor([2, 3])
    tensor([4])
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    sampler: Sampler[Any] | Iterable[Any]

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Collate | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        check_workers(
            num_workers,
            timeout,
            prefetch_factor,
            persistent_workers,
            multiprocessing_context,
        )
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            refuse_order(shuffle, sampler, batch_sampler)
        check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers
        if sampler is None and iterable:
            sampler = Endless()
        elif sampler is None and shuffle:
            sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
        elif sampler is None:
            sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        elif batch_size is not None:
            order: Any = sampler
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "_ready" in self.__dict__:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is "
                "initialized"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> None:
        """None: there are no worker processes."""

    @property
    def _index_sampler(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        new_seed(self.generator)  # PyTorch draws one, which its workers would use
        return Batches(self)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)  # type: ignore[arg-type]
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        extra = 0 if self.drop_last else self.batch_size - 1
        return (count + extra) // self.batch_size


class Endless(Sampler[None]):
    """Stands for indices where an iterable data set needs none."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class Batches:
    """One pass over the batches of a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.indices = iter(loader._index_sampler)
        iterable = isinstance(loader.dataset, IterableDataset)
        self.samples = iter(loader.dataset) if iterable else None

    def __iter__(self) -> Batches:
        return self

    def __len__(self) -> int:
        return len(self.loader)

    def __next__(self) -> Any:
        loader = self.loader
        chosen = next(self.indices)
        if self.samples is not None:
            return loader.collate_fn(self._following(chosen))
        if loader.batch_sampler is None:
            return loader.collate_fn(loader.dataset[chosen])
        return load(loader.dataset, list(chosen), loader.collate_fn)

    def _following(self, chosen: Any) -> Any:
        """Return the next samples of an iterable data set: as many as were chosen."""
        assert self.samples is not None
        if self.loader.batch_sampler is None:
            return next(self.samples)
        found = [sample for _, sample in zip(chosen, self.samples, strict=False)]
        if not found or (self.loader.drop_last and len(found) < len(chosen)):
            raise StopIteration
        return found


def load(dataset: Any, indices: list[Any], collate: Collate) -> Any:
    """Return the batch of the samples at some indices."""
    if collate is default_collate and isinstance(dataset, TensorDataset | Subset):
        batch = dataset.batch(indices)
        if batch is not None:
            return batch
    if callable(getattr(dataset, "__getitems__", None)):
        return collate(dataset.__getitems__(indices))
    return collate([dataset[i] for i in indices])


def get_worker_info() -> None:
    """Return None: samples are loaded by the process that asks for them."""
    return


# --- checks of the arguments ----------------------------------------------------------


def check_workers(
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
    multiprocessing_context: Any,
) -> None:
    """Refuse worker processes, and what only makes sense with them."""
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers > 0:
        raise Unsupported(
            f"DataLoader(num_workers={num_workers}): worker processes are not "
            "supported; use num_workers=0, which loads each batch when it is asked for"
        )
    if prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set "
            "prefetch_factor to None."
        )
    if persistent_workers:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if multiprocessing_context is not None:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading "
            f"(num_workers > 0), but got num_workers={num_workers}"
        )


def refuse_order(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """Refuse an order for samples that come one after the other."""
    given = {"sampler": sampler, "batch_sampler": batch_sampler}
    if shuffle:
        raise ValueError(
            "DataLoader with IterableDataset: expected unspecified shuffle option, but "
            f"got shuffle={shuffle}"
        )
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )


def check_batching(
    batch_size: int | None,
    shuffle: bool | None,
    sampler: Any,
    batch_sampler: Any,
    drop_last: bool,
) -> None:
    """Refuse options that contradict each other."""
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (
        batch_size != 1 or shuffle or sampler is not None or drop_last
    ):
        raise ValueError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, "
            "sampler, and drop_last"
        )
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive "
            "with drop_last"
        )
