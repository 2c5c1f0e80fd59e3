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


def einsum(equation: str, *shapes: tuple[int, ...], **settings: Any) -> Sample:
    label = "_".join(["einsum", equation, *["x".join(map(str, s)) for s in shapes]])
    settings = {"dtypes": "fc", "grad_fn": False, **settings}
    return Sample(label, lambda t, *xs: t.einsum(equation, *xs), shapes, **settings)


def tensordot(a: tuple[int, ...], b: tuple[int, ...], dims: Any) -> Sample:
    return Sample(
        f"tensordot_{dims}",
        lambda t, x, y: t.tensordot(x, y, dims),
        [a, b],
        dtypes="fc",
    )


def power(n: int, **settings: Any) -> Sample:
    return Sample(
        f"matrix_power_{n}", lambda t, x: x.matrix_power(n), [(2, 3, 3)], **settings
    )


def bilinear(t: Any, *tensors: Any) -> Any:
    if t.__name__ == "torch":
        return t.nn.functional.bilinear(*tensors)
    from wengert.ops.contraction import bilinear

    return bilinear(*tensors)


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
    product("bmm", (3, 17, 1), (3, 1, 19), dtypes="fhic"),
    product("matmul", (2, 3, 17, 1), (3, 1, 19), dtypes="f"),
    product("bmm", (3, 4, 1), (3, 1, 2), dtypes="fhic"),
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
    # sums over chosen dimensions
    tensordot((2, 3, 4), (3, 4, 5), 2),
    tensordot((2, 3), (4, 5), 0),
    tensordot((2, 1), (4, 5), 1),
    tensordot((2, 3, 4), (4, 2, 5), ([0, 2], [1, 0])),
    tensordot((2, 3), (2, 3), ([0, 1], [0, 1])),
    einsum("ij,jk->ik", (2, 3), (3, 4), dtypes="fic"),
    einsum("ij,jk", (2, 3), (3, 4)),
    einsum("i j , j k -> k i", (2, 3), (3, 4)),
    einsum("ba", (2, 3)),
    einsum("aB", (2, 3)),
    einsum("ij->", (2, 3)),
    einsum("ii", (3, 3)),
    einsum("ii->i", (3, 3)),
    einsum("iij->j", (3, 3, 2)),
    einsum("iii->i", (3, 3, 3)),
    einsum("i,j->ij", (2,), (3,)),
    einsum("i,i", (3,), (3,)),
    einsum("i,i->i", (3,), (3,)),
    einsum("i,", (3,), ()),
    einsum("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    einsum("bij,bkj->bki", (2, 3, 4), (2, 5, 4)),
    einsum("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    einsum("...i,...i", (2, 3), (3,)),
    einsum("i...->...", (2, 3)),
    einsum("i...->i", (2, 3)),
    einsum("ij,ij->ij", (1, 3), (2, 1)),
    einsum("ij,ij->j", (1, 3), (2, 1)),
    einsum("i,ij", (1,), (3, 2)),
    einsum("ij,ik->", (2, 3), (2, 4)),
    einsum("ijk,kl,lmj->mi", (2, 3, 4), (4, 5), (5, 2, 3)),
    einsum("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    einsum("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)),
    einsum("ij,jk->ik", (2, 0), (0, 3)),
    Sample(
        "einsum_numbered",
        lambda t, x, y: t.einsum(x, [0, 1], y, [1, 2], [2, 0]),
        [(2, 3), (3, 4)],
        grad_fn=False,
    ),
    Sample(
        "einsum_numbered_dots",
        lambda t, x, y: t.einsum(x, [..., 0], [y, [..., 0]][0], [..., 0]),
        [(2, 3), (3,)],
        grad_fn=False,
    ),
    product("inner", (2, 4), (4,), grad_fn=False),
    product("inner", (), (2, 3), grad_fn=False),
    product("chain_matmul", (2, 9), (9, 3), (3, 5), grad_fn=False),
    power(0, grad=False),
    power(1),
    power(2),
    power(3, tolerance=10),
    power(5, tolerance=100),
    product("kron", (2, 3), (4, 1), grad_fn=False),
    product("kron", (3,), (2,), grad_fn=False),
    product("trace", (3, 4), dtypes="fic"),
    product("trace", (4, 2)),
    Sample("cross", lambda t, x, y: t.cross(x, y, 1), [(2, 3), (2, 3)], dtypes="fic"),
    Sample("cross_dim", lambda t, x, y: t.cross(x, y, dim=0), [(3, 1), (3, 4)]),
    product("cross", (2, 3), (2, 3)),
    Sample("bilinear", bilinear, [(2, 3), (2, 4), (5, 3, 4), (5,)], grad_fn=False),
    Sample("bilinear_vectors", bilinear, [(3,), (4,), (5, 3, 4)], grad_fn=False),
    Sample(
        "bilinear_stack",
        bilinear,
        [(2, 2, 3), (2, 2, 4), (5, 3, 4), (5,)],
        grad_fn=False,
    ),
]
