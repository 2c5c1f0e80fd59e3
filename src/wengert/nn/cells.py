"""Recurrent cells: one step in time, which the layers of `recurrent` repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..ops.creation import empty, zeros
from ..primitives import recurrent as P
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter

State = tuple[Tensor, ...]
Weights = Sequence[Tensor | None]
Step = Callable[[Tensor, State, Weights], State]

# --- one step -------------------------------------------------------------------------
#
# A step takes what the input contributes to the gates, the state (h, or h and c) and
# the weights of the state: matrix, bias, projection. It returns the next state.


def plain_step(activation: Callable[[Tensor], Tensor]) -> Step:
    """Return the step h = activation(W x + b + U h + d)."""

    def step(gates: Tensor, state: State, weights: Weights) -> State:
        (h,) = state
        matrix, bias, _ = weights
        assert matrix is not None
        return (activation(gates + F.linear(h, matrix, bias)),)

    return step


def lstm_step(gates: Tensor, state: State, weights: Weights) -> State:
    """One step of an LSTM: c = f c + i g, h = o tanh(c), and h projected if asked."""
    h, c = state
    matrix, bias, projection = weights
    assert matrix is not None
    whole = gates + F.linear(h, matrix, bias)
    c = P.lstm_state(whole, c)
    h = P.lstm_output(whole, c)
    return (h if projection is None else F.linear(h, projection), c)


def gru_step(gates: Tensor, state: State, weights: Weights) -> State:
    """One step of a GRU: h = (1 - z) n + z h, n = tanh(Wx + b + r (Uh + d))."""
    (h,) = state
    matrix, bias, _ = weights
    assert matrix is not None
    return (P.gru_state(gates, F.linear(h, matrix, bias), h),)


STEPS: dict[str, Step] = {
    "RNN_TANH": plain_step(lambda x: x.tanh()),
    "RNN_RELU": plain_step(lambda x: x.relu()),
    "LSTM": lstm_step,
    "GRU": gru_step,
}
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}

# --- cells ----------------------------------------------------------------------------


class RNNCellBase(Module):
    """What the cells share: one step, whose weights have no layer in their names.

    Args:
        input_size: the size of the input.
        hidden_size: that of the state.
        bias: whether there are biases.
        num_chunks: how many gates there are.
    """

    kinds_of_state: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        where = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty(rows, input_size, **where))
        self.weight_hh = Parameter(empty(rows, hidden_size, **where))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(empty(rows, **where)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def step(self) -> Step:
        """Return the step that the cell makes."""
        raise NotImplementedError

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Return the next state.

        Args:
            input: (N, input_size), or without N.
            hx: the state, (N, hidden_size) or without N; zeros by default.
        """
        self.check_dims(input, "input")
        batched = input.ndim == 2
        x = input if batched else input.unsqueeze(0)
        state: State
        if hx is None:
            nothing = zeros(len(x), self.hidden_size, dtype=x.dtype)
            state = (nothing,) * self.kinds_of_state
        else:
            state = tuple(hx) if isinstance(hx, tuple | list) else (hx,)
            for i, part in enumerate(state):
                self.check_dims(part, f"hx[{i}]" if len(state) > 1 else "hidden")
            state = tuple([h if batched else h.unsqueeze(0) for h in state])
        gates = F.linear(x, self.weight_ih, self.bias_ih)
        state = self.step()(gates, state, (self.weight_hh, self.bias_hh, None))
        state = tuple([part if batched else part.squeeze(0) for part in state])
        return state if self.kinds_of_state > 1 else state[0]

    def check_dims(self, tensor: Tensor, what: str) -> None:
        """Refuse what is neither a vector nor a batch of vectors."""
        if tensor.ndim not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got "
                f"{tensor.ndim}D instead"
            )

    def extra_repr(self) -> str:
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        shown = f"{self.input_size}, {self.hidden_size}"
        shown += "" if self.bias else ", bias=False"
        return shown + ("" if nonlinearity == "tanh" else f", {nonlinearity=!s}")


class RNNCell(RNNCellBase):
    """One step of `RNN`.

    Args:
        input_size: the size of the input.
        hidden_size: that of the state.
        bias: whether there are biases.
        nonlinearity: "tanh" or "relu".

    >>> import wengert as torch
    >>> torch.nn.RNNCell(3, 5)(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def step(self) -> Step:
        """Return the step with the nonlinearity asked for."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return STEPS[f"RNN_{self.nonlinearity.upper()}"]


class GatedCell(RNNCellBase):
    """What the cells with gates share.

    Args:
        input_size: the size of the input.
        hidden_size: that of the state.
        bias: whether there are biases.
    """

    mode: ClassVar[str]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, GATES[self.mode], device, dtype)

    def step(self) -> Step:
        """Return the step of the layer of this kind."""
        return STEPS[self.mode]


class LSTMCell(GatedCell):
    """One step of `LSTM`: from (h, c) to (h', c').

    >>> import wengert as torch
    >>> h, c = torch.nn.LSTMCell(3, 5)(torch.zeros(2, 3))
    >>> h.shape
    torch.Size([2, 5])
    """

    mode = "LSTM"
    kinds_of_state = 2


class GRUCell(GatedCell):
    """One step of `GRU`.

    >>> import wengert as torch
    >>> torch.nn.GRUCell(3, 5)(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    """

    mode = "GRU"
