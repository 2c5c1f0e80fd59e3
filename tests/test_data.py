"""Data sets, samplers and loaders against PyTorch's, with the same random numbers."""

from collections import namedtuple

import numpy as np
import pytest
import torch

import wengert
from wengert.utils import data as ours

theirs = torch.utils.data
LIBRARIES = [(wengert, ours), (torch, theirs)]
Pair = namedtuple("Pair", "a b")


def plain(value):
    """Batches as nested lists, with the kinds of containers and dtypes kept."""
    if isinstance(value, torch.Tensor | wengert.Tensor):
        return ("tensor", str(value.dtype), value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (type(value).__name__, [plain(item) for item in value])
    return value


def both(call):
    """What a call gives in each library: a result, or the error's kind and text."""
    found = []
    for library, data in LIBRARIES:
        library.manual_seed(3)
        try:
            result = plain(call(library, data))
        except Exception as error:
            result = type(error).__name__, str(error)
        found.append((result, library.rand(1).item()))
    return found


def check_same(call):
    mine, reference = both(call)
    assert mine == reference


def rows(library, data, count=10):
    return data.TensorDataset(library.arange(count), library.arange(count) * 0.5)


LOADERS = {
    "in order": {"batch_size": 3},
    "single samples": {"batch_size": None},
    "shuffled": {"batch_size": 3, "shuffle": True},
    "shuffled, full batches": {"batch_size": 5, "shuffle": True},
    "last dropped": {"batch_size": 4, "shuffle": True, "drop_last": True},
}


@pytest.mark.parametrize("options", LOADERS.values(), ids=LOADERS)
def test_loader(options):
    check_same(lambda t, data: list(data.DataLoader(rows(t, data), **options)))


@pytest.mark.parametrize("options", LOADERS.values(), ids=LOADERS)
def test_length_of_loader(options):
    check_same(lambda t, data: len(data.DataLoader(rows(t, data), **options)))


def test_loader_with_generator_leaves_it_at_the_same_place():
    def call(library, data):
        generator = library.Generator().manual_seed(7)
        loader = data.DataLoader(
            rows(library, data), batch_size=4, shuffle=True, generator=generator
        )
        twice = [list(loader), list(loader)]
        return twice, library.rand(2, generator=generator)

    check_same(call)


def test_each_pass_has_another_order():
    def call(library, data):
        loader = data.DataLoader(rows(library, data), batch_size=10, shuffle=True)
        return [list(loader) for _ in range(3)]

    check_same(call)
    loader = ours.DataLoader(rows(wengert, ours, 50), batch_size=50, shuffle=True)
    first, second = [next(iter(loader))[0].tolist() for _ in range(2)]
    assert first != second
    assert sorted(first) == sorted(second) == list(range(50))


def test_rows_are_loaded_at_once_as_they_would_be_collated():
    class Counting(ours.TensorDataset):
        calls = 0

        def __getitem__(self, index):
            type(self).calls += 1
            return super().__getitem__(index)

    x = wengert.arange(6).reshape(3, 2)
    quick = ours.DataLoader(ours.TensorDataset(x, x * 2), batch_size=2)
    slow = ours.DataLoader(Counting(x, x * 2), batch_size=2)
    assert plain(list(quick)) == plain(list(slow))
    assert Counting.calls == 3


def test_subset_of_rows_is_loaded_as_its_samples():
    def call(library, data):
        subset = data.Subset(data.Subset(rows(library, data), [9, 7, 5, 3]), [3, 0, 1])
        return list(data.DataLoader(subset, batch_size=2)), len(subset), subset[1]

    check_same(call)


SAMPLERS = {
    "sequential": lambda data: data.SequentialSampler(range(5)),
    "random": lambda data: data.RandomSampler(range(5)),
    "random, several times": lambda data: data.RandomSampler(range(5), num_samples=12),
    "random, exactly twice": lambda data: data.RandomSampler(range(5), num_samples=10),
    "replaced": lambda data: data.RandomSampler(range(5), True, num_samples=70),
    "subset": lambda data: data.SubsetRandomSampler([4, 8, 15, 16, 23, 42]),
    "weighted": lambda data: data.WeightedRandomSampler([0.1, 0.5, 0.2], 8),
    "weighted once": lambda data: data.WeightedRandomSampler([0.1, 5, 2, 3], 3, False),
    "batches": lambda data: data.BatchSampler(range(7), 3, False),
    "full batches": lambda data: data.BatchSampler(range(7), 3, True),
}


@pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS)
def test_sampler(make):
    check_same(lambda _, data: (list(make(data)), len(make(data))))


@pytest.mark.parametrize("lengths", [[7, 3], [0.5, 0.25, 0.25], [1 / 3, 2 / 3], [10]])
def test_random_split(lengths):
    check_same(lambda _, data: [list(p) for p in data.random_split(range(10), lengths)])


SETS = {
    "concatenated": lambda t, d: d.ConcatDataset([range(3), range(10, 12)])[4],
    "from the end": lambda t, d: d.ConcatDataset([range(3), range(10, 12)])[-3],
    "added": lambda t, d: list(rows(t, d) + rows(t, d))[11],
    "length": lambda t, d: len(d.ConcatDataset([range(3), range(10, 12)])),
    "stacked": lambda t, d: d.StackDataset(range(3), range(5, 8))[1],
    "stacked by name": lambda t, d: d.StackDataset(x=range(3), y=range(5, 8))[2],
}


@pytest.mark.parametrize("call", SETS.values(), ids=SETS)
def test_dataset(call):
    check_same(call)


BATCHES = {
    "integers": lambda t: [1, 2],
    "floats": lambda t: [1.5, 2],
    "bools": lambda t: [True, False],
    "strings": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a", b"b"],
    "pairs": lambda t: [(1, "x"), (2, "y")],
    "lists": lambda t: [[1, 2.5], [3, 4.5]],
    "dictionaries": lambda t: [{"a": 1, "b": t.ones(2)}, {"a": 2, "b": t.zeros(2)}],
    "namedtuples": lambda t: [Pair(1, 2.0), Pair(3, 4.0)],
    "tensors": lambda t: [t.ones(2), t.zeros(2)],
    "arrays": lambda t: [np.ones(2), np.zeros(2)],
    "numpy numbers": lambda t: [np.float32(1), np.float32(2)],
    "nested": lambda t: [{"x": [(1, t.ones(1))]}, {"x": [(2, t.zeros(1))]}],
    "ragged": lambda t: [(1,), (2, 3)],
    "none": lambda t: [None],
    "an array of strings": lambda t: [np.array("a")],
}


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_collate(make):
    check_same(lambda library, data: data.default_collate(make(library)))


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_convert(make):
    check_same(lambda library, data: data.default_convert(make(library)))


def numbers(data, count):
    class Numbers(data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

    return Numbers()


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}],
    ids=str,
)
def test_iterable_dataset(options):
    check_same(lambda _, data: list(data.DataLoader(numbers(data, 5), **options)))


def test_chained_datasets():
    check_same(lambda _, data: list(numbers(data, 2) + numbers(data, 3)))


def test_collate_fn_gets_the_samples():
    check_same(
        lambda library, data: list(
            data.DataLoader(rows(library, data), batch_size=4, collate_fn=len)
        )
    )


def test_batched_fetch():
    class Squares(ours.Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [i * i for i in indices]

    batches = [b.tolist() for b in ours.DataLoader(Squares(), batch_size=3)]
    assert batches == [[0, 1, 4], [9]]


MISTAKES = {
    "no batch": lambda t, d: d.DataLoader(range(3), batch_size=0),
    "two orders": lambda t, d: d.DataLoader(range(3), shuffle=True, sampler=[0]),
    "batches twice": lambda t, d: d.DataLoader(
        range(3), batch_size=2, batch_sampler=[[0]]
    ),
    "drop without batches": lambda t, d: d.DataLoader(
        range(3), batch_size=None, drop_last=True
    ),
    "negative workers": lambda t, d: d.DataLoader(range(3), num_workers=-1),
    "negative timeout": lambda t, d: d.DataLoader(range(3), timeout=-1),
    "prefetch": lambda t, d: d.DataLoader(range(3), prefetch_factor=2),
    "persistent": lambda t, d: d.DataLoader(range(3), persistent_workers=True),
    "shuffled stream": lambda t, d: d.DataLoader(numbers(d, 3), shuffle=True),
    "sampled stream": lambda t, d: d.DataLoader(numbers(d, 3), sampler=[0]),
    "set later": lambda t, d: setattr(d.DataLoader(range(3)), "batch_size", 3),
    "empty": lambda t, d: d.DataLoader([], shuffle=True),
    "replacement": lambda t, d: d.RandomSampler(range(3), replacement=3),
    "no samples": lambda t, d: d.RandomSampler(range(3), num_samples=0),
    "drop_last": lambda t, d: d.BatchSampler(range(3), 2, 3),
    "weights": lambda t, d: d.WeightedRandomSampler([[1.0]], 2),
    "sizes": lambda t, d: d.TensorDataset(t.ones(2), t.ones(3)),
    "nothing to concatenate": lambda t, d: d.ConcatDataset([]),
    "too far": lambda t, d: d.ConcatDataset([range(3)])[-4],
    "no samples written": lambda t, d: d.Dataset()[0],
    "split too long": lambda t, d: d.random_split(range(10), [7, 4]),
    "split too much": lambda t, d: d.random_split(range(10), [0.7, 0.4]),
    "split negative": lambda t, d: d.random_split(range(10), [1.5, -0.5]),
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(call):
    mine, reference = both(call)
    assert isinstance(reference[0], tuple), "PyTorch accepts this"
    assert mine == reference


def test_workers_are_refused_with_what_to_do():
    with pytest.raises(NotImplementedError, match="use num_workers=0"):
        ours.DataLoader(range(3), num_workers=2)


def test_empty_part_of_a_split_is_said():
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        ours.random_split(range(3), [0.9, 0.1])
