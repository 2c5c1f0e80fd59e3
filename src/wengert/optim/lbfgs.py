"""L-BFGS: quasi-Newton steps from the last few changes of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..autograd import enable_grad
from ..tensor import Tensor, plain
from .arrays import mark_written
from .checks import check, options
from .optimizer import Closure, Optimizer, Params

CURVATURE = 1e-10
"""How much the gradient must change along a step for the step to be remembered."""


class LBFGS(Optimizer):
    """The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno.

    All parameters are one group. A step does up to `max_iter` iterations, for which the
    closure computes the loss and its gradients several times.

    Args:
        params: tensors, named tensors, or one group, see `Optimizer`.
        lr: the length of a step relative to the quasi-Newton step.
        max_iter: how many iterations a step does at the most.
        max_eval: how often it calls the closure at the most, by default 1¼ `max_iter`.
        tolerance_grad: it ends when no element of the gradient is larger.
        tolerance_change: it ends when neither parameters nor loss change more.
        history_size: how many changes of the gradient are remembered.
        line_search_fn: "strong_wolfe" or None.

    >>> import wengert as torch
    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) * (w - 1)).sum()
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> w
    tensor([1.], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        check(locals(), "lr")
        names = (
            "lr max_iter max_eval tolerance_grad tolerance_change "
            "history_size line_search_fn"
        )
        super().__init__(params, options(locals(), names))
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups)"
            )

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def step(self, closure: Closure | None = None) -> Any:
        """Do one step of several iterations.

        Args:
            closure: computes the loss and its gradients and returns the loss.

        Returns:
            The loss at the beginning.
        """
        if closure is None:
            raise TypeError(
                "LBFGS.step() needs a closure that computes the loss and its gradients"
            )
        group = self.param_groups[0]
        search = group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        loss, grad = float(first), self._gradient()
        calls = 1
        state["func_evals"] += 1
        if largest(grad) <= group["tolerance_grad"]:
            return first
        direction, t, previous_loss = self._restore(state)
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, grad, direction, t)
            state["prev_flat_grad"] = plain(grad.copy())
            previous_loss = loss
            t = float(group["lr"])
            if state["n_iter"] == 1:
                t *= min(1.0, 1.0 / float(np.abs(grad).sum()))
            slope = float(grad @ direction)
            if slope > -group["tolerance_change"]:
                break
            tried = 0
            if search is not None:
                (t, loss, grad, _), tried = strong_wolfe(
                    self._along(closure, direction),
                    t,
                    direction,
                    Point(0.0, loss, grad, slope),
                    most=group["max_eval"] - calls,
                )
                self._move(t * direction)
            else:
                self._move(t * direction)
                if iteration < group["max_iter"]:
                    with enable_grad():
                        loss = float(closure())
                    grad = self._gradient()
                    tried = 1
            calls += tried
            state["func_evals"] += tried
            if (
                calls >= group["max_eval"]
                or largest(grad) <= group["tolerance_grad"]
                or largest(direction * t) <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]
            ):
                break
        state.update(d=plain(direction), t=t, prev_loss=previous_loss)
        return first

    def _restore(self, state: dict[str, Any]) -> tuple[ndarray, float, float]:
        """Return where the last step ended: direction, length, loss."""
        if "d" not in state:
            return np.empty(0), 0.0, 0.0
        return state["d"]._data, state["t"], state["prev_loss"]

    def _direction(
        self, state: dict[str, Any], grad: ndarray, direction: ndarray, t: float
    ) -> ndarray:
        """Return the quasi-Newton direction (Nocedal and Wright, algorithm 7.4)."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        change = grad - state["prev_flat_grad"]._data
        step = direction * t
        curvature = float(change @ step)
        if curvature > CURVATURE:
            if len(changes) == self.param_groups[0]["history_size"]:
                for remembered in (changes, steps, inverses):
                    remembered.pop(0)
            changes.append(plain(change))
            steps.append(plain(step))
            inverses.append(1.0 / curvature)
            state["H_diag"] = curvature / float(change @ change)
        found = -grad
        past = list(zip(changes, steps, inverses, strict=True))
        shares = []
        for change_, step_, inverse in reversed(past):
            share = float(step_._data @ found) * inverse
            shares.append(share)
            found -= share * change_._data
        found *= state["H_diag"]
        for (change_, step_, inverse), share in zip(
            past, reversed(shares), strict=True
        ):
            found += step_._data * (share - float(change_._data @ found) * inverse)
        return found

    def _gradient(self) -> ndarray:
        """Return the gradients of all parameters as one array."""
        return np.concatenate(
            [
                np.zeros(real(tensor._data).size, real(tensor._data).dtype)
                if tensor.grad is None
                else real(tensor.grad._data)
                for tensor in self._params
            ]
        )

    def _move(self, step: ndarray) -> None:
        """Add to all parameters."""
        start = 0
        for tensor in self._params:
            data = tensor._data
            part = step[start : start + real(data).size]
            start += part.size
            if tensor.is_complex():
                part = part.astype(data.real.dtype).view(data.dtype)
            data += part.reshape(data.shape)
        mark_written(self._params)

    def _along(
        self, closure: Closure, direction: ndarray
    ) -> Callable[[float], tuple[float, ndarray]]:
        """Return the loss and the gradient as functions of the length of a step."""
        start = [tensor._data.copy() for tensor in self._params]

        def evaluate(t: float) -> tuple[float, ndarray]:
            self._move(t * direction)
            with enable_grad():
                loss = float(closure())
            grad = self._gradient()
            for tensor, values in zip(self._params, start, strict=True):
                tensor._data[...] = values
            return loss, grad

        return evaluate


def real(array: ndarray) -> ndarray:
    """Return an array as one dimension of real numbers."""
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype)


def largest(array: ndarray) -> float:
    """Return the largest magnitude in an array."""
    return float(np.abs(array).max())


# --- the line search ------------------------------------------------------------------


class Point(NamedTuple):
    """A length of a step: the loss there, the gradient, its slope along the step."""

    t: float
    loss: float
    grad: ndarray
    slope: float


def cubic_minimum(
    a: Point, b: Point, bounds: tuple[float, float] | None = None
) -> float:
    """Return where the cubic through two points has its minimum, within bounds.

    See Nocedal and Wright, equation 3.59.
    """
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    under_root = d1**2 - a.slope * b.slope
    if under_root < 0:
        return (low + high) / 2
    d2 = under_root**0.5
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
    return min(max(t, low), high)


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, ndarray]],
    t: float,
    direction: ndarray,
    start: Point,
    most: int,
    decrease: float = 1e-4,
    flattening: float = 0.9,
    tolerance_change: float = 1e-9,
) -> tuple[Point, int]:
    """Return a length of step that meets the strong Wolfe conditions, and the trials.

    See Nocedal and Wright, algorithms 3.5 and 3.6.

    Args:
        evaluate: the loss and its gradient for a length of step.
        t: the length to begin with.
        direction: of the step.
        start: the point with length zero.
        most: how many more lengths are tried at the most.
        decrease, flattening: how much smaller loss and slope have to become.
        tolerance_change: it ends when elements of the step change less than this.
    """
    trials = 0

    def at(t: float) -> Point:
        nonlocal trials
        trials += 1
        loss, grad = evaluate(t)
        return Point(t, loss, grad, float(grad @ direction))

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + decrease * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -flattening * start.slope

    before, now = start, at(t)
    searched = 0
    bracket: tuple[Point, Point] | None = None
    while searched < most:
        if too_high(now) or (searched > 1 and now.loss >= before.loss):
            bracket = before, now
            break
        if flat(now):
            return now, trials
        if now.slope >= 0:
            bracket = before, now
            break
        bounds = now.t + 0.01 * (now.t - before.t), now.t * 10
        before, now = now, at(cubic_minimum(before, now, bounds))
        searched += 1
    best, other = ordered(*(bracket or (start, now)))
    hesitated = False
    while searched < most:
        low, high = sorted((best.t, other.t))
        if (high - low) * largest(direction) < tolerance_change:
            break
        t = cubic_minimum(best, other)
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:
            if hesitated or not low < t < high:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                hesitated = False
            else:
                hesitated = True
        else:
            hesitated = False
        now = at(t)
        searched += 1
        if too_high(now) or now.loss >= best.loss:
            best, other = ordered(best, now)
            continue
        if flat(now):
            return now, trials
        if now.slope * (other.t - best.t) >= 0:
            other = best
        best = now
    return best, trials


def ordered(a: Point, b: Point) -> tuple[Point, Point]:
    """Return two points, that of the lower loss first."""
    return (a, b) if a.loss <= b.loss else (b, a)
