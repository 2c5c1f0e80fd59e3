"""What a trace has to be told while it runs, besides ops: `Watch`.

Note [Nothing passes unseen]
    The quick calls would compute with plain tensors at once, and the results would be
    frozen into the program. While a trace runs, the modules of the quick calls do not
    recognise tensors, so that every op takes the general way, which tells the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any

from ..generator import Generator
from ..ops import drawing
from ..quick import calls, elementwise, products, reductions, views
from ..tensor import Tensor
from . import failures

QUICK = (calls, elementwise, products, reductions, views)
"""The modules of quick calls, which know tensors by these names."""
DRAWS = (
    *("uniform", "bernoulli", "dropout_mask", "exponential", "geometric", "cauchy"),
    *("normal", "log_normal", "integers", "random", "permutation", "multinomial"),
    *("poisson", "gamma", "binomial"),
)
LOOKS = ("item", "tolist", "numpy", "__array__", "__bool__", "__float__", "__int__")
LOOKS += ("__index__", "__complex__")
"""What shows the values of a tensor."""
COPIES = ("__deepcopy__", "__reduce_ex__")
"""What copies an array and not by an op."""
SEEDS = ("manual_seed", "seed", "set_state")


class Nobody:
    """The class of no object: what quick calls take for tensors during a trace."""


class Watch:
    """Lets a trace see what the quick calls, generators and looks at values do."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer
        self.patched = [
            (module, name, vars(module)[name])
            for module in QUICK
            for name in ("Tensor", "Parameter")
            if name in vars(module)
        ]
        for module, name, _ in self.patched:
            setattr(module, name, Nobody)
        for name in (*DRAWS, *SEEDS):
            method = getattr(Generator, name)
            self.patched.append((Generator, name, vars(Generator).get(name)))
            watch = self.watched_draw if name in DRAWS else self.watched_seed
            setattr(Generator, name, watch(method))
        self.patched.append((drawing, "watched", drawing.watched))
        drawing.watched = self.watched_fresh
        for name in LOOKS:
            if name in vars(Tensor):
                method = vars(Tensor)[name]
                self.patched.append((Tensor, name, method))
                setattr(Tensor, name, self.watched_look(method))
        for name in COPIES:
            self.patched.append((Tensor, name, vars(Tensor)[name]))
            setattr(Tensor, name, self.watched_copy(vars(Tensor)[name]))
        self.patched.append((Tensor, "grad", vars(Tensor)["grad"]))
        Tensor.grad = self.watched_grad(vars(Tensor)["grad"])
        from ..nn.module import Module
        from ..optim.lr_scheduler.base import LRScheduler
        from ..optim.optimizer import Optimizer

        for kind in with_own("step", LRScheduler):
            self.patched.append((kind, "step", vars(kind)["step"]))
            kind.step = self.watched_schedule(vars(kind)["step"])
        for owner in (Module, Optimizer):
            method = owner.zero_grad
            self.patched.append((owner, "zero_grad", method))
            owner.zero_grad = self.watched_reset(method)  # type: ignore[method-assign]

    def end(self) -> None:
        """Leave everything as it was."""
        for owner, name, value in self.patched:
            if value is None:
                delattr(owner, name)
            else:
                setattr(owner, name, value)

    def watched_draw(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a generator's method that is called again at each replay."""

        def draw(generator: Generator, *args: Any, **kwargs: Any) -> Any:
            if get_ident() != self.tracer.thread:
                return method(generator, *args, **kwargs)
            if id(generator) not in self.tracer.generators:
                self.tracer.generators[id(generator)] = (
                    generator,
                    generator.get_state(),
                )
            if self.tracer.drawing:
                return method(generator, *args, **kwargs)
            name = method.__name__
            return self.tracer.draw(name, lambda: method(generator, *args, **kwargs))

        return draw

    def watched_fresh(self, draw: Callable[..., Any]) -> Callable[..., Any]:
        """Return what draws the numbers of a tensor, drawn again at each replay."""
        if get_ident() != self.tracer.thread:
            return draw
        return lambda sizes: self.tracer.draw("random numbers", lambda: draw(sizes))

    def watched_look(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that shows no values but those of constants."""

        def look(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            self.tracer.touch((tensor,))
            return method(tensor, *args, **kwargs)

        return look

    def watched_copy(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def copied(tensor: Tensor, *args: Any) -> Any:
            if not self.tracer.listens():
                return method(tensor, *args)
            raise failures.untraceable(
                "a tensor is copied by Python's copy module", "Use clone()"
            )

        return copied

    def watched_grad(self, grad: property) -> property:
        """Return the property of a gradient; whose it is, the trace has to know.

        So it is read anew at each replay, or need not be there if it is forgotten
        before anybody has looked at it.
        """

        def get(tensor: Tensor) -> Tensor | None:
            if self.tracer.listens():
                self.tracer.look_at_grad(tensor)
            return grad.fget(tensor)  # type: ignore[misc]

        def put(tensor: Tensor, value: Tensor | None) -> None:
            if self.tracer.listens():
                self.tracer.forget_grad(tensor)
            grad.fset(tensor, value)  # type: ignore[misc]

        return property(get, put, lambda tensor: put(tensor, None), grad.__doc__)

    def watched_seed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def seed(generator: Generator, *args: Any, **kwargs: Any) -> Any:
            if get_ident() != self.tracer.thread:
                return method(generator, *args, **kwargs)
            raise failures.untraceable(
                "the generator is seeded", "Seed it outside of the compiled function"
            )

        return seed

    def watched_schedule(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a scheduler's `step` that refuses to change the learning rate."""

        def step(scheduler: Any, *args: Any, **kwargs: Any) -> None:
            if get_ident() != self.tracer.thread:
                return method(scheduler, *args, **kwargs)
            raise failures.untraceable(
                "the learning rate changes",
                "Call the scheduler's step() outside of the compiled function",
            )

        return step

    def watched_reset(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `zero_grad` that tells the trace whose gradients are forgotten."""

        def zero_grad(owner: Any, set_to_none: bool = True) -> None:
            if set_to_none and get_ident() == self.tracer.thread:
                if hasattr(owner, "param_groups"):
                    self.tracer.note_options(owner)
                    params = [
                        p for group in owner.param_groups for p in group["params"]
                    ]
                else:
                    params = list(owner.parameters())
                self.tracer.note_old(owner, params)
                for tensor in params:
                    self.tracer.forget_grad(tensor)
            method(owner, set_to_none)

        return zero_grad


def with_own(name: str, kind: type) -> Iterator[type[Any]]:
    """Go through a class and those derived from it that have a method of their own."""
    if name in vars(kind):
        yield kind
    subclasses: list[type[Any]] = kind.__subclasses__()
    for derived in subclasses:
        yield from with_own(name, derived)
