"""Messages of the ops along dimensions, of sorting and of products, and PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wengert

NO_IDENTITY = "Expected reduction dim"
RANGE = "Dimension out of range (expected to be in range of"

CASES: list[tuple[str, Any, str]] = [
    # dims
    ("sum", lambda t, x: x.sum(2), f"{RANGE} [-2, 1], but got 2)"),
    ("sum_scalar", lambda t, x: t.tensor(1.0).sum(1), f"{RANGE} [-1, 0], but got 1)"),
    ("sum_twice", lambda t, x: x.sum((0, -2)), "dim 0 appears multiple times"),
    ("sum_text", lambda t, x: x.sum("a"), ""),
    ("sum_float", lambda t, x: x.sum(1.5), ""),
    ("sum_keepdim", lambda t, x: x.sum(0, 1), "argument 'keepdim'"),
    ("sum_unknown", lambda t, x: x.sum(0, keep=True), ""),
    ("sum_of_number", lambda t, x: t.sum(2.0), ""),
    ("max_of_number", lambda t, x: t.max(2.0), ""),
    ("prod_dims", lambda t, x: x.prod((0, 1)), ""),
    ("argmax_dims", lambda t, x: x.argmax((0, 1)), "must be int, not tuple"),
    ("max_dim", lambda t, x: x.max(5), f"{RANGE} [-2, 1], but got 5)"),
    ("cumsum", lambda t, x: x.cumsum(3), f"{RANGE} [-2, 1], but got 3)"),
    ("cumsum_missing", lambda t, x: x.cumsum(), "dim"),
    ("cumsum_text", lambda t, x: x.cumsum("a"), "must be int, not str"),
    ("sort", lambda t, x: x.sort(5), f"{RANGE} [-2, 1], but got 5)"),
    (
        "sum_to_size",
        lambda t, x: x.sum_to_size(4),
        "is not expandable to size {[2, 3]}",
    ),
    # no elements
    ("max_empty", lambda t, x: t.ones(0, 3).max(), f"max(): {NO_IDENTITY}"),
    ("amax_empty", lambda t, x: t.ones(0, 3).amax(), f"amax(): {NO_IDENTITY}"),
    ("amax_dim", lambda t, x: t.ones(0, 3).amax(0), "reduction dim 0 to have non-zero"),
    ("min_dim", lambda t, x: t.ones(0, 3).min(0), "reduction dim 0 to have non-zero"),
    ("argmax_empty", lambda t, x: t.ones(0).argmax(), f"argmax(): {NO_IDENTITY}"),
    ("argmin_dim", lambda t, x: t.ones(0, 3).argmin(0), "dim 0 to have non-zero size"),
    ("aminmax", lambda t, x: t.ones(0).aminmax(), "over an empty dimension"),
    ("median_dim", lambda t, x: t.ones(0, 3).median(0), "dim 0 to have non-zero size"),
    ("mode_dim", lambda t, x: t.ones(0, 3).mode(0), "dim 0 to have non-zero size"),
    ("kth_dim", lambda t, x: t.ones(0, 3).kthvalue(1, 0), "dim 0 to have non-zero"),
    ("norm_empty", lambda t, x: t.ones(0).norm(float("inf")), "cannot compute the inf"),
    ("norm_minus", lambda t, x: t.ones(0).norm(-1), "cannot compute the -1 norm"),
    ("quantile_empty", lambda t, x: t.ones(0).quantile(0.5), "must be non-empty"),
    # dtypes
    ("mean_int", lambda t, x: x.int().mean(), "could not infer output dtype"),
    ("var_int", lambda t, x: x.int().var(), "only support floating point and complex"),
    ("max_complex", lambda t, x: x.to(t.cfloat).max(), "not implemented for"),
    ("amax_complex", lambda t, x: x.to(t.cfloat).amax(), "not implemented for"),
    ("argmax_complex", lambda t, x: x.to(t.cfloat).argmax(), "complex input"),
    ("argmax_bool", lambda t, x: x.bool().argmax(), "does not support bool input"),
    (
        "nansum_complex",
        lambda t, x: x.to(t.cfloat).nansum(),
        "does not support complex",
    ),
    ("sort_complex", lambda t, x: x.to(t.cfloat).sort(), "does not support complex"),
    ("topk_bool", lambda t, x: x.bool().topk(1), "topk does not support bool dtypes"),
    ("lcse_int", lambda t, x: x.int().logcumsumexp(0), "not implemented for 'Int'"),
    ("norm_int", lambda t, x: x.int().norm(), "Expected a floating point or complex"),
    ("histc_int", lambda t, x: x.int().histc(), "not implemented for 'Int'"),
    ("bincount_float", lambda t, x: x[0].bincount(), "not implemented for 'Float'"),
    ("quantile_int", lambda t, x: x.int().quantile(0.5), "must be either float or"),
    (
        "cdist_int",
        lambda t, x: t.cdist(x.int(), x.int()),
        "only supports floating-point",
    ),
    # other arguments
    ("var_both", lambda t, x: x.var(0, unbiased=True, correction=1), "combination"),
    ("topk", lambda t, x: x.topk(5), "selected index k out of range"),
    ("topk_negative", lambda t, x: x.topk(-1), "selected index k out of range"),
    ("kthvalue", lambda t, x: x.kthvalue(0), "out of range for dimension 1"),
    ("quantile_q", lambda t, x: x.quantile(2.0), "q must be in the range [0, 1]"),
    ("quantile_qs", lambda t, x: x.quantile(t.tensor([[0.1]])), "scalar or 1D tensor"),
    (
        "quantile_between",
        lambda t, x: x.quantile(0.5, interpolation="no"),
        "interpolation must be one of linear, lower, higher, midpoint or nearest",
    ),
    ("histc_bins", lambda t, x: x.histc(0), "bins must be > 0"),
    ("histc_range", lambda t, x: x.histc(2, 3, 1), "max must be larger than min"),
    ("bincount", lambda t, x: t.tensor([-1]).bincount(), "1-d non-negative integral"),
    ("cov_weights", lambda t, x: x.cov(fweights=t.tensor([1, 2])), "got 2 != 3"),
    ("cov_float", lambda t, x: x.cov(fweights=x[0]), "to have integral dtype"),
    ("diff", lambda t, x: x.diff(-1), "order must be non-negative"),
    ("gradient", lambda t, x: t.gradient(x, edge_order=3), "edge_order=1 and edge_"),
    ("renorm", lambda t, x: x.renorm(0, 0, 1.0), "non-positive-norm not supported"),
    ("cdist", lambda t, x: t.cdist(x, x[:, :2]), "the same number of columns"),
    ("cdist_p", lambda t, x: t.cdist(x, x, -1.0), "non-negative p values"),
    # products
    ("matmul", lambda t, x: x @ x, "cannot be multiplied (2x3 and 2x3)"),
    ("matmul_mv", lambda t, x: x @ t.ones(4), "got input (2), mat (2x3), vec (4)"),
    ("matmul_vm", lambda t, x: t.ones(4) @ x, "cannot be multiplied (1x4 and 2x3)"),
    ("matmul_dot", lambda t, x: t.ones(4) @ t.ones(3), "4 and 3 elements respectively"),
    ("matmul_0d", lambda t, x: t.tensor(1.0) @ x, "they are 0D and 2D"),
    ("matmul_stack", lambda t, x: t.ones(2, 3, 4) @ x, "cannot be multiplied"),
    (
        "matmul_batch",
        lambda t, x: t.ones(2, 3, 4) @ t.ones(3, 4, 5),
        "size of tensor a (2) must match the size of tensor b (3)",
    ),
    (
        "matmul_stacks",
        lambda t, x: t.ones(2, 3, 4) @ t.ones(2, 3, 4),
        "batch2 tensor to be: [2, 4] but got: [2, 3].",
    ),
    ("matmul_dtype", lambda t, x: x @ x.mT.double(), "to have the same dtype"),
    ("matmul_bool", lambda t, x: x.bool() @ x.mT.bool(), "not implemented for 'Bool'"),
    ("matmul_number", lambda t, x: x @ 2, "unsupported operand type(s) for @"),
    ("mm_vector", lambda t, x: x.mm(t.ones(3)), "mat2 must be a matrix"),
    ("mv_matrix", lambda t, x: x.mv(t.ones(3, 1)), "matrix @ vector expected"),
    ("bmm_matrix", lambda t, x: t.ones(2, 3, 4).bmm(x), "batch2 must be a 3D tensor"),
    ("bmm", lambda t, x: x[None].bmm(x[None]), "to be: [1, 3] but got: [1, 2]"),
    ("dot_matrix", lambda t, x: x.dot(x), "1D tensors expected, but got 2D and 2D"),
    ("dot_dtype", lambda t, x: x[0].dot(x[0].double()), "found Float and Double"),
    ("inner", lambda t, x: x.inner(t.ones(2)), "the last dimension must match"),
    ("outer", lambda t, x: x[0].outer(x), "Expected 1-D argument vec2, but got 2-D"),
    ("addmm", lambda t, x: t.addmm(t.ones(5), x, x.mT), "must match the existing size"),
    ("addmm_dtype", lambda t, x: t.addmm(x[0].int(), x, x.mT), "got Int and Float"),
    ("addmv", lambda t, x: t.addmv(t.ones(2), x, t.ones(2)), "size mismatch"),
    ("baddbmm", lambda t, x: t.baddbmm(x, x[None], x.mT[None]), "existing size (3)"),
    ("tensordot", lambda t, x: t.tensordot(x, x, 1), "has size 3 in dim -1 and second"),
    (
        "trace",
        lambda t, x: x[0].trace(),
        "expected a matrix, but got tensor with dim 1",
    ),
    ("matrix_power", lambda t, x: x.matrix_power(2), "they are 2 by 3 matrices"),
    ("cross", lambda t, x: t.cross(t.ones(2), t.ones(2)), "no dimension of size 3"),
    # einsum
    (
        "einsum_sizes",
        lambda t, x: t.einsum("ij,jk->ik", x, x),
        "size 2 for operand 1 which does not broadcast with previously seen size 3",
    ),
    ("einsum_ndim", lambda t, x: t.einsum("i->", x), "subscripts in the equation (1)"),
    ("einsum_output", lambda t, x: t.einsum("ij->k", x), "subscript k does not appear"),
    ("einsum_twice", lambda t, x: t.einsum("ij->jj", x), "appears more than once"),
    ("einsum_letter", lambda t, x: t.einsum("i1", x), "must be in [a-zA-Z]"),
    ("einsum_fewer", lambda t, x: t.einsum("ij,jk", x), "fewer operands were provided"),
    ("einsum_more", lambda t, x: t.einsum("ij", x, x), "more operands were provided"),
    ("einsum_diagonal", lambda t, x: t.einsum("ii", x), "is repeated for operand 0"),
    ("einsum_none", lambda t, x: t.einsum("ij"), "at least one operand"),
]


def error_of(library: Any, call: Any) -> Exception:
    x = library.arange(6.0).reshape(2, 3)
    with pytest.raises(Exception) as raised:
        call(library, x)
    return raised.value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("call", "text"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_error_is_that_of_torch(call: Any, text: str) -> None:
    theirs, ours = error_of(torch, call), error_of(wengert, call)
    assert text in str(theirs), "PyTorch says something else"
    assert isinstance(ours, type(theirs)), repr(ours)
    assert text in str(ours)
