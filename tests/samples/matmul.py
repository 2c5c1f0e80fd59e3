"""Samples of the products of matrices and vectors."""

from __future__ import annotations

from typing import Any

from . import Sample


def product(name: str, *shapes: tuple[int, ...], **settings: Any) -> Sample:
    """Return a sample of a product of tensors of these shapes."""
    label = "_".join([name, *["x".join(map(str, shape)) for shape in shapes]])
    settings = {"dtypes": "fc", **settings}
    return Sample(label, lambda t, *xs: getattr(t, name)(*xs), shapes, **settings)


def added(name: str, *shapes: tuple[int, ...], **settings: Any) -> Sample:
    """Return a sample of an op such as addmm with factors."""
    label = "_".join([name, "scaled", *["x".join(map(str, s)) for s in shapes]])
    return Sample(
        label,
        lambda t, *xs: getattr(t, name)(*xs, beta=0.5, alpha=-2.0),
        shapes,
        **{"dtypes": "fc", **settings},
    )


def linear(*shapes: tuple[int, ...]) -> Sample:
    """Return a sample of a linear layer's map."""
    label = "_".join(["linear", *["x".join(map(str, shape)) for shape in shapes]])
    return Sample(label, call_linear, shapes, dtypes="fc")


def call_linear(t: Any, *tensors: Any) -> Any:
    if t.__name__ == "torch":
        return t.nn.functional.linear(*tensors)
    from wengert.ops.matmul import linear

    return linear(*tensors)


SAMPLES = [
    product("matmul", (3, 4), (4, 2), dtypes="fhic"),
    product("matmul", (3, 4), (4,), dtypes="fic"),
    product("matmul", (4,), (4, 3), dtypes="fic"),
    product("matmul", (4,), (4,), dtypes="fic"),
    product("matmul", (2, 3, 4), (4, 5)),
    product("matmul", (2, 3, 4), (2, 4, 5), dtypes="fhic"),
    product("matmul", (2, 1, 3, 4), (3, 4, 5)),
    product("matmul", (3, 4), (2, 4, 5), grad_fn=False),
    product("matmul", (2, 3, 4), (4,), grad_fn=False),
    product("matmul", (4,), (2, 4, 3), grad_fn=False),
    product("matmul", (3, 0), (0, 2)),
    product("matmul", (2, 0, 3), (3, 2)),
    product("mm", (3, 4), (4, 2), dtypes="fhic"),
    product("mm", (3, 4), (4, 1)),
    product("mv", (3, 4), (4,), dtypes="fic"),
    product("bmm", (2, 3, 4), (2, 4, 5), dtypes="fhic"),
    product("dot", (4,), (4,), dtypes="fic"),
    product("vdot", (4,), (4,), dtypes="fic", grad_fn=False),
    product("inner", (2, 3), (4, 3)),
    product("inner", (3,), (3,), grad_fn=False),
    product("outer", (2,), (3,), dtypes="fhibc"),
    Sample("operator", lambda t, x, y: x.T @ y.mT, [(4, 3), (2, 4)], dtypes="fc"),
    product("addmm", (3, 2), (3, 4), (4, 2), dtypes="fic"),
    product("addmm", (2,), (3, 4), (4, 2)),
    product("addmv", (3,), (3, 4), (4,), dtypes="fic"),
    product("addr", (3, 4), (3,), (4,), dtypes="fic"),
    product("baddbmm", (2, 3, 5), (2, 3, 4), (2, 4, 5), dtypes="fic"),
    product("addbmm", (3, 5), (2, 3, 4), (2, 4, 5), dtypes="fic"),
    added("addmm", (1, 2), (3, 4), (4, 2)),
    added("addmv", (), (3, 4), (4,)),
    added("addr", (3, 1), (3,), (4,)),
    added("baddbmm", (3, 5), (2, 3, 4), (2, 4, 5)),
    added("addbmm", (5,), (2, 3, 4), (2, 4, 5)),
    linear((3, 4), (2, 4)),
    linear((3, 4), (2, 4), (2,)),
    linear((2, 3, 4), (5, 4)),
    linear((2, 3, 4), (5, 4), (5,)),
    linear((4,), (5, 4)),
    linear((4,), (5, 4), (5,)),
]
