"""Shape, device and memory layout: how and where a tensor's elements lie.

`Size` is a shape, `device` a place; memory formats and layouts are constants, made like
the dtypes from `Constant`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, NoReturn, Self, SupportsIndex, TypeVar, final

ConstantT = TypeVar("ConstantT", bound="Constant")
_constants: dict[str, Constant] = {}


class Constant:
    """A named value that exists once, also after pickling and copying."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, *_: Any, **__: Any) -> Self:
        raise TypeError(f"cannot create 'torch.{cls.__name__}' instances")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _constant_named, (self.name,)


def _constant_named(name: str) -> Constant:
    return _constants[name]


def make_constant(cls: type[ConstantT], name: str, **attributes: Any) -> ConstantT:
    constant = object.__new__(cls)
    for key, value in {"name": name, **attributes}.items():
        setattr(constant, key, value)
    _constants[name] = constant
    return constant


# --- Size -----------------------------------------------------------------------------


@final
class Size(tuple[int, ...]):
    """A tensor's shape: a tuple of ints that stays a Size when sliced or added to.

    Code that has a tuple of ints already, such as an array's shape, spares the check
    of the items with `tuple.__new__(Size, shape)`.

    >>> shape = Size([2, 3, 4])
    >>> shape[1:], shape + (5,), shape.numel()
    (torch.Size([3, 4]), torch.Size([2, 3, 4, 5]), 24)
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Size:
        items = []
        for position, item in enumerate(sizes):
            try:
                items.append(operator.index(item))
            except TypeError:
                raise TypeError(
                    f"torch.Size() takes an iterable of 'int' "
                    f"(item {position} is '{type(item).__name__}')"
                ) from None
        return tuple.__new__(cls, items)

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape: the product."""
        product = 1
        for size in self:
            product *= size
        return product

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return tuple.__new__(Size, item) if type(index) is slice else item

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(
                f"can only concatenate tuple (not {type(other).__name__}) to torch.Size"
            )
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, self))

    def __mul__(self, count: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, count))

    __rmul__ = __mul__


# --- device ---------------------------------------------------------------------------

_DEVICE_TYPES = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, "
    "lazy, vulkan, mps, meta, hpu, mtia, privateuseone"
)


@final
class device:
    """Where a tensor's elements are: a kind of device and perhaps which one of them.

    Used in a `with` statement, it is the device of tensors created inside.

    Args:
        type: a string such as `"cpu"`, `"cuda"` or `"cuda:0"`, a device, or an integer,
            which is the index of a CUDA device.
        index: which device of the kind, when the string does not say.

    Raises:
        RuntimeError: the string names no device.
        TypeError: the arguments are of other types.

    >>> device("cuda", 1), str(device("cuda:1")), device("cpu").index
    (device(type='cuda', index=1), 'cuda:1', None)
    """

    __slots__ = ("type", "index", "_outer_defaults")
    type: str
    index: int | None
    _outer_defaults: list[device]

    def __new__(cls, type: str | device | int, index: int | None = None) -> device:
        if isinstance(type, device) and index is None:
            return type
        if isinstance(type, int) and index is None:
            return cls("cuda", type)
        kind, parsed_index = _parse_device(type, index)
        self = object.__new__(cls)
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", parsed_index)
        object.__setattr__(self, "_outer_defaults", [])
        return self

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(
            f"attribute '{name}' of 'torch.device' objects is not writable"
        )

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        index = () if self.index is None else (self.index,)
        return device, (self.type, *index)

    def __enter__(self) -> device:
        self._outer_defaults.append(_Default.device)
        set_default_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        set_default_device(self._outer_defaults.pop())


def _parse_device(name: Any, index: int | None) -> tuple[str, int | None]:
    """Return kind and index of a device string such as `"cuda:0"`."""
    if not isinstance(name, str):
        raise TypeError(
            f"device(): argument 'type' (position 1) must be str, "
            f"not {type(name).__name__}"
        )
    kind, has_index = _check_device_string(name)
    if index is None:
        return kind, int(name[len(kind) + 1 :]) if has_index else None
    if has_index:
        raise RuntimeError(
            "type (string) must not include an index because index was passed "
            f"explicitly: {name}"
        )
    if not isinstance(index, int):
        raise TypeError(
            f"device(): argument 'index' (position 2) must be int, "
            f"not {type(index).__name__}"
        )
    if index < 0:
        raise RuntimeError("Device index must not be negative")
    return kind, index


def _check_device_string(name: str) -> tuple[str, bool]:
    """Return a device string's kind and whether an index follows."""
    if not name:
        raise RuntimeError("Device string must not be empty")
    kind, colon, digits = name.partition(":")
    has_leading_zero = len(digits) > 1 and digits[0] == "0"
    is_index = digits.isascii() and digits.isdigit() and not has_leading_zero
    if not kind.replace("_", "a").isalpha() or (colon and not is_index):
        raise RuntimeError(f"Invalid device string: '{name}'")
    if kind not in _DEVICE_TYPES.split(", "):
        raise RuntimeError(
            f"Expected one of {_DEVICE_TYPES} device type at start of device string: "
            f"{kind}"
        )
    return kind, bool(colon)


CPU = device("cpu")


class _Default:
    """What `set_default_device` sets."""

    device = CPU


def get_default_device() -> device:
    """Return the device on which tensors are created when none is asked for."""
    return _Default.device


def set_default_device(device: str | device | int | None) -> None:
    """Set the device on which tensors are created when none is asked for.

    Args:
        device: the device, or None for the CPU.
    """
    _Default.device = CPU if device is None else _device(device)


_device = device  # `set_default_device` has an argument of PyTorch's name `device`


# --- memory formats and layouts -------------------------------------------------------


@final
class memory_format(Constant):
    """The order in which the elements of a tensor lie in memory."""

    __slots__ = ()


@final
class layout(Constant):
    """How a tensor's elements are kept; only `strided` is supported."""

    __slots__ = ()


contiguous_format: memory_format = make_constant(memory_format, "contiguous_format")
legacy_contiguous_format = contiguous_format
channels_last: memory_format = make_constant(memory_format, "channels_last")
channels_last_3d: memory_format = make_constant(memory_format, "channels_last_3d")
preserve_format: memory_format = make_constant(memory_format, "preserve_format")

strided: layout = make_constant(layout, "strided")
sparse_coo: layout = make_constant(layout, "sparse_coo")
sparse_csr: layout = make_constant(layout, "sparse_csr")
sparse_csc: layout = make_constant(layout, "sparse_csc")
sparse_bsr: layout = make_constant(layout, "sparse_bsr")
sparse_bsc: layout = make_constant(layout, "sparse_bsc")
jagged: layout = make_constant(layout, "jagged")
