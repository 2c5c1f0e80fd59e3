"""Attention and the Transformer against PyTorch's: results, weights, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional

import wengert

LIBRARIES = (wengert, torch)
pytestmark = pytest.mark.filterwarnings("ignore")


def numbers(library: Any, *shape: int, seed: int = 0) -> Any:
    random = np.random.default_rng(sum(shape) + seed)
    return library.tensor(random.standard_normal(shape), requires_grad=True)


def flat(result: Any) -> list[Any]:
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in flat(part)]
    return [] if result is None else [result]


def agree(run: Any) -> None:
    """Compare the results of a program, and the gradients of what it returns last.

    It returns its results, and a list of what to differentiate by.
    """
    found = []
    for library in LIBRARIES:
        library.manual_seed(3)
        results, wanted = run(library)
        results = flat(results)
        sum([(out * (i + 1)).sin().sum() for i, out in enumerate(results)]).backward()
        gradients = [w.grad for w in wanted]
        found.append([t.detach().numpy() for t in [*results, *gradients]])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-11)


# --- the function ---------------------------------------------------------------------


def mask_of(library: Any, kind: str | None) -> Any:
    if kind is None:
        return None
    numbers = np.random.default_rng(0).standard_normal((5, 6))
    if kind == "bool":
        return library.tensor(numbers > -0.5)
    if kind == "blind":
        return library.tensor((numbers > -0.5) & (np.arange(5) != 2)[:, None])
    return library.tensor(numbers)


@pytest.mark.parametrize("mask", [None, "bool", "blind", "numbers"])
@pytest.mark.parametrize("options", [{}, {"scale": 0.3}, {"dropout_p": 0.4}])
def test_attention(mask, options):
    def run(library):
        q, k = numbers(library, 2, 3, 5, 4), numbers(library, 2, 3, 6, 4)
        v = numbers(library, 2, 3, 6, 7)
        attention = library.nn.functional.scaled_dot_product_attention
        return attention(q, k, v, mask_of(library, mask), **options), [q, k, v]

    agree(run)


def test_causal_attention():
    def run(library):
        q, k, v = [numbers(library, 3, 5, 4, seed=i) for i in range(3)]
        attention = library.nn.functional.scaled_dot_product_attention
        return attention(q, k, v, is_causal=True), [q, k, v]

    agree(run)


def test_shared_heads():
    def run(library):
        q = numbers(library, 2, 4, 5, 4)
        k, v = [numbers(library, 2, 2, 5, 4, seed=i) for i in range(2)]
        attention = library.nn.functional.scaled_dot_product_attention
        return attention(q, k, v, enable_gqa=True), [q, k, v]

    agree(run)


# --- several heads --------------------------------------------------------------------

HEADS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "dropout": {"dropout": 0.3},
    "learnt key": {"add_bias_kv": True},
    "zero": {"add_zero_attn": True, "add_bias_kv": True},
    "sizes": {"kdim": 5, "vdim": 3},
}
CALLS: dict[str, dict[str, Any]] = {
    "weights": {},
    "no weights": {"need_weights": False},
    "each head": {"average_attn_weights": False},
}


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("masks", ["", "attn", "keys", "attn keys", "each"])
def test_heads(options, call, masks):
    def run(library):
        layer = library.nn.MultiheadAttention(8, 2, dtype=library.float64, **options)
        first = options.get("batch_first", False)
        order = (3, 4) if first else (4, 3)
        q = numbers(library, *order, 8)
        k = numbers(library, *order, options.get("kdim", 8), seed=1)
        v = numbers(library, *order, options.get("vdim", 8), seed=2)
        given = dict(call)
        if "attn" in masks:
            given["attn_mask"] = library.ones(4, 4).triu(1).bool()
        if "keys" in masks:
            hidden = [[False, False, False, True]] * 2 + [[False] * 4]
            given["key_padding_mask"] = library.tensor(hidden)
        if masks == "each":
            given["attn_mask"] = numbers(library, 6, 4, 4).detach()
        return layer(q, k, v, **given), [q, k, v, *layer.parameters()]

    agree(run)


def test_heads_without_batch():
    def run(library):
        layer = library.nn.MultiheadAttention(8, 2, dtype=library.float64)
        q, k = numbers(library, 4, 8), numbers(library, 5, 8)
        hidden = library.tensor([False, True, False, False, False])
        return layer(q, k, k, key_padding_mask=hidden), [q, k]

    agree(run)


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
def test_first_values_and_text(options):
    made = []
    for library in LIBRARIES:
        library.manual_seed(0)
        made.append(library.nn.MultiheadAttention(8, 2, **options))
    assert repr(made[0]) == repr(made[1])
    mine, theirs = [layer.state_dict() for layer in made]
    assert list(mine) == list(theirs)
    for name, value in theirs.items():
        np.testing.assert_array_equal(mine[name].numpy(), value.numpy())


# --- the Transformer ------------------------------------------------------------------

LAYERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "gelu first": {"activation": "gelu", "norm_first": True},
    "batch first": {"batch_first": True, "bias": False},
}


@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_transformer(options, training):
    def run(library):
        options_ = {"dtype": library.float64, **options}
        model = library.nn.Transformer(8, 2, 2, 2, 16, 0.2, **options_).train(training)
        src, tgt = numbers(library, 3, 3, 8), numbers(library, 3, 3, 8, seed=1)
        mask = model.generate_square_subsequent_mask(3)
        hidden = library.tensor([[False, False, True]] * 3)
        masks = {"tgt_mask": mask.double(), "src_key_padding_mask": hidden}
        masks["memory_key_padding_mask"] = hidden
        return model(src, tgt, **masks), [src, tgt, *model.parameters()]

    agree(run)


@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS)
def test_first_values_of_a_transformer(options):
    states, texts = [], []
    for library in LIBRARIES:
        library.manual_seed(0)
        model = library.nn.Transformer(8, 2, 1, 2, 16, **options)
        states.append({k: v.numpy() for k, v in model.state_dict().items()})
        texts.append(repr(model))
    assert texts[0] == texts[1]
    assert list(states[0]) == list(states[1])
    for mine, theirs in zip(*[state.values() for state in states], strict=True):
        np.testing.assert_array_equal(mine, theirs)


# --- refused --------------------------------------------------------------------------


def heads(t: Any, *args: Any, **kwargs: Any) -> Any:
    return t.nn.MultiheadAttention(8, 2)(*args, **kwargs)


REFUSED = {
    "heads": lambda t: t.nn.MultiheadAttention(8, 3),
    "size": lambda t: t.nn.MultiheadAttention(0, 3),
    "dims": lambda t: heads(t, *[t.ones(8)] * 3),
    "key": lambda t: heads(t, t.ones(2, 3, 8), t.ones(2, 8), t.ones(2, 8)),
    "mask": lambda t: heads(t, *[t.ones(2, 3, 8)] * 3, attn_mask=t.ones(3, 3)),
    "masks": lambda t: heads(t, *[t.ones(2, 3, 8)] * 3, attn_mask=t.ones(3, 2, 2)),
    "padding": lambda t: heads(t, *[t.ones(2, 3, 8)] * 3, key_padding_mask=t.ones(2)),
    "kind": lambda t: heads(
        t, *[t.ones(2, 3, 8)] * 3, attn_mask=t.ones(2, 2, dtype=t.int64)
    ),
    "hint": lambda t: heads(t, *[t.ones(2, 3, 8)] * 3, is_causal=True),
    "activation": lambda t: t.nn.TransformerEncoderLayer(8, 2, activation="sin"),
    "batch": lambda t: t.nn.Transformer(8, 2)(t.ones(2, 3, 8), t.ones(2, 4, 8)),
    "feature": lambda t: t.nn.Transformer(8, 2)(t.ones(2, 3, 8), t.ones(2, 3, 4)),
    "causal": lambda t: t.nn.functional.scaled_dot_product_attention(
        *[t.ones(2, 3)] * 3, attn_mask=t.ones(2, 2), is_causal=True
    ),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refused(call):
    errors = []
    for library in LIBRARIES:
        with pytest.raises((RuntimeError, ValueError, AssertionError)) as caught:
            call(library)
        errors.append((caught.type, str(caught.value)))
    assert errors[0] == errors[1]


def test_causal_masks_are_the_same():
    q = numbers(wengert, 2, 4, 3)
    attention = wengert.nn.functional.scaled_dot_product_attention
    added = wengert.nn.Transformer.generate_square_subsequent_mask(4).double()
    for mask in (wengert.ones(4, 4).tril().bool(), added):
        causal = attention(q, q, q, is_causal=True)
        assert wengert.allclose(attention(q, q, q, mask), causal)
