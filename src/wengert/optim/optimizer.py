"""What all optimizers are: groups of parameters, state for each, and its saving.

A subclass fills `defaults` and writes `step`. Those of this package derive from
`arrays.ArrayOptimizer`, which updates the parameters' arrays directly.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from ..autograd import no_grad
from ..hooks import RemovableHandle
from ..tensor import Tensor

Closure = Callable[[], Any]
Group = dict[str, Any]
Params = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]


class Required:
    """Stands for an option that every group of parameters has to give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = Required()

HOOKS = (
    "step_pre",
    "step_post",
    "state_dict_pre",
    "state_dict_post",
    "load_state_dict_pre",
    "load_state_dict_post",
)


class Optimizer:
    """The base class of optimizers.

    Args:
        params: what to optimize: tensors, pairs of a name and a tensor, or a dictionary
            for each group, whose ``"params"`` are its tensors and whose other entries
            are its options.
        defaults: the options of groups that do not say otherwise.

    Raises:
        TypeError: if something to optimize is not a tensor.
        ValueError: if there is nothing to optimize, or a tensor is not a leaf or is in
            two groups.

    >>> import wengert as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> class Halve(torch.optim.Optimizer):
    ...     @torch.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.mul_(0.5)
    >>> Halve([w], {}).step()
    >>> w
    tensor([0.5000], requires_grad=True)
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of "
                f"Tensors or dicts, but got {params.type()}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._prepare()
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group) if isinstance(group, dict) else group)

    def _prepare(self) -> None:
        """Make what is neither saved nor copied: the hooks."""
        if not hasattr(self, "_hooks"):
            self._hooks: dict[str, OrderedDict[int, Callable[..., Any]]] = {
                name: OrderedDict() for name in HOOKS
            }
        kind = type(self)
        if not hasattr(kind.step, "hooked"):
            kind.step = with_hooks(kind.step)  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}" if i == 0 else f"\nParameter Group {i}")
            options = sorted(set(group) - {"params"})
            lines += [f"    {key}: {group[key]}" for key in options]
        return "\n".join([*lines, ")"])

    # --- the step ---------------------------------------------------------------------

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once.

        Args:
            closure: computes the loss again and its gradients.

        Returns:
            What the closure returned, or None.
        """
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Args:
            set_to_none: make them None; else fill them with zeros.
        """
        for group in self.param_groups:
            if set_to_none:
                for tensor in group["params"]:
                    tensor._grad = None
            else:
                clear_gradients(group["params"])

    # --- groups -----------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters with options of its own.

        Args:
            param_group: ``"params"``, a tensor or several, and options.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use "
                "a list instead."
            )
        members = [params] if isinstance(params, Tensor) else list(params)
        names, tensors = split_names(members)
        param_group["params"] = tensors
        if names is not None:
            param_group["param_names"] = names
        for tensor in tensors:
            check_optimizable(tensor)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization "
                    f"parameter {name}"
                )
            param_group.setdefault(name, default)
        self._check_distinct(tensors, names)
        self.param_groups.append(param_group)

    def _check_distinct(self, tensors: list[Tensor], names: list[str] | None) -> None:
        """Refuse tensors that are in a group already, and names in some groups only."""
        distinct = {id(tensor) for tensor in tensors}
        if len(distinct) < len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in "
                "future, this will cause an error; see "
                "github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        if self.param_groups and (names is None) == (
            "param_names" in self.param_groups[0]
        ):
            how = "with" if names is not None else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add "
                f"param group {how} names to the optimizer"
            )
        present = chain.from_iterable(group["params"] for group in self.param_groups)
        if any(id(tensor) in distinct for tensor in present):
            raise ValueError("some parameters appear in more than one parameter group")

    # --- saving and loading -----------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with parameters replaced by their numbers.

        Returns:
            ``"state"``: for the number of each parameter that has some, its state;
            ``"param_groups"``: the options of each group, and its params' numbers.
        """
        for hook in self._hooks["state_dict_pre"].values():
            hook(self)
        tensors = chain.from_iterable(group["params"] for group in self.param_groups)
        number: dict[int, int] = {}
        for tensor in tensors:
            number.setdefault(id(tensor), len(number))
        groups = [
            {key: value for key, value in group.items() if key != "params"}
            | {"params": [number[id(tensor)] for tensor in group["params"]]}
            for group in self.param_groups
        ]
        state = {number.get(id(key), key): value for key, value in self.state.items()}
        found = {"state": state, "param_groups": groups}
        for hook in self._hooks["state_dict_post"].values():
            result = hook(self, found)
            found = found if result is None else result
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the options that `state_dict` returned.

        Raises:
            ValueError: if groups do not match in number or size.
        """
        given = state_dict.copy()
        for hook in self._hooks["load_state_dict_pre"].values():
            result = hook(self, given)
            given = given if result is None else result
        groups, saved = self.param_groups, deepcopy(given["param_groups"])
        if len(groups) != len(saved):
            raise ValueError(
                "loaded state dict has a different number of parameter groups"
            )
        if any(
            len(mine["params"]) != len(theirs["params"])
            for mine, theirs in zip(groups, saved, strict=True)
        ):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the "
                "size of optimizer's group"
            )
        numbers = chain.from_iterable(group["params"] for group in saved)
        tensors = chain.from_iterable(group["params"] for group in groups)
        owner = dict(zip(numbers, tensors, strict=True))
        state: defaultdict[Tensor, Any] = defaultdict(dict)
        for number, value in given["state"].items():
            tensor = owner.get(number)
            if tensor is None:
                state[number] = value
            else:
                state[tensor] = copied_for(tensor, value)
        for mine, theirs in zip(groups, saved, strict=True):
            theirs["params"] = mine["params"]
            if "param_names" in mine:
                theirs.setdefault("param_names", mine["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._hooks["load_state_dict_post"].values():
            hook(self)

    # --- hooks ------------------------------------------------------------------------

    def _register(
        self, name: str, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        hooks = self._hooks[name]
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step.

        It may return other (args, kwargs).
        """
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`.

        It may return another.
        """
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may replace it."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return self._register("load_state_dict_post", hook, prepend)


def with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method ``step`` that runs the hooks around the given one."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        hooks = self._hooks
        for hook in list(hooks["step_pre"].values()):
            replaced = hook(self, args, kwargs)
            if replaced is not None:
                args, kwargs = replaced
        result = step(self, *args, **kwargs)
        for hook in list(hooks["step_post"].values()):
            hook(self, args, kwargs)
        return result

    hooked.hooked = True  # type: ignore[attr-defined]
    return hooked


def clear_gradients(tensors: Iterable[Tensor]) -> None:
    """Fill gradients with zeros and forget how they came about."""
    with no_grad():
        for tensor in tensors:
            grad = tensor.grad
            if grad is not None:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()


def split_names(members: list[Any]) -> tuple[list[str] | None, list[Tensor]]:
    """Take pairs of a name and a tensor apart; without pairs there are no names."""
    named = [isinstance(member, tuple) for member in members]
    if any(named) and not all(named):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are "
            "missing"
        )
    if not any(named):
        return None, members
    return [name for name, _ in members], [tensor for _, tensor in members]


def check_optimizable(tensor: object) -> None:
    """Refuse what is not a leaf tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            "optimizer can only optimize Tensors, but one of the params is "
            f"{type(tensor).__name__}"
        )
    if not tensor.is_leaf and not getattr(tensor, "retains_grad", False):
        raise ValueError("can't optimize a non-leaf Tensor")


def copied_for(tensor: Tensor, value: Any, key: str = "") -> Any:
    """Return a copy of saved state, floating point in the dtype of its parameter."""
    if isinstance(value, Tensor):
        value = value.detach().clone()
        if key != "step" and tensor.is_floating_point():
            return value.to(tensor.dtype)
        return value
    if isinstance(value, dict):
        return {k: copied_for(tensor, v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([copied_for(tensor, v) for v in value])
    return value
