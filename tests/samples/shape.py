"""Samples of ops that arrange elements: shapes, joining, strides, repeats, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample

MOVES = "f"
ALL_MOVES = "fhibc"
"""The dtypes of ops that only move elements, for one sample of each."""
MATRIX = [(3, 4)]
CUBE = [(2, 3, 4)]
ONES = [(1, 3, 1, 4)]
SCALAR: list[Any] = [()]
EMPTY = [(0, 3)]


def method(name: str, *args: Any, inputs: Any = MATRIX, **settings: Any) -> Sample:
    """Return a sample of a method with positional arguments."""
    title = "_".join([name, *map(str, args), "of", "x".join(map(str, inputs[0]))])
    settings.setdefault("dtypes", MOVES)
    return Sample(title, lambda t, x: getattr(x, name)(*args), inputs, **settings)


def function(name: str, *args: Any, inputs: Any = MATRIX, **settings: Any) -> Sample:
    """Return a sample of a function of the package with positional arguments."""
    title = "_".join([name, *map(str, args), "of", str(inputs)])
    settings.setdefault("dtypes", MOVES)

    def call(t: Any, *tensors: Any) -> Any:
        return getattr(t, name)(*tensors, *args)

    return Sample(title, call, inputs, **settings)


def listed(name: str, *args: Any, inputs: Any, **settings: Any) -> Sample:
    """Return a sample of a function of a list of tensors."""
    title = "_".join([name, *map(str, args), "of", str(inputs)])
    settings.setdefault("dtypes", MOVES)
    return Sample(
        title,
        lambda t, *tensors: getattr(t, name)(list(tensors), *args),
        inputs,
        **settings,
    )


def named(name: str, call: Any, inputs: Any = MATRIX, **settings: Any) -> Sample:
    """Return a sample of any call."""
    settings.setdefault("dtypes", MOVES)
    return Sample(name, call, inputs, **settings)


def pad(
    width: tuple[int, ...], mode: str, inputs: Any, value: Any = None, **settings: Any
) -> Sample:
    """Return a sample of padding."""
    settings.setdefault("dtypes", "f")
    return Sample(
        f"pad_{mode}_{width}_{inputs}",
        lambda t, x: t.nn.functional.pad(x, width, mode, value),
        inputs,
        **settings,
    )


RESHAPES = [
    named("view", lambda t, x: x.contiguous().view(2, 6), dtypes=ALL_MOVES),
    named("view_tuple", lambda t, x: x.contiguous().view((-1, 2))),
    named("view_list", lambda t, x: x.contiguous().view([12])),
    named("view_keyword", lambda t, x: x.contiguous().view(size=(4, 3))),
    named("view_scalar", lambda t, x: x.contiguous().view(1, 1), SCALAR),
    named("view_to_scalar", lambda t, x: x.contiguous().view(()), [(1, 1)]),
    named("view_empty", lambda t, x: x.contiguous().view(3, -1), EMPTY),
    named("view_as", lambda t, x, y: x.contiguous().view_as(y), [(3, 4), (12,)]),
    named(
        "view_of_columns", lambda t, x: x.contiguous().T.unsqueeze(1).view(4, 1, 3, 1)
    ),
    method("reshape", 6, 2, dtypes=ALL_MOVES),
    method("reshape", (-1,)),
    method("reshape", (2, -1, 3), inputs=CUBE),
    named("reshape_copying", lambda t, x: x.contiguous().T.reshape(2, 6), grad_fn=True),
    named(
        "reshape_part", lambda t, x: x.contiguous().transpose(1, 2).reshape(8, 3), CUBE
    ),
    named("reshape_as", lambda t, x, y: x.contiguous().reshape_as(y), [(3, 4), (2, 6)]),
    named("flatten", lambda t, x: x.contiguous().flatten()),
    named("flatten_some", lambda t, x: x.contiguous().flatten(1), CUBE),
    named("flatten_first", lambda t, x: x.contiguous().flatten(0, 1), CUBE),
    method("flatten", inputs=SCALAR),
    named("flatten_one", lambda t, x: (x * 1).flatten(1, 1)),
    named("ravel", lambda t, x: x.contiguous().ravel()),
    named("unflatten", lambda t, x: x.contiguous().unflatten(1, (2, -1))),
    named(
        "view_dtype", lambda t, x: x.contiguous().view(t.int16), dtypes="f", grad=False
    ),
    named(
        "view_wide", lambda t, x: x.contiguous().view(t.int64), dtypes="hf", grad=False
    ),
    named("resized", lambda t, x: x.contiguous().clone().resize_(2, 3), grad=False),
]

ONE_DIMS = [
    method("unsqueeze", 0, dtypes=ALL_MOVES),
    method("unsqueeze", -1),
    method("unsqueeze", 1, inputs=CUBE),
    method("unsqueeze", 0, inputs=SCALAR),
    method("squeeze", inputs=ONES, dtypes=ALL_MOVES),
    method("squeeze", 0, inputs=ONES),
    method("squeeze", -2, inputs=ONES),
    method("squeeze", 1, inputs=ONES),
    method("squeeze", (0, 2, 3), inputs=ONES),
    method("squeeze", inputs=SCALAR),
    method("squeeze", 0, inputs=SCALAR),
    function("atleast_1d", inputs=SCALAR),
    function("atleast_2d", inputs=[(3,)]),
    function("atleast_3d", inputs=[(3,)], grad_fn=False),
    function("atleast_3d"),
    named("atleast_all", lambda t, x, y: t.atleast_2d(x, y), [(), (2,)]),
    named("unsqueeze_", lambda t, x: (x * 1).unsqueeze_(1), grad_fn=False),
    named("squeeze_", lambda t, x: (x * 1).squeeze_(0), ONES, grad_fn=False),
    named("transpose_", lambda t, x: (x * 1).transpose_(0, 1), grad_fn=False),
    named("t_", lambda t, x: (x * 1).t_(), grad_fn=False),
]

ORDERS = [
    method("permute", 1, 0, dtypes=ALL_MOVES),
    method("permute", (2, 0, -2), inputs=CUBE),
    method("permute", [0, 2, 1], inputs=CUBE),
    method("permute", (), inputs=SCALAR),
    method("transpose", 0, 1, dtypes=ALL_MOVES),
    method("transpose", -1, 0, inputs=CUBE),
    method("transpose", 0, -1, inputs=SCALAR, grad_fn=False),
    method("swapaxes", 0, 2, inputs=CUBE),
    method("swapdims", 0, 2, inputs=CUBE),
    method("t"),
    method("t", inputs=[(3,)]),
    named("T", lambda t, x: x.T),
    named("mT", lambda t, x: x.mT, CUBE),
    named("H", lambda t, x: x.H, grad_fn=False),
    named("mH", lambda t, x: x.mH, CUBE, grad_fn=False),
    method("adjoint", inputs=CUBE, dtypes="fi"),
    method("movedim", 0, -1, inputs=CUBE),
    method("movedim", (0, 1), (2, 0), inputs=CUBE),
    method("moveaxis", 1, 0),
]

BROADCASTS = [
    method("expand", 2, 3, 4, dtypes=ALL_MOVES),
    method("expand", (2, -1, 4), inputs=[(3, 1)]),
    method("expand", 3, inputs=SCALAR),
    method("expand", 0, 3, inputs=[(1, 3)]),
    method("broadcast_to", (2, 3, 4), inputs=[(3, 1)]),
    named("expand_as", lambda t, x, y: x.expand_as(y), [(3, 1), (2, 3, 4)]),
    function("broadcast_tensors", inputs=[(3, 1), (2, 1, 4), ()]),
    named("expanded_view", lambda t, x: x.T.expand(2, 4, 3).unsqueeze(1) * 2),
]

JOINS = [
    listed("cat", inputs=[(3, 4), (2, 4)], dtypes=ALL_MOVES),
    listed("cat", 1, inputs=[(3, 1), (3, 2), (3, 0)]),
    listed("cat", -2, inputs=[(2, 3, 1), (2, 1, 1)]),
    listed("cat", inputs=[(0,), (2, 3)]),
    named(
        "cat_of_dtypes", lambda t, x: t.cat([x, x.to(t.float32), x > 0]), smooth=False
    ),
    named("cat_itself", lambda t, x: t.cat([x, x, x * 2], dim=-1)),
    named("concat_axis", lambda t, x, y: t.concat((x, y), axis=1), [(3, 4), (3, 2)]),
    listed("stack", inputs=[(3, 4), (3, 4)], dtypes=ALL_MOVES),
    listed("stack", -1, inputs=[(3, 4), (3, 4)]),
    listed("stack", inputs=[(), (), ()]),
    listed("hstack", inputs=[(3,), (2,)]),
    listed("hstack", inputs=[(3, 1), (3, 2)]),
    listed("vstack", inputs=[(4,), (2, 4)]),
    listed("row_stack", inputs=[(4,), (4,)]),
    listed("dstack", inputs=[(2, 3), (2, 3)]),
    listed("column_stack", inputs=[(3,), (3, 2)]),
    function("block_diag", inputs=[(2, 3), (4,), ()]),
    named("meshgrid", lambda t, *v: t.meshgrid(*v, indexing="ij"), [(2,), (3,), ()]),
    named("meshgrid_xy", lambda t, *v: t.meshgrid(v, indexing="xy"), [(2,), (3,)]),
    function("cartesian_prod", inputs=[(2,), (3,)]),
    function("combinations", inputs=[(4,)], grad_fn=False),
    function("combinations", 3, True, inputs=[(3,)], grad_fn=False),
    # PyTorch writes in place over what it saved, so that its gradients are errors.
    function("vander", inputs=[(3,)], dtypes="fi", grad=False),
    function("vander", 2, True, inputs=[(3,)], dtypes="fi", grad=False),
]

SPLITS = [
    method("split", 2, dtypes=ALL_MOVES),
    method("split", 3, 1),
    method("split", [1, 0, 3], 1),
    method("split_with_sizes", (1, 2)),
    method("split", 2, inputs=EMPTY),
    named("split_first", lambda t, x: x.split(1)[0]),
    named("split_used_twice", lambda t, x: [x.split(1)[1] * 2, x.split(1)[1] * 3]),
    method("tensor_split", 3, 1),
    method("tensor_split", (1, 3), 1),
    method("tensor_split", 5),
    method("chunk", 3, 1),
    method("chunk", 2, -1, inputs=CUBE),
    method("unsafe_split", 2),
    method("unsafe_chunk", 2),
    method("hsplit", 2),
    method("vsplit", 3),
    method("dsplit", (1, 2), inputs=CUBE),
    method("unbind", dtypes=ALL_MOVES),
    method("unbind", 1, inputs=CUBE),
    named("unbind_last", lambda t, x: x.unbind(1)[-1]),
    named("iterated", lambda t, x: list(x)),
]

COPIES = [
    named(
        f"{name}_copy",
        lambda t, x, name=name, args=args: getattr(t, f"{name}_copy")(x, *args),
        CUBE if name != "t" else MATRIX,
        dtypes="f",
        grad_fn=False,
    )
    for name, args in (
        ("alias", ()),
        ("diagonal", ()),
        ("expand", ((5, 2, 3, 4),)),
        ("narrow", (1, 0, 2)),
        ("permute", ((2, 0, 1),)),
        ("select", (1, 2)),
        ("slice", (2, 1, 4, 2)),
        ("split", (2, 1)),
        ("split_with_sizes", ((1, 2), 1)),
        ("squeeze", ()),
        ("t", ()),
        ("transpose", (0, 1)),
        ("unbind", (1,)),
        ("unsqueeze", (0,)),
    )
]
COPIES += [
    named("view_copy", lambda t, x: t.view_copy(x.contiguous(), (12,)), grad_fn=False),
    named("unfold_copy", lambda t, x: t.unfold_copy(x, 1, 2, 1), grad_fn=False),
]

MOVED = [
    method("flip", 0, dtypes=ALL_MOVES),
    method("flip", (0, -1), inputs=CUBE),
    method("flip", (), inputs=SCALAR),
    method("fliplr"),
    method("flipud"),
    *[method("rot90", k) for k in (-1, 0, 1, 2, 3)],
    method("rot90", 1, (2, 0), inputs=CUBE),
    method("roll", 2),
    method("roll", -1, 1, dtypes=ALL_MOVES),
    method("roll", (1, 5), (0, 1)),
    method("roll", 1, inputs=EMPTY),
    method("repeat", 2, 3, dtypes=ALL_MOVES),
    method("repeat", 2, 1, 2),
    method("repeat", 3, inputs=SCALAR),
    method("repeat", 0, 2, second=False),
    method("tile", 2),
    method("tile", (2, 1, 3)),
    method("repeat_interleave", 2, inputs=[(5,)]),
    method("repeat_interleave", 3, 1),
    named(
        "repeat_interleave_each",
        lambda t, x, n: x.repeat_interleave(n, 0),
        [(3, 4), np.array([2, 0, 3])],
    ),
    named(
        "repeat_interleave_same",
        lambda t, x, n: t.repeat_interleave(x, n, dim=1),
        [(3, 4), np.array([2])],
    ),
    named(
        "repeat_interleave_places",
        lambda t, n: t.repeat_interleave(n),
        [np.array([2, 0, 3])],
        dtypes="i",
        grad=False,
    ),
]

DIAGONALS = [
    method("diagonal", dtypes=ALL_MOVES),
    method("diagonal", 1),
    method("diagonal", -1, 2, 0, inputs=CUBE),
    method("diagonal", 7),
    method("diag"),
    method("diag", -1),
    method("diag", inputs=[(3,)]),
    method("diag", 2, inputs=[(3,)]),
    method("diag_embed"),
    method("diag_embed", -1, 0, 2),
    named("diagflat", lambda t, x: x.contiguous().diagflat(1)),
    method("tril", dtypes=ALL_MOVES),
    method("tril", -1),
    method("tril", 1, inputs=CUBE),
    method("triu"),
    method("triu", 2),
    method("triu", -1, inputs=[(4, 3)]),
    named("tril_", lambda t, x: (x * 1).tril_()),
    named("tril_indices", lambda t, x: t.tril_indices(3, 4, -1), grad=False),
    named("triu_indices", lambda t, x: t.triu_indices(4, 3, 1), grad=False),
]

STRIDED = [
    method("unfold", 1, 2, 1, dtypes=ALL_MOVES),
    method("unfold", 1, 3, 2, inputs=CUBE),
    method("unfold", -1, 2, 2),
    method("unfold", 1, 1, 2),
    method("unfold", 0, 1, 1, inputs=SCALAR, grad_fn=False),
    named("as_strided", lambda t, x: x.contiguous().as_strided((2, 3), (4, 1), 1)),
    named("as_strided_windows", lambda t, x: x.contiguous().as_strided((5, 3), (2, 1))),
    # What lies outside of the view that it is applied to has no gradient.
    named(
        "as_strided_of_view",
        lambda t, x: x.contiguous()[1:].as_strided((2, 2), (1, 3), 2),
        smooth=False,
    ),
    named(
        "as_strided_of_expanded",
        lambda t, x: x.contiguous().expand(2, 3, 4).as_strided((3, 2), (4, 1)),
    ),
    named(
        "select_scatter",
        lambda t, x, y: x.select_scatter(y, 1, -1),
        [(3, 4), (3,)],
        dtypes="fi",
    ),
    named(
        "slice_scatter",
        lambda t, x, y: t.slice_scatter(x, y, 1, 0, None, 2),
        [(3, 4), (3, 2)],
        dtypes="fi",
    ),
    named(
        "diagonal_scatter",
        lambda t, x, y: x.diagonal_scatter(y, 1),
        [(3, 4), (3,)],
    ),
    # PyTorch's gradient of self has its zeros outside of what is written over.
    named(
        "as_strided_scatter",
        lambda t, x, y: x.contiguous().as_strided_scatter(y, (2, 2), (4, 1), 1),
        [(3, 4), (2, 2)],
        grad=False,
    ),
]

PADS = [
    pad((1, 2), "constant", MATRIX),
    pad((1, 2, 0, 3), "constant", MATRIX, 2.5),
    pad((-1, 2, 1, -2), "constant", MATRIX, -1),
    *[
        pad(width, mode, inputs, grad_fn=mode != "circular")
        for mode in ("reflect", "replicate", "circular")
        for width, inputs in (
            ((2, 1), [(2, 3, 4)]),
            ((1, 1, 2, 0), [(2, 2, 3, 4)]),
            ((1, 0, 1, 1, 0, 1), [(1, 2, 2, 2, 2)]),
        )
    ],
    pad((2, 3), "replicate", [(3, 2)]),
    pad((-1, 3), "replicate", [(3, 2)]),
    pad((-1, 1), "circular", [(3, 4)], grad_fn=False),
]

SAMPLES = [
    *RESHAPES,
    *ONE_DIMS,
    *ORDERS,
    *BROADCASTS,
    *JOINS,
    *SPLITS,
    *COPIES,
    *MOVED,
    *DIAGONALS,
    *STRIDED,
    *PADS,
]
