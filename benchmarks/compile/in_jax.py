"""The same workloads, written for JAX as its users write them.

State that a step replaces is donated, so that XLA may write it in place.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import erf

from . import data


def tutorial() -> Any:
    x = jnp.ones((9, 5), jnp.float32)

    def out(x: Any) -> Any:
        y = x + 2
        return (3 * y * y).mean()

    step = jax.jit(jax.grad(out))
    return lambda: step(x)


def cross_entropy(scores: Any, labels: Any) -> Any:
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1)
    return -chosen.mean()


def forward(layers: Any, x: Any, activation: Any) -> Any:
    *inner, (last, shift) = layers
    for weight, bias in inner:
        x = activation(x @ weight.T + bias)
    return x @ last.T + shift


def training(sizes: Any, batch: int, begin: Any, update: Any) -> Any:
    """Return a step whose `update` maps parameters, gradients and state to new ones."""
    params = jax.tree.map(jnp.array, data.layers(sizes))
    x = jnp.array(data.normal(batch, sizes[0]))
    y = jnp.array(data.labels(batch, sizes[-1]))

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        return cross_entropy(forward(params, x, jax.nn.relu), y)

    def step(params: Any, state: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        return loss, *update(params, grads, state)

    return stateful(step, params, begin(params), x, y)


def stateful(step: Any, params: Any, state: Any, *given: Any) -> Any:
    """Return a function that takes a step from where the last one ended."""
    compiled = jax.jit(step, donate_argnums=(0, 1))
    held = [params, state]

    def run() -> Any:
        result, *held[:] = compiled(*held, *given)
        return result

    return run


def moments(params: Any) -> Any:
    zeros = jax.tree.map(jnp.zeros_like, params)
    return zeros, jax.tree.map(jnp.zeros_like, params), jnp.zeros((), jnp.int32)


def adam_update(params: Any, grads: Any, state: Any) -> Any:
    first, second, count = state
    count = count + 1
    rate = 1e-3 / (1 - 0.9**count)
    correction = jnp.sqrt(1 - 0.999**count)
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    params = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) / correction + 1e-8),
        params,
        first,
        second,
    )
    return params, (first, second, count)


def momentum_update(params: Any, grads: Any, state: Any) -> Any:
    state = jax.tree.map(lambda m, g: 0.9 * m + g, state, grads)
    return jax.tree.map(lambda p, m: p - 1e-2 * m, params, state), state


def digits() -> Any:
    return training(data.DIGITS, 64, moments, adam_update)


def wide() -> Any:
    zeros = lambda params: jax.tree.map(jnp.zeros_like, params)  # noqa: E731
    return training(data.WIDE, 256, zeros, momentum_update)


def adam() -> Any:
    sizes = list(enumerate(data.ADAM_SIZES))
    params = [jnp.array(data.normal(n, seed=i)) for i, n in sizes]
    grads = [jnp.array(data.normal(n, seed=i + 500)) for i, n in sizes]
    update = jax.jit(
        lambda params, state, grads: adam_update(params, grads, state),
        donate_argnums=(0, 1),
    )
    held = [params, moments(params)]

    def run() -> Any:
        held[:] = update(*held, grads)
        return held[0][:2]

    return run


def greeks(dtype: str = "float32") -> Any:
    jax.config.update("jax_enable_x64", dtype == "float64")  # type: ignore[no-untyped-call]
    inputs = [jnp.array(array) for array in data.options(dtype)]

    def cdf(x: Any) -> Any:
        return (erf(x * 0.5**0.5) + 1) * 0.5

    def total(s: Any, k: Any, t: Any, v: Any, r: Any) -> Any:
        spread = v * jnp.sqrt(t)
        d1 = (jnp.log(s / k) + (r + v * v * 0.5) * t) / spread
        price = s * cdf(d1) - k * jnp.exp(-r * t) * cdf(d1 - spread)
        return price.sum(), price

    def step(*inputs: Any) -> Any:
        (_, price), grads = with_grads(*inputs)
        return price, *grads

    with_grads = jax.value_and_grad(total, argnums=(0, 1, 2, 3, 4), has_aux=True)
    compiled = jax.jit(step)
    return lambda: compiled(*inputs)


def greeks64() -> Any:
    return greeks("float64")


def with_vjp(function: Any, inputs: Any, grad: Any) -> Any:
    """Return a compiled call of a function's values and its vector-Jacobian product."""

    def step(grad: Any, *inputs: Any) -> Any:
        y, pull_back = jax.vjp(function, *inputs)
        return y, *pull_back(grad)

    compiled = jax.jit(step)
    return lambda: compiled(grad, *inputs)


def elementwise() -> Any:
    *inputs, grad = [jnp.array(data.normal(data.ELEMENTS, seed=i)) for i in range(4)]
    return with_vjp(lambda a, b, c: jnp.tanh(a * b + c) * jnp.exp(-a * a), inputs, grad)


def norm_gelu() -> Any:
    shapes = (data.NORM, data.NORM, data.NORM[1:], data.NORM[1:])
    x, grad, w, b = [
        jnp.array(data.normal(*shape, seed=i)) for i, shape in enumerate(shapes)
    ]

    def layer(x: Any, w: Any, b: Any) -> Any:
        mean = x.mean(1, keepdims=True)
        centred = x - mean
        scale = jax.lax.rsqrt((centred * centred).mean(1, keepdims=True) + 1e-5)
        return jax.nn.gelu(centred * scale * w + b, approximate=False)

    return with_vjp(layer, [x, w, b], grad)


def classes() -> Any:
    x = jnp.array(data.normal(*data.CLASSES))
    y = jnp.array(data.labels(*data.CLASSES))
    step = jax.jit(jax.value_and_grad(cross_entropy))
    return lambda: step(x, y)


def hessian() -> Any:
    x = jnp.array(data.normal(100))

    def rosenbrock(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    step = jax.jit(jax.hessian(rosenbrock))
    return lambda: step(x)


def hvp() -> Any:
    layers = jax.tree.map(jnp.array, data.layers(data.DIGITS))
    shapes = [array.shape for layer in layers for array in layer]
    flat = [
        jnp.array(data.normal(*shape, seed=i + 9)) for i, shape in enumerate(shapes)
    ]
    vectors = list(zip(flat[::2], flat[1::2], strict=True))
    x = jnp.array(data.normal(64, data.DIGITS[0]))
    y = jnp.array(data.labels(64, data.DIGITS[-1]))

    def loss(layers: Any, x: Any, y: Any) -> Any:
        return cross_entropy(forward(layers, x, jnp.tanh), y)

    @jax.jit
    def step(layers: Any, vectors: Any, x: Any, y: Any) -> Any:
        def gradient(layers: Any) -> Any:
            return jax.grad(loss)(layers, x, y)

        product = jax.jvp(gradient, (layers,), (vectors,))[1]
        return [array for layer in product for array in layer]

    return lambda: step(layers, vectors, x, y)
