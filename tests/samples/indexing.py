"""Samples of ops with indices and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample

MOVES = "f"
ALL_MOVES = "fhibc"
"""The dtypes of ops that only move elements, for one sample of each."""
MATRIX = [(3, 4)]
CUBE = [(2, 3, 4)]
SCALAR: list[Any] = [()]

ROWS = np.array([2, 0, 2])
COLUMNS = np.array([1, 3, 1])
GRID = np.array([[0, 2, 1], [2, 2, 0]])
SQUARE = np.array([[0, 1, 2, 0], [2, 2, 1, 0]])
MASK = np.array([[1, 0, 0, 1], [0, 0, 1, 0], [1, 1, 1, 0]], bool)
ROW_MASK = np.array([True, False, True])
NOTHING = np.array([], np.int64)


def named(name: str, call: Any, inputs: Any = MATRIX, **settings: Any) -> Sample:
    """Return a sample of any call."""
    settings.setdefault("dtypes", MOVES)
    return Sample(name, call, inputs, **settings)


def picked(name: str, call: Any, *indices: Any, **settings: Any) -> Sample:
    """Return a sample of reading a matrix at indices."""
    return named(f"getitem_{name}", call, [(3, 4), *indices], **settings)


def written(name: str, write: Any, *others: Any, **settings: Any) -> Sample:
    """Return a sample of writing into a copy of a matrix."""

    def call(t: Any, x: Any, *rest: Any) -> Any:
        result = x * 1
        write(t, result, *rest)
        return result

    return named(f"setitem_{name}", call, [(3, 4), *others], **settings)


BASIC = [
    picked("first", lambda t, x: x[0], dtypes=ALL_MOVES),
    picked("last", lambda t, x: x[-1]),
    picked("column", lambda t, x: x[:, 1]),
    picked("element", lambda t, x: x[1, 2]),
    picked("chained", lambda t, x: x[1][2], grad_fn=True),
    picked("slice", lambda t, x: x[1:]),
    picked("slices", lambda t, x: x[1:, :2]),
    picked("steps", lambda t, x: x[::2, 1::2]),
    picked("negative_slice", lambda t, x: x[-2:-1, :-1]),
    picked("far_slice", lambda t, x: x[1:100, -100:2]),
    picked("empty_slice", lambda t, x: x[2:1]),
    picked("whole", lambda t, x: x[:]),
    picked("whole_twice", lambda t, x: x[:, :]),
    picked("ellipsis", lambda t, x: x[...]),
    picked("ellipsis_first", lambda t, x: x[..., 0]),
    picked("ellipsis_last", lambda t, x: x[0, ...]),
    picked("none", lambda t, x: x[None]),
    picked("nones", lambda t, x: x[None, :, None, 1]),
    picked("none_last", lambda t, x: x[..., None]),
    picked("tensor_bound", lambda t, x, i: x[i : i + 1], np.array(1)),
    picked("numpy_integer", lambda t, x: x[np.int64(1), np.int32(2)]),
    picked("tensor_integer", lambda t, x, i: x[i], np.array(2)),
    picked("empty_tuple", lambda t, x: x[()]),
    picked("of_view", lambda t, x: x.T[1:, 0][None]),
    named("getitem_cube", lambda t, x: x[0, :, 1:3], CUBE),
    named("getitem_cube_middle", lambda t, x: x[..., 1, :], CUBE),
    named("getitem_scalar", lambda t, x: x[...], SCALAR),
    named("getitem_scalar_none", lambda t, x: x[None], SCALAR),
    named("select", lambda t, x: x.select(1, -2), CUBE, dtypes=ALL_MOVES),
    named("narrow", lambda t, x: x.narrow(1, 1, 2), CUBE),
    named("narrow_negative", lambda t, x: x.narrow(0, -2, 1)),
    named(
        "narrow_by_tensor", lambda t, x, i: t.narrow(x, 0, i, 2), [(3, 4), np.array(1)]
    ),
]

ADVANCED = [
    picked("rows", lambda t, x, i: x[i], ROWS, dtypes=ALL_MOVES),
    picked("list", lambda t, x: x[[0, 2, 0]]),
    picked("range", lambda t, x: x[range(2)]),
    picked("array", lambda t, x: x[np.array([1, -1])]),
    picked("negative", lambda t, x, i: x[i], np.array([-1, -3, 0])),
    picked("columns", lambda t, x, i: x[:, i], COLUMNS),
    picked("both", lambda t, x, i, j: x[i, j], ROWS, COLUMNS),
    picked("broadcast", lambda t, x, i, j: x[i[:, None], j], ROWS, COLUMNS),
    picked("grid", lambda t, x, i: x[i], GRID),
    picked("int32", lambda t, x, i: x[i.int()], ROWS),
    picked("with_integer", lambda t, x, i: x[0, i], COLUMNS),
    picked("with_none", lambda t, x, i: x[None, i], ROWS),
    picked("with_slice", lambda t, x, i: x[1:, i], COLUMNS),
    picked("nested_lists", lambda t, x: x[[[0, 1], [2, 3]]]),
    picked("nothing", lambda t, x, i: x[i], NOTHING),
    picked("mask", lambda t, x, m: x[m], MASK, dtypes=ALL_MOVES),
    picked("row_mask", lambda t, x, m: x[m], ROW_MASK),
    picked("column_mask", lambda t, x: x[:, [True, False, False, True]]),
    picked("byte_mask", lambda t, x, m: x[m.to(t.uint8)], MASK),
    picked("mask_of_none", lambda t, x, m: x[m & False], MASK),
    picked("true", lambda t, x: x[True]),
    picked("false", lambda t, x: x[False]),
    picked("comparison", lambda t, x: x[x > 0], dtypes="f", smooth=False),
    named(
        "getitem_separated",
        lambda t, x, i, j: x[i, :, j],
        [(3, 2, 4), ROWS, COLUMNS],
    ),
    named(
        "getitem_adjacent",
        lambda t, x, i, j: x[:, i, j],
        [(2, 3, 4), ROWS, COLUMNS],
    ),
    named(
        "getitem_integer_apart",
        lambda t, x, i: x[0, :, i],
        [(2, 3, 4), COLUMNS],
    ),
    named(
        "getitem_mask_and_rows",
        lambda t, x, m, i: x[m, i],
        [(3, 4, 3), MASK, np.array([0])],
    ),
    named("getitem_many", lambda t, x, i: x[i], [(5, 40), np.arange(40) % 5]),
]

WRITES = [
    written("row", lambda t, x: x.__setitem__(0, 5.0)),
    written("element", lambda t, x: x.__setitem__((0, -1), 5)),
    written("column", lambda t, x, v: x.__setitem__((slice(None), 1), v), (3,)),
    written("broadcast", lambda t, x, v: x.__setitem__(slice(1, None), v), (1, 4)),
    written("leading_ones", lambda t, x, v: x.__setitem__(0, v), (1, 1, 4)),
    written("scalar_tensor", lambda t, x, v: x.__setitem__(1, v), ()),
    written("whole", lambda t, x, v: x.__setitem__(..., v), (4,)),
    written("rows", lambda t, x, i, v: x.__setitem__(i, v), np.array([2, 0]), (4,)),
    written(
        "both",
        lambda t, x, i, j, v: x.__setitem__((i, j), v),
        np.array([0, 2]),
        np.array([1, 3]),
        (2,),
    ),
    written("mask", lambda t, x, m, v: x.__setitem__(m, v), MASK, (6,)),
    written("mask_scalar", lambda t, x, m: x.__setitem__(m, -1.0), MASK),
    written("column_list", lambda t, x, v: x.__setitem__((1, [0, 2]), v), (2,)),
    written("own_values", lambda t, x: x.__setitem__(x > 0, x[x > 0] * 3), dtypes="f"),
    written("through_view", lambda t, x, v: x.T[1].__setitem__(slice(0, 2), v), (2,)),
    written("from_itself", lambda t, x, v: x.__setitem__(0, x[1].clone() * v), (4,)),
]

PUTS = [
    named(
        "index_put",
        lambda t, x, i, v: x.index_put((i,), v),
        [(3, 4), np.array([2, 0]), (2, 4)],
        dtypes=ALL_MOVES,
    ),
    named(
        "index_put_accumulate",
        lambda t, x, i, j, v: x.index_put((i, j), v, accumulate=True),
        [(3, 4), ROWS, COLUMNS, ()],
    ),
    named(
        "index_put_",
        lambda t, x, i, v: (x * 1).index_put_((i,), v, True),
        [(3, 4), ROWS, (4,)],
    ),
]

ALONG = [
    named("gather", lambda t, x, i: x.gather(1, i), [(3, 4), GRID], dtypes=ALL_MOVES),
    named("gather_rows", lambda t, x, i: t.gather(x, 0, i), [(3, 4), SQUARE]),
    named("gather_last", lambda t, x, i: x.gather(-1, i.int()), [(3, 4), GRID]),
    named(
        "gather_scalar",
        lambda t, x, i: x.gather(0, i),
        [(), np.array(0)],
        grad_fn=False,
    ),
    named("gather_nothing", lambda t, x, i: x.gather(0, i), [(3, 4), NOTHING]),
    named(
        "gather_many",
        lambda t, x, i: x.gather(1, i),
        [(2, 3, 50), np.arange(6000).reshape(2, 100, 30) % 3],
        dtypes="f",
    ),
    named("take_along_dim", lambda t, x, i: x.take_along_dim(i, 1), [(1, 4), GRID]),
    named(
        "take_along_dim_all",
        lambda t, x, i: t.take_along_dim(x.contiguous(), i),
        [(3, 4), ROWS],
    ),
    named("index_select", lambda t, x, i: x.index_select(0, i), [(3, 4), ROWS]),
    named("index_select_1", lambda t, x, i: x.index_select(1, i), [(3, 4), COLUMNS]),
    named(
        "index_select_scalar",
        lambda t, x, i: x.index_select(0, i),
        [(), np.array([0])],
        grad_fn=False,
    ),
    named(
        "take",
        lambda t, x, i: x.contiguous().take(i),
        [(3, 4), np.array([[11, -1], [0, 11]])],
    ),
    named(
        "embedding",
        lambda t, w, i: t.nn.functional.embedding(i, w),
        [(3, 4), GRID],
        dtypes="f",
    ),
    named(
        "embedding_padding",
        lambda t, w, i: t.nn.functional.embedding(i, w, padding_idx=-1),
        [(3, 4), GRID],
        dtypes="f",
        smooth=False,
    ),
    named(
        "embedding_frequency",
        lambda t, w, i: t.nn.functional.embedding(i, w, scale_grad_by_freq=True),
        [(3, 4), GRID],
        dtypes="f",
        smooth=False,
        second=False,
    ),
]

SCATTERED = [(3, 4), SQUARE, (2, 4)]
DISTINCT = np.array([[0, 1, 2, 0], [2, 2, 1, 1]])
ZEROS = np.array([[0.0, 1.5, -2.0, 0.5], [0.0, 0.0, 2.0, 0.0]])

SCATTERS = [
    named(
        "scatter",
        lambda t, x, i, v: x.scatter(0, i, v),
        [(3, 4), DISTINCT, (2, 4)],
        dtypes=ALL_MOVES,
    ),
    named("scatter_value", lambda t, x, i: x.scatter(0, i, 2.0), [(3, 4), SQUARE]),
    named(
        "scatter_by_name", lambda t, x, i: x.scatter(0, i, value=2.0), [(3, 4), SQUARE]
    ),
    named(
        "scatter_",
        lambda t, x, i, v: (x * 1).scatter_(0, i, v),
        [(3, 4), DISTINCT, (2, 4)],
    ),
    named(
        "scatter_reduce_add",
        lambda t, x, i, v: x.scatter(0, i, v, reduce="add"),
        SCATTERED,
        grad=False,
    ),
    named(
        "scatter_add",
        lambda t, x, i, v: x.scatter_add(0, i, v),
        SCATTERED,
        dtypes="fic",
    ),
    named(
        "scatter_add_scalar",
        lambda t, x, i, v: x.scatter_add(0, i, v),
        [(), np.array(0), ()],
        grad_fn=False,
    ),
    named(
        "scatter_add_many",
        lambda t, x, i, v: x.scatter_add(1, i, v),
        [(4, 5), np.arange(400).reshape(4, 100) % 5, (4, 100)],
        dtypes="f",
    ),
    *[
        named(
            f"scatter_reduce_{reduce}_{own}",
            lambda t, x, i, v, reduce=reduce, own=own: x.scatter_reduce(
                0, i, v, reduce, include_self=own
            ),
            SCATTERED,
            dtypes="fi",
            second=own or reduce != "prod",
        )
        for reduce in ("sum", "prod", "mean", "amax", "amin")
        for own in (True, False)
    ],
    named(
        "scatter_reduce_prod_of_zeros",
        lambda t, x, i, v: x.scatter_reduce(0, i, v, "prod"),
        [(3, 4), SQUARE, ZEROS],
        dtypes="f",
        second=False,
    ),
    named(
        "scatter_reduce_ties",
        lambda t, x, i, v: x.scatter_reduce(0, i, v, "amax"),
        [np.ones((3, 4)), SQUARE, np.ones((2, 4))],
        dtypes="f",
        smooth=False,
        second=False,
    ),
    named(
        "index_add",
        lambda t, x, i, v: x.index_add(0, i, v, alpha=3),
        [(3, 4), ROWS, (3, 4)],
        dtypes="fic",
    ),
    named(
        "index_add_1",
        lambda t, x, i, v: x.index_add(1, i, v),
        [(3, 4), COLUMNS, (3, 3)],
    ),
    named(
        "index_copy",
        lambda t, x, i, v: x.index_copy(1, i, v),
        [(3, 4), np.array([3, 1]), (3, 2)],
        dtypes=ALL_MOVES,
    ),
    named("index_fill", lambda t, x, i: x.index_fill(1, i, 2.0), [(3, 4), COLUMNS]),
    named(
        "index_fill_tensor",
        lambda t, x, i, v: x.index_fill(0, i, v),
        [(3, 4), ROWS, ()],
    ),
    *[
        named(
            f"index_reduce_{reduce}",
            lambda t, x, i, v, reduce=reduce: x.index_reduce(0, i, v, reduce),
            [(3, 4), ROWS, (3, 4)],
            dtypes="fi",
        )
        for reduce in ("prod", "mean", "amax", "amin")
    ],
    named(
        "put",
        lambda t, x, i, v: x.contiguous().put(i, v),
        [(3, 4), np.array([11, 0]), (2,)],
    ),
    named(
        "put_accumulate",
        lambda t, x, i, v: x.contiguous().put(i, v, accumulate=True),
        [(3, 4), np.array([5, 0, 5]), (3,)],
    ),
]

MASKS = [
    named("fill_diagonal_", lambda t, x: (x * 1).fill_diagonal_(2.0), grad_fn=False),
    named(
        "fill_diagonal_tall",
        lambda t, x: (x * 1).fill_diagonal_(2),
        [(7, 3)],
        grad=False,
    ),
    named(
        "fill_diagonal_wrapped",
        lambda t, x: (x * 1).fill_diagonal_(2, wrap=True),
        [(7, 3)],
        grad=False,
    ),
    named(
        "fill_diagonal_cube",
        lambda t, x: (x * 1).fill_diagonal_(2),
        [(3, 3, 3)],
        grad=False,
    ),
    named("masked_fill", lambda t, x, m: x.masked_fill(m, 2.0), [(3, 4), MASK]),
    named(
        "masked_fill_int",
        lambda t, x, m: x.masked_fill(m, 2),
        [(3, 4), MASK],
        dtypes="hi",
        grad=False,
    ),
    named(
        "masked_fill_tensor", lambda t, x, m, v: x.masked_fill(m, v), [(3, 4), MASK, ()]
    ),
    named(
        "masked_fill_broadcast", lambda t, x, m: x.masked_fill(m, -1), [(3, 1), MASK]
    ),
    named(
        "masked_fill_infinity",
        lambda t, x, m: x.masked_fill(m, -np.inf),
        [(3, 4), MASK],
        smooth=False,
    ),
    named("masked_fill_", lambda t, x, m: (x * 1).masked_fill_(m, 2), [(3, 4), MASK]),
    named(
        "masked_select",
        lambda t, x, m: x.masked_select(m),
        [(3, 4), MASK],
        dtypes=ALL_MOVES,
    ),
    named("masked_select_broadcast", lambda t, x, m: x.masked_select(m), [(4,), MASK]),
    named(
        "masked_scatter",
        lambda t, x, m, v: x.masked_scatter(m, v),
        [(3, 4), MASK, (2, 4)],
    ),
]

SORTED = np.array([[1.0, 2.0, 2.0, 5.0], [0.0, 1.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0]])
REPEATED = np.array([[3, 1, 3, 1], [0, 2, 0, 2], [3, 1, 3, 1]])


def found(name: str, call: Any, inputs: Any, dtypes: str = "f") -> Sample:
    """Return a sample of a search, which has no derivative."""
    return named(name, call, inputs, dtypes=dtypes, grad=False)


SEARCHES = [
    found("nonzero", lambda t, x: x.nonzero(), [MASK], "f"),
    found("nonzero_tuple", lambda t, x: t.nonzero(x > 0, as_tuple=True), MATRIX, "fi"),
    found("nonzero_scalar", lambda t, x: x.nonzero(), SCALAR),
    found("argwhere", lambda t, x: t.argwhere(x > 0), MATRIX),
    found("nonzero_static", lambda t, x: x.nonzero_static(size=8), [MASK]),
    found(
        "searchsorted",
        lambda t, s, v: t.searchsorted(s, v),
        [SORTED, np.array([[2.0], [0.5], [9.0]])],
    ),
    found(
        "searchsorted_right",
        lambda t, s: t.searchsorted(s[0], s, right=True, out_int32=True),
        [SORTED],
    ),
    found(
        "searchsorted_number",
        lambda t, s: t.searchsorted(s[0], 2, side="right"),
        [SORTED],
    ),
    found("bucketize", lambda t, s: t.bucketize(s, s[0].contiguous()), [SORTED]),
    found("bucketize_right", lambda t, s: t.bucketize(2.5, s[0], right=True), [SORTED]),
    *[
        found(
            f"unique_{dim}_{everything}",
            lambda t, x, dim=dim, everything=everything: t.unique(
                x, return_inverse=everything, return_counts=everything, dim=dim
            ),
            [REPEATED],
        )
        for dim in (None, 0, 1)
        for everything in (False, True)
    ],
    found("unique_floats", lambda t, x: x.round().unique(), [(3, 4)]),
    found(
        "unique_nan",
        lambda t, x: x.unique(return_counts=True),
        [np.array([np.nan, 1.0, np.nan, 1.0])],
    ),
    found(
        "unique_consecutive",
        lambda t, x: t.unique_consecutive(x, True, True),
        [np.array([1, 1, 2, 2, 2, 1])],
    ),
    found(
        "unique_consecutive_rows",
        lambda t, x: x.unique_consecutive(return_counts=True, dim=1),
        [np.array([[1, 1, 2], [1, 1, 1]])],
    ),
    found(
        "unravel_index", lambda t, i: t.unravel_index(i, (2, 3, 4)), [np.array([23, 5])]
    ),
    found("one_hot", lambda t, i: t.nn.functional.one_hot(i), [GRID]),
    found("one_hot_wide", lambda t, i: t.nn.functional.one_hot(i, 5), [GRID]),
    found("contains", lambda t, x: (2 in x, 7.5 in x), [REPEATED]),
]

SAMPLES = [
    *BASIC,
    *ADVANCED,
    *WRITES,
    *PUTS,
    *ALONG,
    *SCATTERS,
    *MASKS,
    *SEARCHES,
]
