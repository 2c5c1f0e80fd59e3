"""Where arrays lie in eager mode, as the compiler knows it, against NumPy."""

import numpy as np
from hypothesis import given, settings, strategies as st

from wengert.compiler.eager_layout import order_of_dims, reshaped_strides


@st.composite
def strided(draw, shape):
    """An array of a shape: permuted, with gaps, reversed or broadcast memory."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 1, 2, -1])) for _ in shape]
    broadcast = [draw(st.integers(0, 4)) == 0 for _ in shape]
    sizes = [1 if broadcast[d] else shape[d] * abs(steps[d]) for d in order]
    memory = np.zeros(sizes).transpose(np.argsort(order))
    index = [
        slice(None) if b else slice(None, None, step)
        for step, b in zip(steps, broadcast, strict=True)
    ]
    return np.broadcast_to(memory[tuple(index)], shape)


@st.composite
def operands(draw):
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 4]), max_size=4)))
    return [draw(strided(shape)) for _ in range(draw(st.integers(1, 3)))]


def strides_of(array):
    return tuple(s // array.itemsize for s in array.strides)


@settings(max_examples=300, deadline=None)
@given(operands())
def test_results_lie_as_numpy_lays_them(arrays):
    shape = arrays[0].shape
    iterator = np.nditer(
        [*arrays, None],
        op_flags=[["readonly"]] * len(arrays) + [["writeonly", "allocate"]],
    )
    found = strides_of(iterator.operands[-1])
    large = [d for d, n in enumerate(shape) if n != 1]
    expected = sorted(large, key=lambda d: -found[d])
    assert order_of_dims(shape, [strides_of(a) for a in arrays]) == expected


@settings(max_examples=300, deadline=None)
@given(operands(), st.data())
def test_reshapes_that_need_no_copy(arrays, data):
    array = arrays[0]
    sizes = [n for n in array.shape for n in ((2, 2) if n == 4 else (n,))]
    wanted = []
    for n in sizes:
        if wanted and data.draw(st.booleans()):
            wanted[-1] *= n
        else:
            wanted.append(n)
    found = reshaped_strides(array.shape, strides_of(array), tuple(wanted))
    expected = array.reshape(wanted)
    assert (found is not None) == np.shares_memory(array, expected)
    if found is not None:
        steps = [s * (n > 1) for s, n in zip(strides_of(expected), wanted, strict=True)]
        assert list(found) == steps
