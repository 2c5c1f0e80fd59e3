"""Recurrent layers: RNN, LSTM, GRU, which go over sequences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from ..ops.creation import empty, zeros
from ..ops.dropout import dropout as drop
from ..ops.joining import cat, stack
from ..primitives.recurrent import lstm_layer
from ..tensor import Tensor
from . import functional as F, init
from .cells import (
    GATES,
    STEPS,
    GRUCell as GRUCell,
    LSTMCell as LSTMCell,
    RNNCell as RNNCell,
    RNNCellBase as RNNCellBase,
    State,
    Step,
    Weights,
)
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

# --- all steps ------------------------------------------------------------------------


def run(
    step: Step, gates: Sequence[Tensor], state: State, weights: Weights, reverse: bool
) -> tuple[list[Tensor], State]:
    """Go through time; return the output at each time and the last state.

    The batch may get smaller with time, as sequences end: the longest come first.
    Backwards it grows, and each sequence begins with its own first state.
    """
    first, ended, outputs = state, [], []
    count = len(gates[-1 if reverse else 0])
    state = narrowed(first, 0, count)
    for gate in reversed(gates) if reverse else gates:
        if len(gate) > count:
            late = narrowed(first, count, len(gate))
            state = tuple([cat(pair) for pair in zip(state, late, strict=True)])
        elif len(gate) < count:
            ended.append(narrowed(state, len(gate), count))
            state = narrowed(state, 0, len(gate))
        count = len(gate)
        state = step(gate, state, weights)
        outputs.append(state[0])
    if ended:
        state = tuple([cat(parts) for parts in zip(state, *ended[::-1], strict=True)])
    return outputs[::-1] if reverse else outputs, state


def narrowed(state: State, start: int, stop: int) -> State:
    """Return the state of some of the sequences."""
    if start == 0 and stop == len(state[0]):
        return state
    return tuple([part[start:stop] for part in state])


# --- layers ---------------------------------------------------------------------------


class RNNBase(Module):
    """What RNN, LSTM and GRU share: layers of steps over sequences.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: the size of the input at each time.
        hidden_size: that of the state.
        num_layers: how many layers there are; each reads the outputs of the one below.
        bias: whether there are biases.
        batch_first: the input is (N, L, features) instead of (L, N, features).
        dropout: in training, the probability with which outputs between layers vanish.
        bidirectional: a second set of weights goes backwards; outputs are joined.
        proj_size: for an LSTM, the size to which h is projected; 0 for none.

    Attributes:
        weight_ih_l{k}: for layer k, (gates · hidden_size, its input's size).
        weight_hh_l{k}: (gates · hidden_size, hidden_size).
        bias_ih_l{k}, bias_hh_l{k}: (gates · hidden_size). All are uniform in
            ±1/√hidden_size. Those of the direction backwards end in ``_reverse``.
    """

    kinds_of_state: ClassVar[int] = 1

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes(input_size, hidden_size, num_layers, proj_size)
        check_dropout(dropout, num_layers)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        for layer in range(num_layers):
            for suffix in self.suffixes(layer):
                for name, shape in self.shapes(layer, suffix).items():
                    made = empty(*shape, device=device, dtype=dtype)
                    setattr(self, name, Parameter(made))
        self.reset_parameters()

    @property
    def directions(self) -> int:
        """How many directions there are."""
        return 2 if self.bidirectional else 1

    def suffixes(self, layer: int) -> list[str]:
        """Return the ends of the names of a layer's weights, one for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: self.directions]

    def shapes(self, layer: int, suffix: str) -> dict[str, tuple[int, ...]]:
        """Return the names of weights and their shapes."""
        gates, out = GATES[self.mode] * self.hidden_size, self.output_size
        below = out * self.directions if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {
            f"weight_ih{suffix}": (gates, below),
            f"weight_hh{suffix}": (gates, out),
        }
        if self.bias:
            shapes |= {f"bias_ih{suffix}": (gates,), f"bias_hh{suffix}": (gates,)}
        if self.proj_size:
            shapes[f"weight_hr{suffix}"] = (out, self.hidden_size)
        return shapes

    @property
    def output_size(self) -> int:
        """The size of h."""
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights, a list for each layer and direction."""
        return [
            [getattr(self, name) for name in self.shapes(layer, suffix)]
            for layer in range(self.num_layers)
            for suffix in self.suffixes(layer)
        ]

    def reset_parameters(self) -> None:
        """Fill the parameters with their first values."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: PyTorch joins the weights' memory here for a GPU."""

    def forward(
        self, input: Any, hx: Any = None
    ) -> tuple[Any, Tensor | tuple[Tensor, ...]]:
        """Return the outputs of the last layer, and the last state of each layer.

        Args:
            input: (L, N, input_size), without N, or a `PackedSequence`.
            hx: the first states, (layers · directions, N, size); zeros by default.
        """
        given = hx if hx is None or isinstance(hx, tuple) else (hx,)
        if isinstance(input, PackedSequence):
            state = self.start(input.data, int(input.batch_sizes[0]), given)
            state = picked(state, input.sorted_indices)
            outputs, last = self.through_layers(input.data, input.batch_sizes, state)
            packed = input._replace(data=outputs)
            return packed, self.returned(picked(last, input.unsorted_indices))
        name = type(self).__name__
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.ndim}D instead"
            )
        batched = input.ndim == 3
        self.check_state(given, batched)
        if not batched:
            input = input.unsqueeze(1)
            given = given and tuple([part.unsqueeze(1) for part in given])
        elif self.batch_first:
            input = input.transpose(0, 1)
        state = self.start(input, input.shape[1], given)
        output, last = self.through_layers(input, None, state)
        if not batched:
            return output.squeeze(1), self.returned(
                tuple([part.squeeze(1) for part in last])
            )
        return output.transpose(0, 1) if self.batch_first else output, self.returned(
            last
        )

    def returned(self, state: State) -> Tensor | State:
        """Return a state as users see it."""
        return state if self.kinds_of_state > 1 else state[0]

    def check_state(self, state: State | None, batched: bool) -> None:
        """Refuse a first state that has a batch where the input has none, or none."""
        for part in state or ():
            if part.ndim != (3 if batched else 2):
                what = "batched 3-D" if batched else "unbatched 2-D"
                raise RuntimeError(
                    f"For {what} input, hx should also be {3 if batched else 2}-D but "
                    f"got {part.ndim}-D tensor"
                )

    def start(self, input: Tensor, batch: int, state: State | None) -> State:
        """Return the first state, zeros if none is given."""
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.shape[-1]}"
            )
        count = self.num_layers * self.directions
        sizes = (self.output_size, self.hidden_size)[: self.kinds_of_state]
        shapes = [(count, batch, size) for size in sizes]
        if state is None:
            return tuple([zeros(*shape, dtype=input.dtype) for shape in shapes])
        for i, (part, shape) in enumerate(zip(state, shapes, strict=True)):
            if tuple(part.shape) != shape:
                name = f"hidden[{i}]" if self.kinds_of_state > 1 else "hidden"
                raise RuntimeError(
                    f"Expected {name} size {shape}, got {list(part.shape)}"
                )
        return state

    def through_layers(
        self, input: Tensor, batch_sizes: Tensor | None, state: State
    ) -> tuple[Tensor, State]:
        """Return the last layer's outputs, and each layer's last state."""
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer:
                input = drop(input, self.dropout, self.training)
            outputs = []
            for reverse, suffix in enumerate(self.suffixes(layer)):
                begin = tuple([part[len(last)] for part in state])
                whole, end = self.one_way(
                    input, batch_sizes, begin, suffix, bool(reverse)
                )
                outputs.append(whole)
                last.append(end)
            input = cat(outputs, -1) if self.bidirectional else outputs[0]
        return input, tuple([stack(parts) for parts in zip(*last, strict=True)])

    def one_way(
        self,
        input: Tensor,
        batch_sizes: Tensor | None,
        state: State,
        suffix: str,
        reverse: bool,
    ) -> tuple[Tensor, State]:
        """Return the outputs of one direction of a layer, and its last state."""
        matrix, bias = f"weight_ih{suffix}", f"bias_ih{suffix}"
        gates = F.linear(input, getattr(self, matrix), getattr(self, bias, None))
        weights = [
            getattr(self, f"{name}{suffix}", None)
            for name in ("weight_hh", "bias_hh", "weight_hr")
        ]
        step = STEPS[self.mode]
        if batch_sizes is not None:
            parts = gates.split(batch_sizes.tolist())
            outputs, state = run(step, parts, state, weights, reverse)
            return cat(outputs), state
        if self.mode == "LSTM" and not self.proj_size and len(gates):
            whole, c = lstm_layer(gates, *state, *weights[:2], reverse=reverse)
            return whole, (whole[0 if reverse else -1], c)
        outputs, state = run(step, gates.unbind(), state, weights, reverse)
        return stack(outputs), state

    def extra_repr(self) -> str:
        shown = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        usual |= {"dropout": 0, "bidirectional": False}
        shown += [
            f"{name}={getattr(self, name)}"
            for name, value in usual.items()
            if getattr(self, name) != value
        ]
        return ", ".join(shown)


def picked(state: State, indices: Tensor | None) -> State:
    """Return the states of sequences in another order."""
    if indices is None:
        return state
    return tuple([part.index_select(1, indices) for part in state])


def check_sizes(
    input_size: int, hidden_size: int, num_layers: int, proj_size: int
) -> None:
    """Refuse sizes that make no layer."""
    sizes = {"input_size": input_size, "hidden_size": hidden_size}
    for name, size in sizes.items():
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
    for name, size in {**sizes, "num_layers": num_layers}.items():
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections"
        )
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def check_dropout(dropout: float, num_layers: int) -> None:
    """Refuse what is no probability; warn where it has no effect."""
    if isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability "
            "of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so "
            "non-zero dropout expects num_layers greater than 1, but got "
            f"dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )


class RNN(RNNBase):
    """An Elman network: h' = tanh(W x + b + U h + d), or with relu.

    The arguments after `nonlinearity` are those of `RNNBase`.

    Args:
        input_size: the size of the input at each time.
        hidden_size: that of the state.
        num_layers: how many layers there are.
        nonlinearity: "tanh" or "relu".

    >>> import wengert as torch
    >>> output, last = torch.nn.RNN(3, 5)(torch.zeros(7, 2, 3))
    >>> output.shape, last.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        if kwargs.pop("proj_size", 0):
            raise ValueError(NO_PROJECTION)
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(mode, input_size, hidden_size, num_layers, *args, **kwargs)
        self.nonlinearity = nonlinearity


NO_PROJECTION = "proj_size argument is only supported for LSTM, not RNN or GRU"


class LSTM(RNNBase):
    """Long short-term memory, of Hochreiter and Schmidhuber (1997).

    i, f, o = σ(W x + b + U h + d), g = tanh(…); c' = f c + i g; h' = o tanh(c'). The
    rows of the weights are those of i, f, g, o. The arguments are those of `RNNBase`
    without its mode; the state is a pair (h, c).

    >>> import wengert as torch
    >>> lstm = torch.nn.LSTM(3, 5, num_layers=2, batch_first=True)
    >>> output, (h, c) = lstm(torch.zeros(2, 7, 3))
    >>> output.shape, h.shape
    (torch.Size([2, 7, 5]), torch.Size([2, 2, 5]))
    """

    kinds_of_state = 2

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units, of Cho and others (2014).

    r, z = σ(W x + b + U h + d); n = tanh(W x + b + r (U h + d)); h' = (1 − z) n + z h.
    The rows of the weights are those of r, z, n. The arguments are those of `RNNBase`
    without its mode.

    >>> import wengert as torch
    >>> output, last = torch.nn.GRU(3, 5, bidirectional=True)(torch.zeros(7, 2, 3))
    >>> output.shape, last.shape
    (torch.Size([7, 2, 10]), torch.Size([2, 2, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.pop("proj_size", 0):
            raise ValueError(NO_PROJECTION)
        super().__init__("GRU", *args, **kwargs)
