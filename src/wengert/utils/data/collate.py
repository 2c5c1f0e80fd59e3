"""Making one batch of many samples."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

import numpy as np

from ... import dtypes
from ...ops.data import as_tensor, tensor
from ...ops.joining import stack
from ...tensor import Tensor


def default_convert(data: Any) -> Any:
    """Make tensors of the arrays in a sample."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return as_tensor(data) if np.asarray(data).dtype.kind in "biufc" else data
    if isinstance(data, Mapping):
        return rebuilt(data, {key: default_convert(data[key]) for key in data})
    if is_namedtuple(data):
        return type(data)(*[default_convert(item) for item in data])
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return rebuilt(data, [default_convert(item) for item in data])
    return data


def default_collate(batch: Sequence[Any]) -> Any:
    """Make one batch of samples: tensors and numbers are stacked, at any depth.

    Args:
        batch: samples of the same structure.

    >>> from wengert.utils.data import default_collate
    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    sample = batch[0]
    if isinstance(sample, Tensor):
        return stack(list(batch), 0)
    if isinstance(sample, np.ndarray) and sample.dtype.kind in "biufc":
        return stack([as_tensor(item) for item in batch], 0)
    if isinstance(sample, np.generic) and sample.dtype.kind in "biufc":
        return as_tensor(np.asarray(batch))
    if isinstance(sample, np.ndarray | np.generic):
        raise cannot_collate(sample.dtype)
    if isinstance(sample, float):
        return tensor(batch, dtype=dtypes.float64)
    if isinstance(sample, int):
        return tensor(batch)
    if isinstance(sample, str | bytes):
        return batch
    if isinstance(sample, Mapping):
        found = {key: default_collate([item[key] for item in batch]) for key in sample}
        return rebuilt(sample, found)
    if is_namedtuple(sample):
        return type(sample)(
            *[default_collate(items) for items in zip(*batch, strict=True)]
        )
    if isinstance(sample, Sequence):
        if any(len(item) != len(sample) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(items) for items in zip(*batch, strict=True)]
        return columns if isinstance(sample, tuple) else rebuilt(sample, columns)
    raise cannot_collate(type(sample))


def cannot_collate(kind: object) -> TypeError:
    return TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or "
        f"lists; found {kind}"
    )


def is_namedtuple(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def rebuilt(like: Any, content: Any) -> Any:
    """Return a container like another with new content, or the plain content."""
    try:
        if isinstance(like, MutableMapping):
            filled = copy(like)
            filled.update(content)
            return filled
        if isinstance(like, MutableSequence):
            made = copy(like)
            for i, item in enumerate(content):
                made[i] = item
            return made
        return type(like)(content)
    except TypeError:
        return content
