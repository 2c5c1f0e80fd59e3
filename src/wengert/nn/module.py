"""Module: what has parameters, buffers and other modules in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

from .. import dtypes
from ..autograd import no_grad
from ..ops.options import check_device
from ..tensor import Tensor
from .calls import HOOKS, Calls
from .parameter import Parameter, is_buffer
from .state import State
from .traversal import Traversal

REGISTRIES = ("_parameters", "_buffers", "_modules")


class Registered:
    """Finds what a module has registered under a name.

    Note [Quick attributes]
        What is registered is in dictionaries of its own, where `Module.__getattr__`
        looks after Python has failed to find an attribute: in half a microsecond. So
        when a name is registered for the first time, the module's class gets one of
        these, and Python finds it at once. An attribute of the instance comes first;
        and where the name is not in the dictionary, `__getattr__` gets its turn.
    """

    __slots__ = ("name", "registry")

    def __init__(self, registry: str, name: str) -> None:
        self.registry = registry
        self.name = name

    def __get__(self, module: Any, kind: Any = None) -> Any:
        if module is None:
            return self
        try:
            return module.__dict__[self.registry][self.name]
        except KeyError:
            raise AttributeError(self.name) from None


def quicken(kind: type[Module], registry: str, name: str) -> None:
    """Let a name that is registered be found quickly, see Note [Quick attributes]."""
    if kind is not Module and not hasattr(kind, name) and name.isidentifier():
        setattr(kind, name, Registered(registry, name))


class Module(Calls, State, Traversal):
    """The base class of everything that computes with parameters.

    A subclass makes its parameters and the modules that it consists of in ``__init__``,
    after ``super().__init__()``, and computes in ``forward``. What it assigns to
    attributes is registered: parameters, buffers and modules.

    >>> import wengert as torch
    >>> from wengert import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(torch.ones(2))
    tensor([2., 2.], grad_fn=<MulBackward0>)
    """

    training: bool
    call_super_init = False
    dump_patches = False
    T_destination = dict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            refuse_arguments(type(self).__name__, args, kwargs)
        state = self.__dict__
        state["training"] = True
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_non_persistent_buffers_set"] = set()
        state["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # --- attributes -------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        for registry in REGISTRIES:
            if name in state.get(registry, ()):
                return state[registry][name]
        if name in HOOKS:
            return state.setdefault(name, OrderedDict())
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._check_initialised("parameters")
            self._forget(name, but="_parameters")
            self.register_parameter(name, value)
        elif "_parameters" not in self.__dict__:
            if isinstance(value, Module):
                self._check_initialised("module")
            if is_buffer(value):
                self._check_initialised("buffer")
            object.__setattr__(self, name, value)
        elif name in self._parameters:
            if value is not None:
                raise wrong_value(value, "parameter", name, "torch.nn.Parameter")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name, but="_modules")
            quicken(type(self), "_modules", name)
            self._modules[name] = value
        elif name in self._modules:
            if value is not None:
                raise wrong_value(value, "child module", name, "torch.nn.Module")
            self._modules[name] = value
        elif name in self._buffers:
            self._set_buffer(name, value)
        elif is_buffer(value):
            self._forget(name, but="_buffers")
            self.register_buffer(name, value, value.persistent)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for registry in REGISTRIES:
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _check_initialised(self, what: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")

    def _forget(self, name: str, but: str) -> None:
        """Take a name out of all places but one, which takes it now."""
        state = self.__dict__
        state.pop(name, None)
        for registry in REGISTRIES:
            if registry != but:
                state[registry].pop(name, None)
        state["_non_persistent_buffers_set"].discard(name)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise wrong_value(value, "buffer", name, "torch.nn.Buffer, torch.Tensor")
        if is_buffer(value):
            assert value is not None
            self.register_buffer(name, value, value.persistent)
        else:
            self._buffers[name] = value

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the calls of this module from now on.

        Args:
            args, kwargs: the options of `wengert.compile`.
        """
        from ..compiler.compiled import compile

        call = type(self).forward.__get__(self)
        self.__dict__["forward"] = compile(call, *args, **kwargs)

    def __dir__(self) -> list[str]:
        names = set(super().__dir__())
        for registry in REGISTRIES:
            names |= set(self.__dict__.get(registry, ()))
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # --- registration -----------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, which is then an attribute; None reserves the name."""
        self._check_initialised("parameter")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model "
                f"parameters must be created explicitly. To express '{name}' as a "
                "function of another Tensor, compute the value in the forward() method."
            )
        quicken(type(self), "_parameters", name)
        self._parameters[name] = param

    def register_buffer(
        self, name: str, tensor: Tensor | None, persistent: bool = True
    ) -> None:
        """Add a buffer: a tensor that belongs to the module and is not trained.

        Args:
            tensor: the buffer; None reserves the name.
            persistent: whether it is part of `state_dict`.
        """
        self._check_initialised("buffer")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        quicken(type(self), "_buffers", name)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module, which is then an attribute; None reserves the name."""
        self._check_initialised("module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        quicken(type(self), "_modules", name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, what: str, name: Any, registry: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {type_name(name)}")
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            got = f", got: {name}" if what == "module" else ""
            raise KeyError(f'{what} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')

    # --- changing what is inside ------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call a function on all modules in this one, and then on this."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all in it to training, or to evaluation."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation: dropout and batch statistics behave differently."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say of all parameters whether they are to be trained."""
        for tensor in self.parameters():
            tensor.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        from ..optim.optimizer import clear_gradients

        if not set_to_none:
            clear_gradients(self.parameters())
            return
        for tensor in self.parameters():
            tensor.grad = None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the arrays of parameters and buffers by a function of them."""
        if recurse:
            for module in self.children():
                module._apply(fn, recurse)
        with no_grad():
            for name, tensor in self._parameters.items():
                if tensor is None:
                    continue
                grad, made = tensor.grad, fn(tensor)
                if tensor.is_inference() and not made.is_inference():
                    # it cannot become an ordinary tensor
                    made = Parameter(made, tensor.requires_grad)
                    made._grad, self._parameters[name] = grad, made
                else:
                    tensor.data = made  # type: ignore[attr-defined]
                if grad is not None:
                    grad.data = fn(grad)  # type: ignore[attr-defined]
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Change the dtype of floating-point parameters and buffers, or the device.

        Args:
            args: a dtype, a device, both, or a tensor that has them.

        >>> import wengert as torch
        >>> torch.nn.Linear(1, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        dtype = target_dtype(args, kwargs)
        if dtype is None:
            return self
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got "
                f"desired dtype={dtype}"
            )
        return self._apply(
            lambda t: t.to(dtype) if t.is_floating_point() or t.is_complex() else t
        )

    def type(self, dst_type: Any) -> Self:
        """Change the dtype of all parameters and buffers."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Self:
        """Change floating-point parameters and buffers to float32."""
        return self._cast(dtypes.float32)

    def double(self) -> Self:
        """Change floating-point parameters and buffers to float64."""
        return self._cast(dtypes.float64)

    def half(self) -> Self:
        """Change floating-point parameters and buffers to float16."""
        return self._cast(dtypes.float16)

    def _cast(self, dtype: dtypes.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """Return the module: it is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Refuse: there is no GPU."""
        check_device("cuda")
        return self

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Replace all parameters and buffers by uninitialised ones."""
        from ..ops import namespace

        check_device(device)
        return self._apply(namespace["empty_like"], recurse)

    def share_memory(self) -> Self:
        """Return the module: memory is shared between threads as it is."""
        return self

    # --- text -------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Return what is printed of the module beside the modules in it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): {indented(repr(module))}"
            for name, module in self._modules.items()
        ]
        return layout(self._get_name(), lines, children)


def layout(name: str, lines: list[str], children: list[str]) -> str:
    """Return the text of a module: on one line if it has one line and no children."""
    if len(lines) <= 1 and not children:
        return f"{name}({''.join(lines)})"
    inside = "".join([f"\n  {line}" for line in [*lines, *children]])
    return f"{name}({inside}\n)"


def indented(text: str) -> str:
    """Indent all lines of a text but the first."""
    return text.replace("\n", "\n  ")


def target_dtype(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dtypes.dtype | None:
    """Return the dtype that the arguments of ``to`` ask for; check the device."""
    dtype: dtypes.dtype | None = kwargs.get("dtype")
    device = kwargs.get("device")
    tensor = kwargs.get("tensor")
    for arg in args:
        if isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            tensor = arg
        elif isinstance(arg, str | dtypes.device) or type(arg) is int:
            device = arg
        elif not (isinstance(arg, bool) or arg is None):
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(arg).__name__}), but expected a dtype, a device, or a Tensor"
            )
    if device is not None:
        check_device(device)
    return tensor.dtype if tensor is not None else dtype


def refuse_arguments(name: str, args: Any, kwargs: Any) -> None:
    """Refuse arguments to ``Module.__init__``, which takes none."""
    if kwargs:
        raise TypeError(
            f"{name}.__init__() got an unexpected keyword argument "
            f"'{next(iter(kwargs))}'"
        )
    if args:
        raise TypeError(
            f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were "
            "given"
        )


def type_name(value: Any) -> str:
    """Return the name of a type as messages give it."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return str(value.type())
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def wrong_value(value: Any, what: str, name: str, expected: str) -> TypeError:
    return TypeError(
        f"cannot assign '{type_name(value)}' as {what} '{name}' ({expected} or None "
        "expected)"
    )
