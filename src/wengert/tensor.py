"""What a tensor is: an array, and its place on the tape.

What can be *done* with tensors is elsewhere: `dispatch` records ops, `ops` names them
and makes methods and operators of them, `views` knows what it means to write in place.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from sys import getrefcount
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from . import dtypes, engine, errors, modes
from .engine import Edges, Node, clock
from .forms import Form

new = object.__new__
make_size = tuple.__new__


class Special:
    """Marks a tensor that is more than an array of its own: a view, or one on a layer.

    Note [Plain tensors]
        The quick paths in `dispatch` serve tensors whose `_special` is None: they own
        their array, it is a NumPy array, and their `_node` is up to date. One look at
        one attribute excludes everything else.

    `level` is zero, or that of the transformation to which the tensor belongs.
    """

    __slots__ = ("level",)

    def __init__(self, level: int = 0) -> None:
        self.level = level

    def requires_grad(self, tensor: Tensor) -> bool:
        """Return what ``requires_grad`` says of the tensor it marks."""
        return tensor._node is not None or (
            self.level in forward_levels and below(tensor).requires_grad
        )


INFERENCE = Special()
"""Marks tensors that were made in inference mode, and views of them."""


forward_levels: set[int] = set()
"""The levels of `autograd.forward_ad`, whose duals show their primals' records."""


def below(tensor: Tensor) -> Tensor:
    """Return the tensor whose record a dual of forward mode shows: its primal."""
    while tensor._special is not None and tensor._special.level in forward_levels:
        data = tensor._data
        tensor = getattr(data, "primal", data)
    return tensor


class Layer:
    """An array of a transformation: what it does to ops is up to its class.

    `level` tells nested transformations apart. `process` is called with a primitive
    whose arguments belong to this level or lower ones. `numpy_dtype` is the dtype of
    the NumPy array at the bottom.
    """

    __slots__ = ("level",)
    __array_ufunc__ = None
    level: int
    numpy_dtype: np.dtype[Any]

    def __getattr__(self, name: str) -> Any:
        """Do what a tensor does: its methods are made of primitives."""
        if name in Layer.__slots__ or name.startswith("__"):
            raise AttributeError(name)
        return getattr(Tensor, name).__get__(self)

    @classmethod
    def process(
        cls, primitive: Any, level: int, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        raise NotImplementedError


if TYPE_CHECKING:

    class _Open(type):
        """Says that other modules give the class its methods."""

        def __getattr__(cls, name: str) -> Any: ...

        def __setattr__(cls, name: str, value: Any) -> None: ...

else:
    _Open = type


class Tensor(metaclass=_Open):
    """An array whose ops are recorded if it, or another of their inputs, requires grad.

    Attributes (for the library's own use):
        _data: the array: NumPy's, or that of a layer, or another tensor.
        _node: where gradients go: the node that made this, or `AccumulateGrad` for a
            leaf that requires grad, or None.
        _counter: a list that holds the version number, shared with whatever shares the
            memory; None until somebody asks: version 0.
        _special: None for a plain tensor, see Note [Plain tensors].
        _form: the form of the array of a plain tensor if it is known, else None; see
            Note [One look at two arrays].
        _grad: what is shown as ``grad``; absent until set.
        _idle: the node of a leaf that does not require grad any more; else absent.
        _birth: when it was made, of what is made inside transformations; else absent.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_birth",
        "_counter",
        "_data",
        "_form",
        "_grad",
        "_idle",
        "_node",
        "_special",
    )

    _data: Any
    _node: Node | None
    _counter: list[int] | None
    _special: Special | None
    _form: Form | None
    _grad: Tensor | None
    _idle: Node | None
    _birth: int

    __hash__ = object.__hash__
    __array_priority__ = 1000

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Any: ...
        def __bool__(self) -> bool: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __index__(self) -> int: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __neg__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __xor__(self, other: Any) -> Any: ...
        def __eq__(self, other: object) -> Any: ...
        def __ne__(self, other: object) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...

    @property
    def shape(self) -> dtypes.Size:
        """The sizes of the dimensions."""
        return make_size(dtypes.Size, self._data.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        kind = self._data.dtype
        return kind if type(kind) is dtypes.dtype else dtypes.from_numpy(kind)

    @property
    def requires_grad(self) -> bool:
        """Whether ops on this tensor are recorded; set it on leaves."""
        special = self._special
        if special is None:
            return self._node is not None
        return special.requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        shown = below(self)
        if shown is not self:
            shown.requires_grad = value
            return
        node = self._node
        if node is not None and not isinstance(node, AccumulateGrad):
            raise errors.requires_grad_of_non_leaf(value)
        if (node is not None) == value:
            return
        if not value:
            self._idle, self._node = node, None
        elif not is_differentiable(self._data.dtype):
            raise errors.only_floats_require_grad()
        elif is_inference(self) and not modes.is_inference_mode_enabled():
            raise errors.inference_requires_grad()
        else:
            self._node = getattr(self, "_idle", None) or AccumulateGrad(self)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor.

        >>> import wengert as torch
        >>> torch.ones(2).requires_grad_()
        tensor([1., 1.], requires_grad=True)
        """
        if level_of(self) and level_of(below(self)):
            raise errors.requires_grad_in_transform()
        if requires_grad and not is_differentiable(self._data.dtype):
            raise errors.only_floats_require_grad("floating point")
        if not requires_grad or not self.requires_grad:
            self.requires_grad = requires_grad
        return self

    def is_inference(self) -> bool:
        """Whether this tensor was made in inference mode, see `inference_mode`."""
        return is_inference(self)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        node = history(below(self))
        return node is None or isinstance(node, AccumulateGrad)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this tensor; None for a leaf."""
        node = history(below(self))
        if node is None or isinstance(node, AccumulateGrad):
            return None
        found, index = engine.source(node)
        like = self.shape, self.dtype, self.device
        engine.shown_results.setdefault(found, {})[index] = like
        return found

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` this tensor is."""
        return engine.source(history(below(self)))[1]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward has accumulated here, or None."""
        try:
            found = self._grad
        except AttributeError:
            found = None
        if found is None and type(self._node) is not AccumulateGrad:
            shown = below(self)
            if shown is not self:
                return shown.grad
            node = self._node
            if node is not None and node.unhooked is None:
                warnings.warn(errors.NON_LEAF_GRAD, stacklevel=2)
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            check_grad(self, value)
        owner = self if self._special is None else below(self)
        owner._grad = value

    @grad.deleter
    def grad(self) -> None:
        below(self)._grad = None

    @property
    def _version(self) -> int:
        """How many times the memory of this tensor has been written to."""
        if self._special is not None and is_inference(self):
            raise RuntimeError("Inference tensors do not track version counter.")
        return version_of(below(self))

    @property
    def device(self) -> dtypes.device:
        """Where the array is."""
        return device_of(self._data)


class Parameter(Tensor):
    """A tensor that a module trains: it requires grad, and `nn.Module` registers it."""

    __slots__ = ()


def check_grad(tensor: Tensor, grad: object) -> None:
    """Refuse a ``.grad`` that does not belong to its tensor."""
    if not isinstance(grad, Tensor):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(grad).__name__}"
        )
    if grad is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if grad.dtype is not tensor.dtype:
        raise errors.mismatched_grad_dtype(grad.dtype, tensor.dtype)
    if grad.shape != tensor.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor "
            f"of size '{list(tensor.shape)}'. Please ensure that the gradient and the "
            "tensor are the same size"
        )


CPU = dtypes.device("cpu")


def device_of(data: Any) -> dtypes.device:
    """Return the device of an array of any layer."""
    return data.device if isinstance(data, Tensor) else CPU


def is_differentiable(dtype: Any) -> bool:
    """Whether elements of a NumPy dtype (or a torch one) can have derivatives."""
    if type(dtype) is dtypes.dtype:
        return dtype.is_floating_point or dtype.is_complex
    return dtype.kind in "fc"


def plain(data: ndarray) -> Tensor:
    """Return a tensor that owns a NumPy array and has no history."""
    tensor = new(Tensor)
    tensor._data = data
    tensor._form = None
    tensor._node = None
    tensor._counter = None
    tensor._special = None
    return tensor


def rebind(tensor: Tensor, data: Any, special: Special | None) -> None:
    """Let a tensor have another array, and mark it."""
    tensor._data = data
    tensor._form = None
    tensor._special = special


def wrap_at(level: int, data: Any) -> Tensor:
    """Return a tensor of a level without history; NumPy scalars become arrays."""
    tensor = new(Tensor)
    if type(data) is not ndarray and not isinstance(data, LAYERS):
        data = np.asarray(data)
    tensor._data = data
    tensor._form = None
    tensor._node = None
    tensor._counter = None
    # what a layer computes is never plain, see Note [Plain tensors]
    plain = level == 0 and type(data) is ndarray
    tensor._special = None if plain else Special(level)
    return tensor


LAYERS = (Tensor, Layer)


def wrap_like(data: Any) -> Tensor:
    """Return a tensor without history of an array of any layer."""
    if isinstance(data, Tensor):
        raise TypeError("the level of a tensor on a tensor must be given: see wrap_at")
    return wrap_at(getattr(data, "level", 0), data)


def level_of(tensor: Tensor) -> int:
    """Return the level of the transformation that a tensor belongs to, or zero."""
    return tensor._special.level if tensor._special is not None else 0


def is_inference(tensor: Tensor) -> bool:
    """Whether a tensor, or what it is a view of, was made in inference mode."""
    return below(tensor)._special is INFERENCE


def counter(tensor: Tensor) -> list[int]:
    """Return the tensor's version counter, to share or to raise."""
    if tensor._counter is None:
        tensor._counter = [0]
    return tensor._counter


def version_of(tensor: Tensor) -> int:
    """Return how many times a tensor's memory is known to have been written to."""
    return tensor._counter[0] if tensor._counter is not None else 0


def history(tensor: Tensor) -> Node | None:
    """Return the node where gradients of a tensor go: a new one for a stale view."""
    special = tensor._special
    if special is None or type(special) is Special:
        return tensor._node
    return special.history(tensor)  # type: ignore[attr-defined]


accumulating = Lock()


class AccumulateGrad(Node):
    """The node of a leaf that requires grad: adds what reaches it to its ``grad``.

    It holds the leaf weakly, as the leaf holds it: a leaf that nobody can ask for its
    gradient any more needs none, and an unused leaf is freed at once.
    """

    __slots__ = ("reference",)

    def __init__(self, variable: Tensor) -> None:
        self.number = next(clock)
        self.edges = ()
        self.fits = None
        self.reference = weakref.ref(variable)

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self) -> Tensor | None:
        """The leaf."""
        return self.reference()

    def is_idle(self, variable: Tensor) -> bool:
        """Whether the leaf requires no grad now; refuse one that is no leaf now."""
        node = variable._node
        if node is not None and not isinstance(node, AccumulateGrad):
            raise RuntimeError("leaf variable has been moved into the graph interior")
        return node is None

    def apply(self, grad: Any, edges: Edges) -> tuple[()]:
        variable = self.reference()
        if variable is None or (variable._node is not self and self.is_idle(variable)):
            return ()
        with accumulating:
            held = variable.grad
            if held is None:
                if type(grad) is not ndarray:
                    variable._grad = wrap_at(level_of(variable), grad.copy())
                # See Note [Whose gradient]
                elif grad.base is None and getrefcount(grad) <= SOLE_OWNER:
                    variable._grad = plain(grad)
                else:
                    variable._grad = plain(grad.copy())
            elif type(held._data) is ndarray and type(grad) is ndarray:
                held._data += grad
                counter(held)[0] += 1
            elif isinstance(held._data, Layer) and held._data.level == 0:
                held._data.write(held._data + grad)
                counter(held)[0] += 1
            else:
                variable._grad = wrap_at(level_of(variable), held._data + grad)
        return ()

    def apply_recorded(self, grad: Tensor, edges: Edges) -> tuple[()]:
        variable = self.reference()
        if variable is not None and not self.is_idle(variable):
            held = variable.grad
            variable._grad = grad.clone() if held is None else held + grad
        return ()


# Note [Whose gradient]
#     The first gradient of a leaf becomes its `.grad`. It must not be an array that
#     anything else holds: the user's, another leaf's, one that is still to be read.
#     Most are fresh, and a copy would cost as much as an optimizer's step, so a leaf
#     looks at the reference count, as PyTorch does. What the count of an unshared array
#     is at that line depends on the interpreter's version; so it is found out here, by
#     the engine itself carrying one to a node that looks.
class _Probe(AccumulateGrad):
    __slots__ = ()

    def apply(self, grad: Any, edges: Edges) -> tuple[()]:
        global SOLE_OWNER
        with accumulating:
            SOLE_OWNER = getrefcount(grad)
        return ()


class _Source(Node):
    __slots__ = ()

    def apply(self, grad: Any, edges: Edges) -> tuple[Any]:
        return (grad + 1.0,)


def _calibrate() -> None:
    tensor = plain(np.zeros(1))
    begin = _Source()
    begin.number = next(clock)
    begin.fits = None
    begin.edges = (_Probe(tensor),)
    engine.run({begin: np.zeros(1)})


SOLE_OWNER = 0
_calibrate()
