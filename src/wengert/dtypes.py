"""The types of elements, and which type a result has.

A tour. A `dtype` is a named constant; its `numpy` attribute is the NumPy dtype that
arrays of it have, and `from_numpy` goes the other way. `promote_types` is PyTorch's
table for two dtypes, and `result_dtype` its rule for operands: tensors with dimensions
outrank tensors without, which outrank Python numbers, and a lower rank only counts when
it is of a higher category (bool < int < float < complex). Shapes, devices and memory
layouts, which describe a tensor too, come from `placement` and can be had from here.

The dtypes `bool`, `int` and `float` are called `bool_`, `int_` and `float_` in here, so
that Python's own stay usable; the package exports them under PyTorch's names.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn, final

import numpy as np

from . import placement
from .placement import Constant, make_constant

Size = placement.Size
device = placement.device

BOOL, INT, FLOAT, COMPLEX = range(4)
"""The categories of dtypes, from the lowest to the highest."""

# --- dtypes ---------------------------------------------------------------------------


@final
class dtype(Constant):
    """The type of a tensor's elements.

    Attributes:
        name: PyTorch's name without the prefix, such as `"float32"`.
        scalar_type: the name that PyTorch's error messages use, such as `"Float"`.
        c_name: the C type, which other messages use, such as `"float"`.
        numpy: the NumPy dtype of arrays of this dtype. NumPy has none for bfloat16,
            complex32 and the 8-bit floats: there, asking raises NotImplementedError.
        category: BOOL, INT, FLOAT or COMPLEX.
        is_floating_point, is_complex, is_signed, itemsize: as in PyTorch.

    >>> float32, float32.is_floating_point, float32.itemsize, float32.to_complex()
    (torch.float32, True, 4, torch.complex64)
    """

    __slots__ = (
        "scalar_type",
        "numpy",
        "category",
        "is_floating_point",
        "is_complex",
        "is_signed",
        "itemsize",
    )
    scalar_type: str
    numpy: np.dtype[Any]
    category: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    itemsize: int

    def __getattr__(self, name: str) -> NoReturn:
        """Explain the missing `numpy` of a dtype that NumPy does not have."""
        if name != "numpy":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        instead = "complex64" if self.is_complex else "float32 (or float16)"
        raise NotImplementedError(
            f"{self} has no arrays here, because NumPy has no such dtype; "
            f"use torch.{instead} instead"
        )

    @property
    def c_name(self) -> str:
        """The name of the C type."""
        return C_NAMES.get(self.scalar_type, self.name)

    def to_real(self) -> dtype:
        """Return the dtype of the real part: for complex64 float32, for others self."""
        return _real_of_complex.get(self, self)

    def to_complex(self) -> dtype:
        """Return the complex dtype whose real part has this dtype.

        Raises:
            RuntimeError: the dtype is boolean, integral or an 8-bit float.
        """
        try:
            return _complex_of_real[self]
        except KeyError:
            raise RuntimeError(
                f"Unknown Complex ScalarType for {self.scalar_type}"
            ) from None


C_NAMES = {
    "Byte": "unsigned char",
    "Char": "signed char",
    "Short": "short",
    "Int": "int",
    "Long": "long int",
    "Half": "c10::Half",
    "Float": "float",
    "Double": "double",
    "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
}


def _make_dtype(
    name: str, scalar_type: str, category: int, itemsize: int, has_numpy: bool = True
) -> dtype:
    attributes: dict[str, Any] = {"numpy": np.dtype(name)} if has_numpy else {}
    return make_constant(
        dtype,
        name,
        scalar_type=scalar_type,
        category=category,
        is_floating_point=category == FLOAT,
        is_complex=category == COMPLEX,
        is_signed=not name.startswith(("uint", "bool", "float8_e8m0fnu")),
        itemsize=itemsize,
        **attributes,
    )


bool_ = _make_dtype("bool", "Bool", BOOL, 1)
uint8 = _make_dtype("uint8", "Byte", INT, 1)
uint16 = _make_dtype("uint16", "UInt16", INT, 2)
uint32 = _make_dtype("uint32", "UInt32", INT, 4)
uint64 = _make_dtype("uint64", "UInt64", INT, 8)
int8 = _make_dtype("int8", "Char", INT, 1)
int16 = short = _make_dtype("int16", "Short", INT, 2)
int32 = int_ = _make_dtype("int32", "Int", INT, 4)
int64 = long = _make_dtype("int64", "Long", INT, 8)
float16 = half = _make_dtype("float16", "Half", FLOAT, 2)
float32 = float_ = _make_dtype("float32", "Float", FLOAT, 4)
float64 = double = _make_dtype("float64", "Double", FLOAT, 8)
complex64 = cfloat = _make_dtype("complex64", "ComplexFloat", COMPLEX, 8)
complex128 = cdouble = _make_dtype("complex128", "ComplexDouble", COMPLEX, 16)

# These have names, so that programs that mention them load, but no arrays.
bfloat16 = _make_dtype("bfloat16", "BFloat16", FLOAT, 2, has_numpy=False)
complex32 = chalf = _make_dtype("complex32", "ComplexHalf", COMPLEX, 4, has_numpy=False)
_FLOAT8_NAMES = ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0fnu")
(
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
) = _FLOAT8 = tuple(
    _make_dtype(f"float8_{name}", f"Float8_{name}", FLOAT, 1, has_numpy=False)
    for name in _FLOAT8_NAMES
)

_WIDE_UNSIGNED = (uint16, uint32, uint64)
_complex_of_real = {
    float16: complex32,
    bfloat16: complex64,
    float32: complex64,
    float64: complex128,
    complex32: complex32,
    complex64: complex64,
    complex128: complex128,
}
_real_of_complex = {complex32: float16, complex64: float32, complex128: float64}

_NUMPY_BACKED = (
    *(float64, float32, float16, complex64, complex128, int64, int32, int16, int8),
    *(uint64, uint32, uint16, uint8, bool_),
)
_dtype_of_numpy = {entry.numpy: entry for entry in _NUMPY_BACKED}
_dtype_of_python_type: dict[type, dtype] = {
    bool: bool_,
    int: int64,
    float: float64,
    complex: complex128,
}


def from_numpy(numpy_dtype: np.dtype[Any]) -> dtype:
    """Return the dtype of tensors that hold arrays of a NumPy dtype.

    Args:
        numpy_dtype: a NumPy dtype of native byte order.

    Raises:
        TypeError: tensors cannot hold such arrays (object, str, dates, longdouble …).
        ValueError: the byte order is not the machine's.

    >>> from_numpy(np.dtype("int32"))
    torch.int32
    """
    try:
        return _dtype_of_numpy[numpy_dtype]
    except KeyError:
        pass
    if numpy_dtype.newbyteorder("=") in _dtype_of_numpy:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. "
            "Conversion between byte orders is currently not supported."
        )
    supported = ", ".join(entry.name for entry in _NUMPY_BACKED[:-1])
    raise TypeError(
        f"can't convert np.ndarray of type numpy.{numpy_dtype.type.__name__}. "
        f"The only supported types are: {supported}, and bool."
    )


def with_common_dtype(array: np.ndarray) -> np.ndarray:
    """Return an array whose dtype is the one object that NumPy has for it in common.

    Arrays from pickles, or of C's `long long`, have others, which are equal; dtypes
    are compared by identity wherever that is quicker. The memory is the same.
    """
    common = np.dtype(array.dtype.str)
    return array if array.dtype is common else array.view(common)


def to_numpy(requested: object, function: str = "tensor") -> np.dtype[Any]:
    """Return the NumPy dtype for a `dtype=` argument.

    Args:
        requested: a dtype, or Python's `bool`, `int`, `float` or `complex`.
        function: the name of the function whose argument it is, for the message.

    Raises:
        TypeError: the argument is neither.
        NotImplementedError: NumPy has no arrays of this dtype.

    >>> to_numpy(float32), to_numpy(float)
    (dtype('float32'), dtype('float64'))
    """
    if isinstance(requested, dtype):
        return requested.numpy
    if isinstance(requested, type) and requested in _dtype_of_python_type:
        return _dtype_of_python_type[requested].numpy
    raise TypeError(
        f"{function}(): argument 'dtype' must be torch.dtype, "
        f"not {_type_name(requested)}"
    )


def _type_name(value: Any) -> str:
    return type(value).__name__


# --- the default dtype ----------------------------------------------------------------


class _Default:
    """What `set_default_dtype` sets."""

    dtype = float32


def get_default_dtype() -> dtype:
    """Return the floating-point dtype that Python floats become (at first float32)."""
    return _Default.dtype


def get_default_complex_dtype() -> dtype:
    """Return the dtype that Python complex numbers become."""
    return _Default.dtype.to_complex()


def set_default_dtype(d: dtype) -> None:
    """Set the floating-point dtype that Python floats become.

    Args:
        d: float16, float32 or float64.

    Raises:
        TypeError: it is not a floating-point dtype.
        NotImplementedError: NumPy has no arrays of it.

    >>> set_default_dtype(float64); get_default_dtype(); set_default_dtype(float32)
    torch.float64
    """
    floats_only = "only floating-point types are supported as the default type"
    if type(d) is not dtype:
        raise TypeError(f"invalid dtype object: {floats_only}")
    if not d.is_floating_point:
        raise TypeError(floats_only)
    _ = d.numpy  # raises, where NumPy has no such dtype
    _Default.dtype = d
    _result_of_key.clear()


# --- promotion ------------------------------------------------------------------------


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Return the smallest dtype that holds both, by PyTorch's table.

    An integer and a float give the float, whatever their sizes; uint8 and a signed
    integer the signed one that holds both; uint16, uint32 and uint64 only promote with
    floats.

    Raises:
        RuntimeError: the table has no entry for the two.

    >>> promote_types(int64, float16), promote_types(uint8, int8)
    (torch.float16, torch.int16)
    """
    check_is_dtype(type1, "promote_types", "type1", 1)
    check_is_dtype(type2, "promote_types", "type2", 2)
    return _promote(type1, type2)


def check_is_dtype(value: Any, function: str, argument: str, position: int) -> None:
    if type(value) is not dtype:
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) "
            f"must be torch.dtype, not {_type_name(value)}"
        )


@cache
def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    if a in _FLOAT8 or b in _FLOAT8:
        raise _promotion_error("Float8 Types is", a, b)
    low, high = (a, b) if a.category <= b.category else (b, a)
    if (low in _WIDE_UNSIGNED or high in _WIDE_UNSIGNED) and high.category != FLOAT:
        raise _promotion_error("uint16, uint32, uint64 types is", a, b)
    if high.is_complex and low.category >= FLOAT:
        return _promote(a.to_real(), b.to_real()).to_complex()
    if low.category != high.category:
        return high
    if low.itemsize != high.itemsize:
        return max(a, b, key=operator.attrgetter("itemsize"))
    # Same size, so one of the pairs where neither holds the other.
    return float32 if high.is_floating_point else int16


def _promotion_error(what: str, a: dtype, b: dtype) -> RuntimeError:
    return RuntimeError(
        f"Promotion for {what} not supported, "
        f"attempted to promote {a.scalar_type} and {b.scalar_type}"
    )


def can_cast(from_: dtype, to: dtype) -> bool:
    """Return whether a result of dtype `from_` may be stored in dtype `to`.

    It may not where the category falls: complex to real, float to integer, anything
    to bool. Sizes and signs do not matter.

    >>> can_cast(float64, float16), can_cast(float32, int64)
    (True, False)
    """
    check_is_dtype(from_, "can_cast", "from_", 1)
    check_is_dtype(to, "can_cast", "to", 2)
    return from_.category <= to.category


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """Return the dtype that an operation on two operands gives.

    Args:
        tensor1: a tensor or a Python (or NumPy) number.
        tensor2: the same.

    Raises:
        TypeError: an operand is neither.
        RuntimeError: the two do not promote; see `promote_types`.

    >>> result_type(2, 1.5)
    torch.float32
    """
    keys = []
    for operand in (tensor1, tensor2):
        if isinstance(operand, np.ndarray):
            raise _invalid_operand(operand)
        number = isinstance(operand, np.generic)
        keys.append(_key(operand.item() if number else operand))
    return _result_of_keys(keys)


_Key = type | dtype | np.dtype[Any] | tuple[dtype | np.dtype[Any]]
_result_of_key: dict[tuple[_Key, ...], np.dtype[Any]] = {}


def result_dtype(*operands: Any) -> np.dtype[Any]:
    """Return the NumPy dtype that an operation on raw operands computes in.

    Args:
        operands: arrays, or whatever has `dtype` and `ndim`, and Python numbers. A
            NumPy scalar counts as an array without dimensions: that is what NumPy
            gives for one.

    Raises:
        TypeError: an operand is neither.
        RuntimeError: the dtypes do not promote; see `promote_types`.
        NotImplementedError: the result is a dtype that NumPy does not have.

    >>> result_dtype(np.ones(2, np.int8), np.ones((), np.int64), 2)
    dtype('int8')
    >>> result_dtype(np.ones(2, np.int8), 0.5)
    dtype('float32')
    """
    key = tuple(map(_key, operands))
    try:
        return _result_of_key[key]
    except KeyError:
        result = _result_of_key[key] = _result_of_keys(key).numpy
        return result


def _key(operand: Any) -> _Key:
    """Return all that promotion looks at in an operand.

    That is the dtype of one with dimensions, a tuple of the dtype of one without, and
    the type of a Python number.
    """
    kind = type(operand)
    if kind in _dtype_of_python_type:
        return kind
    try:
        return operand.dtype if operand.ndim else (operand.dtype,)
    except AttributeError:
        pass
    for number in (int, float, complex):  # their subclasses, such as enum.IntEnum
        if isinstance(operand, number):
            return number
    raise _invalid_operand(operand)


def _invalid_operand(operand: Any) -> TypeError:
    return TypeError(
        f"result_type(): an operand must be a Tensor or a number, "
        f"not {_type_name(operand)}"
    )


def _result_of_keys(keys: Sequence[_Key]) -> dtype:
    dimensioned: dtype | None = None
    zero_dim: dtype | None = None
    wrapped: dtype | None = None
    for key in keys:
        if isinstance(key, type):
            wrapped = _promote_optional(wrapped, _dtype_of_number(key))
        elif isinstance(key, tuple):
            zero_dim = _promote_optional(zero_dim, _as_dtype(key[0]))
        else:
            dimensioned = _promote_optional(dimensioned, _as_dtype(key))
    result = _combine_ranks(dimensioned, _combine_ranks(zero_dim, wrapped))
    if result is None:
        raise TypeError("result_type(): expects at least one operand")
    return result


def _dtype_of_number(kind: type) -> dtype:
    if kind is float:
        return get_default_dtype()
    if kind is complex:
        return get_default_complex_dtype()
    return _dtype_of_python_type[kind]


def _as_dtype(either: dtype | np.dtype[Any]) -> dtype:
    return from_numpy(either) if isinstance(either, np.dtype) else either


def _promote_optional(a: dtype | None, b: dtype) -> dtype:
    return b if a is None else _promote(a, b)


def _combine_ranks(higher: dtype | None, lower: dtype | None) -> dtype | None:
    """Return the result of two ranks: the higher's, raised to the lower's category."""
    if higher is None or lower is None:
        return higher or lower
    if lower.is_complex:
        return higher.to_complex() if higher.category >= FLOAT else lower
    if higher.category >= FLOAT:
        return higher
    if higher.category == BOOL or lower.is_floating_point:
        return _promote(higher, lower)
    return higher
