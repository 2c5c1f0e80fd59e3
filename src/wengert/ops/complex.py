"""Complex numbers: their parts, conjugates and angles."""

from __future__ import annotations

from wengert.dtypes import float16, float32, float64
from wengert.primitives import complex as C, trigonometric as T
from wengert.tensor import Tensor

from .public import check_operand, describe, op, publish

# --- the parts ------------------------------------------------------------------------


@op(method=False, out=False)
def real(input: Tensor) -> Tensor:
    """The real parts, as a view; a real tensor itself.

    >>> import wengert as torch
    >>> torch.real(torch.tensor([1 + 2j, 3j]))
    tensor([1., 0.])
    """
    return C.real(input) if input.dtype.is_complex else input


@op(method=False, out=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary parts, as a view.

    Raises:
        RuntimeError: the tensor is real.

    >>> import wengert as torch
    >>> torch.imag(torch.tensor([1 + 2j, 3j]))
    tensor([2., 3.])
    """
    if not input.dtype.is_complex:
        raise RuntimeError(
            "imag is not implemented for tensors with non-complex dtypes."
        )
    return C.imag(input)


def set_real(input: Tensor, value: Tensor) -> None:
    real(input).copy_(value)


def set_imag(input: Tensor, value: Tensor) -> None:
    imag(input).copy_(value)


Tensor.real = property(real, set_real)
Tensor.imag = property(imag, set_imag)


@op(method=False)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Complex numbers with these real and imaginary parts.

    Raises:
        RuntimeError: the parts have no floats, or of different dtypes.

    >>> import wengert as torch
    >>> torch.complex(torch.tensor([1.0]), torch.tensor([2.0]))
    tensor([1.+2.j])
    """
    check_operand("complex", "real", 0, real)
    check_operand("complex", "imag", 1, imag)
    check_parts(real, imag)
    return C.complex(real, imag)


@op(method=False)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Complex numbers with these absolute values and angles.

    Raises:
        RuntimeError: the tensors have no floats, or of different dtypes.

    >>> import wengert as torch
    >>> torch.polar(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor([2.+0.j])
    """
    check_operand("polar", "abs", 0, abs)
    check_operand("polar", "angle", 1, angle)
    check_parts(abs, angle)
    return T.polar(abs, angle)


def check_parts(first: Tensor, second: Tensor) -> None:
    """Refuse what is not a pair of real tensors."""
    kinds = first.dtype, second.dtype
    if not all(kind in (float16, float32, float64) for kind in kinds):
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{kinds[0].scalar_type} and {kinds[1].scalar_type}"
        )
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"Expected object of scalar type {kinds[0].scalar_type} but got scalar "
            f"type {kinds[1].scalar_type} for second argument"
        )


@op(out=False)
def view_as_real(input: Tensor) -> Tensor:
    """A view with one more dimension, of size 2: real and imaginary part.

    Raises:
        RuntimeError: the tensor is real.

    >>> import wengert as torch
    >>> torch.view_as_real(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if not input.dtype.is_complex:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return C.view_as_real(input)


@op(out=False)
def view_as_complex(input: Tensor) -> Tensor:
    """A complex view of pairs of real numbers, which are the last dimension.

    Raises:
        RuntimeError: the tensor has no floats, or no adjacent pairs of them.

    >>> import wengert as torch
    >>> torch.view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    if input.dtype not in (float16, float32, float64):
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but "
            f"got a tensor of scalar type: {input.dtype.scalar_type}"
        )
    if input.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if input.stride()[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    return C.view_as_complex(input)


# --- conjugate and angle --------------------------------------------------------------


@op(out=False)
def conj(input: Tensor) -> Tensor:
    """The conjugates; a real tensor itself.

    They are computed now, and are no view of the tensor: PyTorch puts that off.

    >>> import wengert as torch
    >>> torch.conj(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return C.conj(input) if input.dtype.is_complex else input


Tensor.conjugate = conj


@op(inplace=True)
def conj_physical(input: Tensor) -> Tensor:
    """The conjugates, see `conj`.

    >>> import wengert as torch
    >>> torch.conj_physical(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return C.conj_physical(input) if input.dtype.is_complex else input


@op(out=False)
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are computed at once here.

    >>> import wengert as torch
    >>> torch.resolve_conj(torch.tensor([1 + 2j]).conj())
    tensor([1.-2.j])
    """
    return input


@op(out=False)
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negatives are computed at once here.

    >>> import wengert as torch
    >>> torch.resolve_neg(torch.tensor([1.0]))
    tensor([1.])
    """
    return input


@op(out=False)
def is_conj(input: Tensor) -> bool:
    """Whether conjugating has been put off: never, see `conj`.

    >>> import wengert as torch
    >>> torch.is_conj(torch.tensor([1 + 2j]).conj())
    False
    """
    return False


@op(out=False)
def is_neg(input: Tensor) -> bool:
    """Whether negating has been put off: never.

    >>> import wengert as torch
    >>> torch.is_neg(torch.tensor([1.0]))
    False
    """
    return False


publish(
    describe(
        C.angle,
        """The angles of complex numbers; 0 or π for real ones.

>>> import wengert as torch
>>> torch.angle(torch.tensor([1j, -1.0]))
tensor([1.5708, 3.1416])
""",
    ),
    ("angle",),
)
