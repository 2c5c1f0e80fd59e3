"""The Fisher-Yates shuffle: by swaps, or all of its swaps at once.

For i = 0, 1, …, place i swaps its value with place i + offsets[i]. `offsets` has an
entry for each place but the last, whose value has nothing left to swap with.

Note [Swaps at once]
When step i comes, place i holds either i itself or what the latest earlier step that
swapped with it, its *source*, put there; that in turn is what the source's own place
held when that step came. So the held value is the root of a tree in which sources are
parents, and halving all paths to the roots finds it in a few vector operations. Step i
moves to place i what its partner holds: what the latest earlier step with the same
partner put there, or else the partner's own number. One sort by (partner, step) shows
both: the steps that share a partner become neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

FEW = 200  # up to here the swaps, one by one, are quicker


def shuffled(offsets: ndarray) -> ndarray:
    """The numbers from 0 to len(offsets), shuffled.

    >>> shuffled(np.array([2, 0, 1]))
    array([2, 1, 3, 0])
    """
    return _one_by_one(offsets) if len(offsets) < FEW else _at_once(offsets)


def _one_by_one(offsets: ndarray) -> ndarray:
    values = list(range(len(offsets) + 1))
    for place, offset in enumerate(offsets.tolist()):
        partner = place + offset
        values[place], values[partner] = values[partner], values[place]
    return np.array(values)


def _at_once(offsets: ndarray) -> ndarray:
    """See note [Swaps at once]."""
    partner, step = _sorted_by_partner(offsets)
    held = np.arange(len(partner))
    held[partner] = step  # of several steps with one partner, the latest stays
    # a place that swaps with itself has its source in the step before, if in any
    own = np.flatnonzero(step == partner)
    place, before = partner[own], own - 1
    held[place] = np.where(partner[before] == place, step[before], place)
    held = _roots(held)
    shared = np.flatnonzero(partner[1:] == partner[:-1])
    partner[shared + 1] = held.take(step.take(shared))
    values = np.empty_like(held)
    values[step] = partner
    return values


def _sorted_by_partner(offsets: ndarray) -> tuple[ndarray, ndarray]:
    """Each step's partner, and the step, in the order of partners, then of steps."""
    count = len(offsets) + 1
    width = count.bit_length()
    kind: Any = np.uint32 if 2 * width <= 32 else np.uint64
    step = np.arange(count, dtype=kind)
    key = step.copy()
    key[:-1] += offsets.astype(kind)
    key <<= kind(width)
    key |= step
    key.sort()
    step = key & kind((1 << width) - 1)
    key >>= kind(width)
    return key.astype(np.intp), step.astype(np.intp)


def _roots(parents: ndarray) -> ndarray:
    """The root of each node's tree; a root is its own parent."""
    parents = parents.take(parents)  # most nodes are there at once
    nodes = np.flatnonzero(parents != parents.take(parents))
    while len(nodes):
        old = parents.take(nodes)
        new = parents.take(old)
        parents[nodes] = new
        nodes = nodes.take(np.flatnonzero(new != old))
    return parents
