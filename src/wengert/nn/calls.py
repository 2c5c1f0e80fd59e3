"""Calling a module: `forward`, and the hooks around it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..hooks import RemovableHandle

Hook = Callable[..., Any]
Hooks = OrderedDict[int, Hook]

HOOKS = frozenset(
    {
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_forward_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_hooks_always_called",
        "_backward_pre_hooks",
        "_backward_hooks",
        "_state_dict_hooks",
        "_state_dict_pre_hooks",
        "_load_state_dict_pre_hooks",
        "_load_state_dict_post_hooks",
    }
)
"""The dictionaries of a module's hooks, made when they are first asked for."""


class Calls:
    """What a module does when it is called."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    _hooked = False
    """Whether there may be hooks: one look, and a call costs no more than `forward`."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute what the module computes; every subclass writes this."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return self._call_impl(*args, **kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward` with all hooks."""
        always = dict(global_hooks["always"]) | dict(self._forward_hooks_always_called)
        try:
            return self._run(args, kwargs, always)
        except BaseException:
            self._run_always(args, kwargs, always)
            raise

    def _run(self, args: Any, kwargs: Any, always: dict[int, Hook]) -> Any:
        args, kwargs = self._before(args, kwargs)
        watch = None
        pre = [
            *global_hooks["backward_pre"].values(),
            *self._backward_pre_hooks.values(),
        ]
        after = [*global_hooks["backward"].values(), *self._backward_hooks.values()]
        if pre or after:
            from .backward_hooks import Watch

            watch = Watch(self, pre, after)
            args = watch.inputs(args)
        result = self.forward(*args, **kwargs)
        for key, hook in [
            *global_hooks["forward"].items(),
            *self._forward_hooks.items(),
        ]:
            always.pop(key, None)
            replaced = self._run_after(key, hook, args, kwargs, result)
            if replaced is not None:
                result = replaced
        return result if watch is None else watch.outputs(result)

    def _before(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Run the hooks that see, and may replace, the arguments."""
        hooks = [*global_hooks["pre"].items(), *self._forward_pre_hooks.items()]
        for key, hook in hooks:
            if key in self._forward_pre_hooks_with_kwargs:
                replaced = hook(self, args, kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, "
                        f"new_kwargs), but got {replaced}."
                    )
                args, kwargs = replaced
            else:
                replaced = hook(self, args)
                if replaced is not None:
                    args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs

    def _run_after(
        self, key: int, hook: Hook, args: Any, kwargs: Any, result: Any
    ) -> Any:
        if key in self._forward_hooks_with_kwargs or key in global_hooks["kwargs"]:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _run_always(self, args: Any, kwargs: Any, always: dict[int, Hook]) -> None:
        """Run those hooks that run even if `forward` fails; their own failures wait."""
        hooks = {**global_hooks["forward"], **self._forward_hooks}
        for key in always:
            try:
                self._run_after(key, hooks[key], args, kwargs, None)
            except Exception as error:
                import warnings

                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception "
                    "that was silenced as another error was raised in forward: "
                    f"{error}",
                    stacklevel=3,
                )

    def _register(
        self, name: str, hook: Hook, prepend: bool, *extra: str
    ) -> RemovableHandle:
        hooks: Hooks = getattr(self, name)
        extras = [getattr(self, other) for other in extra]
        handle = RemovableHandle(hooks, extra_dict=extras)
        hooks[handle.id] = hook
        for other in extras:
            other[handle.id] = True
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        self._hooked = True
        return handle

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`; it may return other arguments.

        Args:
            prepend: run it before the hooks that are there.
            with_kwargs: call ``hook(module, args, kwargs)``, which may return (args,
                kwargs).

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        extra = ("_forward_pre_hooks_with_kwargs",) if with_kwargs else ()
        return self._register("_forward_pre_hooks", hook, prepend, *extra)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`; it may return another.

        Args:
            prepend: run it before the hooks that are there.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it even if `forward` raises, with None for the output.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        extra = ["_forward_hooks_with_kwargs"] if with_kwargs else []
        extra += ["_forward_hooks_always_called"] if always_call else []
        return self._register("_forward_hooks", hook, prepend, *extra)

    def register_full_backward_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the module's backward.

        It may return other gradients of the outputs.
        """
        return self._register("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after the module's backward.

        It may return other gradients of the inputs.
        """
        return self._register("_backward_hooks", hook, prepend)

    register_backward_hook = register_full_backward_hook


global_hooks: dict[str, Hooks] = {
    name: OrderedDict()
    for name in ("pre", "forward", "kwargs", "always", "backward_pre", "backward")
}
"""Hooks of all modules."""


def register_global(name: str, hook: Hook, *extra: str) -> RemovableHandle:
    """Add a hook to all modules."""
    extras = [global_hooks[other] for other in extra]
    handle = RemovableHandle(global_hooks[name], extra_dict=extras)
    global_hooks[name][handle.id] = hook
    for other in extras:
        other[handle.id] = hook
    Calls._hooked = True
    return handle


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before the `forward` of every module."""
    return register_global("pre", hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the `forward` of every module."""
    extra = ["kwargs"] if with_kwargs else []
    extra += ["always"] if always_call else []
    return register_global("forward", hook, *extra)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the backward of every module."""
    return register_global("backward_pre", hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after every module's backward."""
    return register_global("backward", hook)
