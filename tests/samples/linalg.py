"""Samples of linear algebra.

Where vectors are determined only up to their phase, a sample takes something that does
not depend on it.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from . import Sample
from .reduction import along

Shape = tuple[int, ...]


def linalg(
    name: str, *shapes: Shape, label: str = "", kwargs: Any = None, **settings: Any
) -> Sample:
    """Return a sample of a function of ``torch.linalg``."""
    options = kwargs or {}
    named = [f"{key}={value}" for key, value in options.items()]
    label = label or "_".join([name, *["x".join(map(str, s)) for s in shapes], *named])
    settings = {"dtypes": "fc", "tolerance": 10, **settings}
    return Sample(
        label,
        lambda t, *xs: getattr(t.linalg, name)(*xs, **options),
        shapes,
        **settings,
    )


def made(label: str, call: Any, *inputs: Any, **settings: Any) -> Sample:
    """Return a sample whose nodes are not looked at."""
    settings = {"dtypes": "fc", "tolerance": 10, "grad_fn": False, **settings}
    return Sample(label, call, inputs or [(2, 3, 3)], **settings)


def positive(x: Any) -> Any:
    """Return a positive definite matrix made of any."""
    return x @ x.mT.conj() + x.new_ones(x.shape[-1]).diag()


def factor(t: Any, x: Any) -> Any:
    return t.linalg.cholesky(positive(x))


def hermitian(x: Any) -> Any:
    return x + x.mT.conj()


def projections(vectors: Any) -> Any:
    """What does not depend on the vectors' phases."""
    return vectors.abs()


def singular(rng: np.random.Generator) -> np.ndarray:
    """Return matrices of full rank, and of ranks that are one and two less."""
    matrices = rng.uniform(-1, 1, (3, 3, 3))
    matrices[1, 2] = matrices[1, 0] * 2 - matrices[1, 1]
    matrices[2, 1:] = np.outer([1, -2], matrices[2, 0])
    return matrices


def well_spaced(rng: np.random.Generator) -> np.ndarray:
    """Return a matrix whose eigenvalues and singular values differ."""
    return rng.uniform(-0.3, 0.3, (2, 4, 4)) + np.diag([1.0, 2.0, 3.5, 5.0])


NORMS = ["fro", "nuc", 2, -2, 1, -1, inf, -inf]

INVERSES = [
    linalg("inv", (3, 3)),
    linalg("inv", (2, 3, 3)),
    made("inverse", lambda t, x: x.inverse()),
    linalg("inv_ex", (3, 3)),
    linalg("solve", (3, 3), (3, 2)),
    linalg("solve", (2, 3, 3), (3, 2)),
    linalg("solve", (3, 3), (2, 3, 2)),
    linalg("solve", (3, 3), (3,), grad_fn=False),
    linalg("solve", (2, 3, 3), (2, 3), grad_fn=False),
    linalg("solve", (3, 3), (2, 3), kwargs={"left": False}, grad_fn=False),
    linalg("solve_ex", (3, 3), (3, 2)),
    *[
        linalg(
            "solve_triangular",
            (2, 3, 3),
            (3, 2) if left else (2, 3),
            kwargs={"upper": upper, "left": left, "unitriangular": unit},
            grad_fn=left,
        )
        for upper in (True, False)
        for left in (True, False)
        for unit in (True, False)
    ],
    made("triangular_solve", lambda t, b, a: t.triangular_solve(b, a), (3, 2), (3, 3)),
    made(
        "triangular_solve_turned",
        lambda t, b, a: t.triangular_solve(b, a, False, True, True),
        (3, 2),
        (3, 3),
    ),
    made("lstsq", lambda t, a, b: t.linalg.lstsq(a, b).solution, (4, 2), (4, 3)),
    made("lstsq_wide", lambda t, a, b: t.linalg.lstsq(a, b).solution, (2, 4), (2, 3)),
    made("lstsq_vector", lambda t, a, b: t.linalg.lstsq(a, b).solution, (4, 2), (4,)),
    made(
        "lstsq_rank",
        lambda t, a, b: t.linalg.lstsq(a, b).rank,
        (4, 2),
        (4, 1),
        grad=False,
    ),
]

CHOLESKY = [
    made("cholesky", lambda t, x: t.linalg.cholesky(positive(x)), grad_fn=True),
    made("cholesky_upper", lambda t, x: t.linalg.cholesky(positive(x), upper=True)),
    made("cholesky_old", lambda t, x: positive(x).cholesky(True)),
    made("cholesky_ex", lambda t, x: t.linalg.cholesky_ex(positive(x))),
    made(
        "cholesky_solve", lambda t, b, a: b.cholesky_solve(factor(t, a)), (3, 2), (3, 3)
    ),
    made(
        "cholesky_solve_upper",
        lambda t, b, a: b.cholesky_solve(factor(t, a).mT, True),
        (3, 2),
        (3, 3),
    ),
    made("cholesky_inverse", lambda t, x: t.cholesky_inverse(factor(t, x)), (3, 3)),
    made(
        "cholesky_inverse_upper",
        lambda t, x: t.cholesky_inverse(factor(t, x).mT, True),
        (3, 3),
    ),
]

DETERMINANTS = [
    linalg("det", (3, 3)),
    linalg("det", (2, 1, 3, 3)),
    linalg("det", (0, 0), grad=False),
    made("det_singular", lambda t, x: t.linalg.det(x), singular, second=False),
    made("det_method", lambda t, x: x.det(), grad_fn=True),
    linalg("slogdet", (2, 3, 3)),
    made("slogdet_method", lambda t, x: x.slogdet()),
    made("logdet", lambda t, x: t.logdet(positive(x))),
    made("logdet_of_any", lambda t, x: t.logdet(x).nan_to_num(), dtypes="f"),
]

EIGENVALUES = [
    made(
        "eigh",
        lambda t, x: t.linalg.eigh(hermitian(x)).eigenvalues,
        well_spaced,
        grad_fn=True,
    ),
    made(
        "eigh_upper",
        lambda t, x: t.linalg.eigh(hermitian(x), "U").eigenvalues,
        well_spaced,
        smooth=False,
    ),
    made(
        "eigh_vectors",
        lambda t, x: projections(t.linalg.eigh(hermitian(x)).eigenvectors),
        well_spaced,
        tolerance=100,
    ),
    made("eigvalsh", lambda t, x: t.linalg.eigvalsh(hermitian(x)), well_spaced),
    made(
        "eig",
        lambda t, x: t.linalg.eig(x).eigenvalues,
        well_spaced,
        grad_fn=True,
        smooth=False,
    ),
    made(
        "eig_vectors",
        lambda t, x: projections(t.linalg.eig(x).eigenvectors),
        well_spaced,
        tolerance=100,
        smooth=False,
    ),
    made("eigvals", lambda t, x: t.linalg.eigvals(x), well_spaced, smooth=False),
]


def svd(label: str, shape: Any, full: bool, *parts: str, **settings: Any) -> Sample:
    def call(t: Any, x: Any) -> Any:
        found = t.linalg.svd(x, full_matrices=full)
        values = [getattr(found, part) for part in parts]
        return [
            v if p == "S" else projections(v)
            for p, v in zip(parts, values, strict=True)
        ]

    return made(f"svd_{label}", call, shape, tolerance=100, **settings)


def svd_whole(t: Any, x: Any) -> Any:
    u, s, vh = t.linalg.svd(x, full_matrices=False)
    return (u * s.unsqueeze(-2)) @ vh, u @ vh


SINGULAR_VALUES = [
    svd("values", (2, 3, 4), False, "S"),
    svd("values_full", (4, 2), True, "S"),
    svd("square", well_spaced, True, "U", "S", "Vh"),
    svd("tall", (5, 3), False, "U", "S", "Vh"),
    svd("wide", (3, 5), False, "U", "S", "Vh"),
    made("svd_products", svd_whole, (4, 3), tolerance=100),
    made("svd_products_wide", svd_whole, (3, 4), tolerance=100),
    made("svd_old", lambda t, x: projections(t.svd(x).V), (4, 3), tolerance=100),
    made("svd_old_values", lambda t, x: t.svd(x, compute_uv=False), (4, 3), grad=False),
    linalg("svdvals", (2, 4, 3)),
]

QR_AND_LU = [
    made("qr", lambda t, x: t.linalg.qr(x), (2, 3, 3), grad_fn=True),
    made("qr_tall", lambda t, x: t.linalg.qr(x), (4, 3)),
    made("qr_wide", lambda t, x: t.linalg.qr(x), (3, 5)),
    made("qr_r", lambda t, x: t.linalg.qr(x).R, (3, 5)),
    made("qr_q", lambda t, x: t.linalg.qr(x).Q, (3, 5)),
    made("qr_complete", lambda t, x: t.linalg.qr(x, "complete"), (4, 3), grad=False),
    made("qr_complete_wide", lambda t, x: t.linalg.qr(x, "complete"), (3, 4)),
    made("qr_only_r", lambda t, x: t.linalg.qr(x, "r"), (4, 3), grad=False),
    made("qr_old", lambda t, x: x.qr()),
    made("geqrf", lambda t, x: t.geqrf(x), (4, 3), grad=False),
    made(
        "householder_product",
        lambda t, a, tau: t.linalg.householder_product(a, tau),
        (4, 3),
        (3,),
    ),
    made("orgqr", lambda t, a, tau: a.orgqr(tau), (4, 2), (2,)),
    made("ormqr", lambda t, a, tau, b: t.ormqr(a, tau, b), (3, 3), (3,), (3, 2)),
    made(
        "ormqr_turned",
        lambda t, a, tau, b: t.ormqr(a, tau, b, False, True),
        (3, 3),
        (3,),
        (2, 3),
    ),
    linalg("lu_factor", (2, 3, 3)),
    linalg("lu_factor", (3, 5)),
    linalg("lu_factor", (5, 3)),
    linalg("lu_factor_ex", (3, 3)),
    made("lu", lambda t, x: t.linalg.lu(x)[1:], (2, 3, 3)),
    made("lu_permutation", lambda t, x: t.linalg.lu(x)[0], (5, 3), grad=False),
    made("lu_wide", lambda t, x: t.linalg.lu(x)[1:], (3, 5)),
    made("lu_tall", lambda t, x: t.linalg.lu(x)[1:], (5, 3)),
    made("lu_old", lambda t, x: t.lu(x), grad_fn=True),
    made(
        "lu_solve", lambda t, a, b: b.lu_solve(*t.linalg.lu_factor(a)), (3, 3), (3, 2)
    ),
    *[
        made(
            f"lu_solve_{left}_{adjoint}",
            lambda t, a, b, left=left, adjoint=adjoint: t.linalg.lu_solve(
                *t.linalg.lu_factor(a), b, left=left, adjoint=adjoint
            ),
            (2, 3, 3),
            (3, 2) if left else (2, 3),
        )
        for left in (True, False)
        for adjoint in (True, False)
    ],
]


def cond(p: Any) -> Sample:
    """Return a sample of condition numbers; most have no gradient in PyTorch."""
    return linalg(
        "cond",
        (2, 3, 3),
        label=f"cond_{p}",
        kwargs={"p": p},
        grad=p in (None, 2, -2),
        grad_fn=False,
    )


FUNCTIONS = [
    linalg("matrix_exp", (2, 3, 3)),
    linalg(
        "matrix_exp", (3, 3), label="matrix_exp_large", domain=(-6, 6), tolerance=1e3
    ),
    linalg("pinv", (3, 3), grad_fn=False),
    linalg("pinv", (2, 4, 3), grad_fn=False),
    linalg("pinv", (3, 4), grad_fn=False),
    made(
        "pinv_hermitian",
        lambda t, x: t.linalg.pinv(hermitian(x), hermitian=True),
        well_spaced,
    ),
    made("pinverse", lambda t, x: x.pinverse(), (4, 3)),
    *[
        linalg(
            "matrix_norm",
            (3, 4),
            label=f"matrix_norm_{p}",
            kwargs={"ord": p},
            grad_fn=False,
        )
        for p in NORMS
    ],
    *[
        linalg(
            "matrix_norm",
            (2, 3, 4),
            label=f"matrix_norm_kept_{p}",
            grad_fn=False,
            kwargs={"ord": p, "dim": (2, 0), "keepdim": True},
        )
        for p in NORMS
    ],
    linalg("norm", (3, 4)),
    linalg("norm", (2, 3, 4), kwargs={"ord": 3, "dim": 1}),
    linalg("norm", (3, 4), kwargs={"ord": 2}, grad_fn=False),
    linalg("norm", (4,), kwargs={"ord": 1}),
    linalg("vector_norm", (3, 4), kwargs={"ord": 3, "dim": 0}),
    along("norm", "nuc", grad_fn=False, dtypes="fc"),
    *[cond(p) for p in (None, *NORMS)],
    linalg("matrix_rank", (4, 3), grad=False),
    made("matrix_rank_of", lambda t, x: t.linalg.matrix_rank(x), singular, grad=False),
    linalg("matrix_rank", (4, 3), kwargs={"tol": 1.5}, grad=False),
    made("tensorinv", lambda t, x: t.linalg.tensorinv(x.reshape(2, 3, 6)), (6, 6)),
    made("tensorsolve", lambda t, x, b: t.linalg.tensorsolve(x, b), (2, 3, 6), (2, 3)),
    made(
        "tensorsolve_moved",
        lambda t, x, b: t.linalg.tensorsolve(x, b, (0,)),
        (4, 2, 2),
        (2, 2),
    ),
    linalg("vander", (2, 3), grad_fn=False, dtypes="fic"),
    linalg("vander", (3,), kwargs={"N": 2}, grad_fn=False),
    made(
        "multi_dot", lambda t, *xs: t.linalg.multi_dot(xs), (3,), (3, 5), (5, 2), (2,)
    ),
    linalg("vecdot", (2, 3), (2, 3), grad_fn=False),
    linalg("cross", (2, 3), (2, 3)),
    linalg("diagonal", (2, 3, 4), kwargs={"offset": 1}),
    made("matrix_power_minus", lambda t, x: x.matrix_power(-2), tolerance=1e3),
]


def lowrank(label: str, shape: Shape, **kwargs: Any) -> Sample:
    """Return a sample whose random numbers do not matter: the rank is small enough."""

    def call(t: Any, x: Any) -> Any:
        name = "pca_lowrank" if "center" in kwargs else "svd_lowrank"
        u, s, v = getattr(t, name)(x[..., :2] @ x[..., :2, :], q=2, **kwargs)
        return s, (u * s.unsqueeze(-2)) @ v.mT

    return made(label, call, shape, dtypes="f", second=False, tolerance=1e4)


LOW_RANK = [
    lowrank("svd_lowrank", (5, 3)),
    lowrank("svd_lowrank_wide", (2, 3, 5)),
    lowrank("pca_lowrank", (5, 3), center=True),
    lowrank("pca_lowrank_as_is", (5, 3), center=False),
]

SAMPLES = [
    *LOW_RANK,
    *INVERSES,
    *CHOLESKY,
    *DETERMINANTS,
    *EIGENVALUES,
    *SINGULAR_VALUES,
    *QR_AND_LU,
    *FUNCTIONS,
]
