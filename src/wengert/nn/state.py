"""Saving and loading what a module has learnt: `state_dict` and `load_state_dict`."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ..autograd import no_grad
from ..hooks import RemovableHandle
from ..tensor import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

EXTRA = "_extra_state"


class IncompatibleKeys(
    namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])
):
    """What `load_state_dict` did not find, and what it found no use for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return "_" + super().__repr__()

    __str__ = __repr__


class State:
    """What a module does to be saved and loaded."""

    _version = 1

    if TYPE_CHECKING:
        _parameters: dict[str, Parameter | None]
        _buffers: dict[str, Tensor | None]
        _modules: dict[str, Module | None]
        _non_persistent_buffers_set: set[str]
        _register: Callable[..., RemovableHandle]

        def __getattr__(self, name: str) -> Any: ...

    def get_extra_state(self) -> Any:
        """Return what is to be saved beside parameters and buffers."""
        raise RuntimeError(
            "get_extra_state() is called where a module defines it only: define both "
            "get_extra_state() and set_extra_state() in your module"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take over what `get_extra_state` returned."""
        raise RuntimeError(
            "set_extra_state() is called where a module defines it only: define both "
            "get_extra_state() and set_extra_state() in your module"
        )

    # --- saving -----------------------------------------------------------------------

    def state_dict(
        self,
        *args: Any,
        destination: Any = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> Any:
        """Return all parameters and persistent buffers by their names.

        They share memory with the module's.

        Args:
            destination: the dictionary to write into.
            prefix: put before the names.
            keep_vars: return the tensors themselves, not detached from the tape.

        >>> import wengert as torch
        >>> list(torch.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        given = (*args, *(destination, prefix, keep_vars)[len(args) :])
        destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination,
                    prefix=f"{prefix}{name}.",
                    keep_vars=keep_vars,
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, metadata)
            if getattr(hook, "after", False):
                if replaced is not None:
                    raise RuntimeError("state_dict post-hook must return None")
            elif replaced is not None:
                destination = replaced
        return destination

    def _save_to_state_dict(
        self, destination: Any, prefix: str, keep_vars: bool
    ) -> None:
        """Save this module's own state, without its children's."""
        for name, tensor in self._own_state().items():
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if has_extra_state(self):
            destination[prefix + EXTRA] = self.get_extra_state()

    def _own_state(self) -> dict[str, Tensor | None]:
        """Return the parameters and the persistent buffers of this module alone."""
        transient = self._non_persistent_buffers_set
        buffers = {k: v for k, v in self._buffers.items() if k not in transient}
        return {**self._parameters, **buffers}

    # --- loading ----------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy parameters and buffers from a dictionary of their names.

        Args:
            strict: refuse a dictionary with other names than the module's.
            assign: take over the tensors themselves instead of copying their values.

        Returns:
            The names that are missing and those that are not expected.

        Raises:
            RuntimeError: if something does not fit, with all that does not.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"Expected state_dict to be dict-like, got {type(state_dict)}."
            )
        loading = Loading(state_dict, assign)
        loading.load(cast("Module", self), loading.state, "")
        errors = loading.errors
        if strict:
            errors = [*loading.mismatches(), *errors]
        if errors:
            listed = "".join([f"\n\t{error}" for error in errors])
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:{listed}"
            )
        return IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own state, without its children's."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = self._own_state()
        for name, tensor in own.items():
            if tensor is None:
                continue
            key = prefix + name
            if key in state_dict:
                error = self._load_one(name, tensor, state_dict[key], key, assign)
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(key)
        extra = prefix + EXTRA
        if has_extra_state(self):
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            unexpected_keys += [
                key
                for key in state_dict
                if key.startswith(prefix)
                and key != extra
                and not self._expects(key[len(prefix) :], own)
            ]

    def _expects(self, name: str, own: dict[str, Tensor | None]) -> bool:
        """Whether a name in a state is this module's, or may be a child's."""
        head, dot, _ = name.partition(".")
        return head in self._modules if dot else own.get(head) is not None

    def _load_one(
        self, name: str, target: Tensor, source: Any, key: str, assign: bool
    ) -> str | None:
        """Copy or take over one tensor; return what is wrong if it does not fit."""
        if not isinstance(source, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or '
                f"Tensor-like object from checkpoint but received {type(source)}"
            )
        if target.ndim == 0 and source.ndim == 1 and len(source) == 1:
            source = source[0]  # as numbers were saved once
        if source.shape != target.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {source.shape} "
                "from checkpoint, the shape in current model is "
                f"{target.shape}."
            )
        try:
            if assign:
                self._take_over(name, target, source)
            else:
                with no_grad():
                    target.copy_(source)
        except Exception as error:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the '
                f"model are {target.shape} and whose dimensions in the checkpoint are "
                f"{source.shape}, an exception occurred : {error.args}."
            )
        return None

    def _take_over(self, name: str, target: Tensor, source: Tensor) -> None:
        if isinstance(target, Parameter) and not isinstance(source, Parameter):
            source = Parameter(source, requires_grad=target.requires_grad)
        elif isinstance(target, Parameter):
            source.requires_grad_(target.requires_grad)
        setattr(self, name, source)

    # --- hooks ------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the module is saved."""
        return self._register("_state_dict_pre_hooks", hook, False)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any]
    ) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata)`` after saving.

        It may change the dictionary in place.
        """

        def after(*args: Any) -> Any:
            return hook(*args)

        after.after = True  # type: ignore[attr-defined]
        return self._register("_state_dict_hooks", after, False)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return self._register("_state_dict_hooks", hook, False)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any]
    ) -> RemovableHandle:
        """Call a hook before the module is loaded.

        Its arguments are the module and those of `_load_from_state_dict`.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        def before(*args: Any) -> Any:
            return hook(self, *args) if with_module else hook(*args)

        return self._register("_load_state_dict_pre_hooks", before, False)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any]
    ) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after the module is loaded."""
        return self._register("_load_state_dict_post_hooks", hook, False)


class Loading:
    """One call of `load_state_dict`: the state, and what was found wrong with it."""

    def __init__(self, state_dict: Mapping[str, Any], assign: bool) -> None:
        self.metadata = getattr(state_dict, "_metadata", None)
        self.state = OrderedDict(state_dict)
        if self.metadata is not None:
            self.state._metadata = self.metadata  # type: ignore[attr-defined]
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Module, state: dict[str, Any], prefix: str) -> None:
        """Load a module and its children."""
        local = {} if self.metadata is None else self.metadata.get(prefix[:-1], {})
        if self.assign:
            local["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state, prefix, local, True, self.missing, self.unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                part = {k: v for k, v in state.items() if k.startswith(inner)}
                self.load(child, part, inner)
        keys = IncompatibleKeys(self.missing, self.unexpected)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are "
                    "not expected to return new values, if incompatible_keys need to "
                    "be modified, it should be done inplace."
                )

    def mismatches(self) -> list[str]:
        """Return the messages about names that are missing or not expected."""
        found = []
        for what, keys in (("Missing", self.missing), ("Unexpected", self.unexpected)):
            if keys:
                listed = ", ".join([f'"{key}"' for key in keys])
                found.append(f"{what} key(s) in state_dict: {listed}. ")
        return found


def has_extra_state(module: State) -> bool:
    """Whether a module's class defines extra state."""
    return type(module).get_extra_state is not State.get_extra_state
