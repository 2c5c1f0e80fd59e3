"""Programs as users write them: compiled, they do what they do eagerly.

Each is given what compiles a function, and returns all numbers that it has come to:
results on the way, parameters, buffers, gradients.
"""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import wengert as torch

functional = torch.nn.functional


def data(*shape, seed=0):
    array = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(array.astype(np.float32))


def integers(high, *shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, high, shape))


def filled(*modules):
    """Return modules whose parameters are known numbers."""
    tensors = [tensor for module in modules for tensor in module.parameters()]
    with torch.no_grad():
        for i, tensor in enumerate(tensors):
            tensor.copy_(data(*tensor.shape, seed=i) * 0.5)
    return modules if len(modules) > 1 else modules[0]


def steps(step, count, *shape):
    """Return what steps on fresh data return."""
    found = [step(data(*shape, seed=10 + i)) for i in range(count)]
    return [tensor.detach().clone() for tensor in found if tensor is not None]


# --- training -------------------------------------------------------------------------


def convolutional(compiled):
    nn = torch.nn
    model = filled(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64, 10),
        )
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)

    @compiled
    def step(x):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    labels = integers(10, 8)
    losses = steps(step, 5, 8, 1, 8, 8)
    model.eval()
    return [*losses, model(data(2, 1, 8, 8)), *model.parameters(), *model.buffers()]


class Block(torch.nn.Module):
    """A transformer's block with embeddings that are the weights of its output, too."""

    def __init__(self, width=16, heads=2, words=11, length=8):
        super().__init__()
        nn = torch.nn
        self.heads = heads
        self.embedding = nn.Embedding(words, width)
        self.position = nn.Parameter(torch.zeros(1, length, width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 64), nn.Linear(64, width)
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.embedding.weight
        mask = torch.tril(torch.ones(length, length)).bool()
        self.register_buffer("mask", mask)

    def attention(self, x):
        batch, length, width = x.shape
        parts = self.qkv(x).split(width, dim=2)
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = [part.view(shape).transpose(1, 2) for part in parts]
        scores = (q @ k.transpose(-2, -1)) * shape[-1] ** -0.5
        scores = scores.masked_fill(~self.mask[:length, :length], float("-inf"))
        mixed = scores.softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).contiguous().view(x.shape))

    def forward(self, words):
        x = self.embedding(words) + self.position[:, : words.shape[1]]
        x = x + self.attention(self.norm1(x))
        x = x + self.narrow(functional.gelu(self.wide(self.norm2(x))))
        return self.head(x)


def transformer(compiled):
    """Weight tying, clipping, a scheduler outside of the step."""
    model = filled(Block())
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-2, weight_decay=0.1, eps=1e-2
    )
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

    @compiled
    def step(words, following):
        optimizer.zero_grad()
        scores = model(words)
        loss = functional.cross_entropy(scores.view(-1, 11), following.view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    losses = []
    for i in range(6):
        words = integers(11, 4, 9, seed=i)
        losses.append(step(words[:, :-1], words[:, 1:].contiguous()).clone())
        scheduler.step()
    return [*losses, *model.parameters()]


def recurrent(compiled):
    cell = filled(torch.nn.Linear(7, 16))
    optimizer = torch.optim.RMSprop(cell.parameters(), lr=0.01)

    @compiled
    def step(x):
        optimizer.zero_grad()
        h = c = torch.zeros(2, 4)
        for t in range(5):
            i, f, g, o = cell(torch.cat([x[t], h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        loss = h.pow(2).sum()
        loss.backward()
        optimizer.step()
        return loss

    return [*steps(step, 4, 5, 2, 3), *cell.parameters()]


def adversarial(compiled):
    """Two optimizers, each with a step of its own."""
    maker, judge = filled(torch.nn.Linear(3, 3), torch.nn.Linear(3, 1))
    of_maker = torch.optim.SGD(maker.parameters(), lr=0.01, momentum=0.9)
    of_judge = torch.optim.Adam(judge.parameters(), lr=0.01)
    score = functional.binary_cross_entropy_with_logits

    @compiled
    def step(x):
        of_judge.zero_grad()
        fake = maker(x)
        right, wrong = judge(x), judge(fake.detach())
        loss = score(right, torch.ones(4, 1)) + score(wrong, torch.zeros(4, 1))
        loss.backward()
        of_judge.step()
        of_maker.zero_grad()
        score(judge(fake), torch.ones(4, 1)).backward()
        of_maker.step()
        return loss

    return [*steps(step, 4, 4, 3), *maker.parameters(), *judge.parameters()]


def variational(compiled):
    encoder, decoder = filled(torch.nn.Linear(4, 4), torch.nn.Linear(2, 4))
    params = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(params, lr=0.01)

    @compiled
    def step(x):
        optimizer.zero_grad()
        mean, spread = encoder(x).chunk(2, 1)
        found = decoder(mean + torch.randn_like(mean) * (spread / 2).exp())
        divergence = (1 + spread - mean**2 - spread.exp()).mean()
        loss = functional.mse_loss(found, x) - 0.5 * divergence
        loss.backward()
        optimizer.step()
        return loss

    return [*steps(step, 5, 6, 4), *params, torch.rand(2)]


def averaged(compiled):
    model, average = filled(torch.nn.Linear(3, 2), torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    @compiled
    def step(x):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
        with torch.no_grad():
            pairs = zip(model.parameters(), average.parameters(), strict=True)
            for new, mean in pairs:
                mean.mul_(0.9).add_(new, alpha=0.1)

    steps(step, 4, 4, 3)
    return [*model.parameters(), *average.parameters()]


def words_with_padding(compiled):
    table = filled(torch.nn.Embedding(10, 4, padding_idx=0))
    optimizer = torch.optim.Adagrad(table.parameters(), lr=0.1)

    @compiled
    def step(words):
        optimizer.zero_grad()
        loss = table(words).pow(2).sum()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return [*[step(integers(10, 3, 4, seed=i)).clone() for i in range(4)], table.weight]


def out_of_range(compiled):
    """A batch that fails leaves state as eager mode does, and training goes on."""
    table, count = filled(torch.nn.Embedding(5, 4)), torch.zeros(3)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1)

    @compiled
    def step(words):
        count.add_(1)
        optimizer.zero_grad()
        loss = table(words).pow(2).sum()
        loss.backward()
        optimizer.step()
        return loss.detach()

    found = []
    for words in ([0, 1], [1, 2], [1, 7], [3, 4]):
        try:
            found.append(step(torch.tensor(words)).clone())
        except IndexError:
            found.append(torch.tensor(-1.0))
    return [*found, table.weight, count, table.weight.grad]


# --- gradients ------------------------------------------------------------------------


def clipped_apart(compiled):
    """The function reads and writes gradients alone; others make them."""
    model = filled(torch.nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def clip():
        return torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)

    norms = []
    for i in range(4):
        optimizer.zero_grad()
        model(data(5, 4, seed=i)).pow(2).sum().backward()
        norms.append(clip().clone())
        optimizer.step()
    return [*norms, *model.parameters()]


def clipped_by_value(compiled):
    model = filled(torch.nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad()
        model(x).pow(2).sum().backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 0.3)
        optimizer.step()

    steps(step, 4, 5, 4)
    return [*model.parameters(), *[tensor.grad for tensor in model.parameters()]]


def gradient_read_from_outside(compiled):
    weight = data(3).requires_grad_()

    @compiled
    def double():
        return weight.grad * 2

    found = []
    for i in range(4):
        weight.grad = data(3, seed=i)
        found.append(double().clone())
    return found


def gradient_returned_and_forgotten(compiled):
    weight = data(3).requires_grad_()
    weight.grad = torch.zeros(3)

    @compiled
    def step(x):
        last, weight.grad = weight.grad, None
        (weight * x).sum().backward()
        return last

    return [*steps(step, 4, 3), weight.grad]


def accumulated_across_calls(compiled):
    model = filled(torch.nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def accumulate(x):
        loss = model(x).pow(2).mean()
        loss.backward()
        return loss

    found = []
    for i in range(8):
        found += steps(accumulate, 1, 4, 3)
        if i % 3 == 2:
            optimizer.step()
            optimizer.zero_grad()
    grads = [tensor.grad for tensor in model.parameters()]
    return [*found, *model.parameters(), *grads]


def accumulated_inside(compiled):
    model = filled(torch.nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def step(batches):
        optimizer.zero_grad()
        for x in batches:
            (model(x).pow(2).mean() / len(batches)).backward()
        optimizer.step()

    for i in range(4):
        step([data(4, 3, seed=i + j) for j in range(3)])
    return [*model.parameters(), *[tensor.grad for tensor in model.parameters()]]


def zeroed_in_place(compiled):
    model = filled(torch.nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad(set_to_none=False)
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    losses = steps(step, 4, 4, 3)
    grads = [tensor.grad for tensor in model.parameters()]
    return [*losses, *model.parameters(), *grads]


def descent_by_hand(compiled):
    weight = data(3).requires_grad_()

    @compiled
    def step(x):
        loss = (x * weight).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            weight.sub_(0.1 * weight.grad)
        weight.grad = None
        return loss

    return [*steps(step, 5, 3), weight]


def penalty(compiled):
    """Gradients of gradients inside of a training step."""
    nn = torch.nn
    model = filled(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad()
        x = x.clone().requires_grad_()
        (grad,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        loss = ((grad.norm(dim=1) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return [*steps(step, 4, 5, 3), *model.parameters()]


def learning_to_learn(compiled):
    weight = data(3).requires_grad_()

    @compiled
    def step(x):
        weight.grad = None
        loss = ((x @ weight - x[:, 0]) ** 2).mean()
        (grad,) = torch.autograd.grad(loss, weight, create_graph=True)
        ((x @ (weight - 0.1 * grad) - x[:, 0]) ** 2).mean().backward()
        return weight.grad

    return steps(step, 4, 4, 3)


def functions_inside(compiled):
    def wave(t):
        return t.sin() * t.sum()

    def rows(x):
        return torch.func.vmap(torch.func.grad(lambda t: wave(t).sum()))(x)

    @compiled
    def step(x):
        matrices = torch.func.jacrev(wave)(x[0]), torch.func.jacfwd(wave)(x[1])
        return torch.cat([rows(x), *matrices])

    return steps(step, 3, 4, 3)


def parameters_as_arguments(compiled):
    model = filled(torch.nn.Linear(3, 2))
    state = {name: tensor.detach() for name, tensor in model.named_parameters()}

    @compiled
    def gradient(state, x):
        def loss(state):
            return torch.func.functional_call(model, state, (x,)).pow(2).sum()

        return torch.func.grad(loss)(state)

    for i in range(3):
        grads = gradient(state, data(4, 3, seed=i))
        state = {name: state[name] - 0.1 * grads[name] for name in state}
    return list(state.values())


def closure_of_lbfgs(compiled):
    weight = data(5).requires_grad_()
    optimizer = torch.optim.LBFGS([weight], lr=0.5, max_iter=4)

    @compiled
    def closure():
        optimizer.zero_grad()
        loss = ((weight - 2) ** 4).sum()
        loss.backward()
        return loss

    return [*[optimizer.step(closure).detach().clone() for _ in range(3)], weight]


# --- state that changes outside -------------------------------------------------------


def frozen_and_thawed(compiled):
    nn = torch.nn
    model = filled(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    found = steps(step, 2, 4, 3)
    model[0].weight.requires_grad_(False)
    found += steps(step, 2, 4, 3)
    model[0].weight.requires_grad_(True)
    optimizer.param_groups[0]["lr"] = 0.01
    return [*found, *steps(step, 2, 4, 3), *model.parameters()]


def loaded(compiled):
    model = filled(torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    found = steps(step, 2, 4, 3)
    saved = copy.deepcopy([model.state_dict(), optimizer.state_dict()])
    found += steps(step, 2, 4, 3)
    model.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    found += steps(step, 2, 4, 3)
    model.weight.data = data(2, 3, seed=77)
    return [*found, *steps(step, 2, 4, 3), *model.parameters()]


def method_of_an_object(compiled):
    class Scaled:
        def __init__(self):
            self.scale, self.weight = 1.0, data(3)

        @compiled
        def __call__(self, x):
            return x * self.weight * self.scale

    scaled, found = Scaled(), []
    for i in range(3):
        found += steps(scaled, 2, 3)
        scaled.scale += 1
        scaled.weight = data(3, seed=50 + i)
    return found


def without_grad(compiled):
    nn = torch.nn
    model = filled(nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)))
    model = compiled(model.eval())
    found = []
    for mode in (torch.no_grad, torch.inference_mode, torch.enable_grad) * 2:
        with mode():
            result = model(data(4, 3))
        assert result.requires_grad == (mode is torch.enable_grad)
        found.append(result.detach().clone())
    return found


def buffer_written_to(compiled):
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.zeros(3))
            self.weight = torch.nn.Parameter(data(3))

        def forward(self, x):
            self.mean.add_(x.detach().mean(0))
            self.mean[0] = 7
            return (x * self.weight + self.mean).sum()

    module = Counting()
    return [*steps(compiled(module), 4, 4, 3), module.mean]


def loop_of_a_number(compiled):
    @compiled
    def loop(x, times):
        for _ in range(times):
            x = torch.where(x > 0, x * 0.5, x + 1)
        return x

    return [loop(data(4, seed=i), 3 + i % 2) for i in range(4)]


def dropout_of_what_is_transposed(compiled):
    """The numbers are drawn in the order of memory, which a trace has to know."""
    layer = filled(
        torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
    )
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)

    @compiled
    def step(x):
        optimizer.zero_grad()
        dropped = functional.dropout(layer(x).transpose(0, 2).exp(), 0.5)
        noise = torch.rand_like(dropped) + torch.randn_like(x.movedim(0, 1)).sum()
        loss = (dropped * noise).sin().mean()
        loss.backward()
        optimizer.step()
        return loss

    losses = steps(step, 4, 3, 5, 8)
    return [*losses, *layer.parameters()]


def probabilities(compiled):
    """A loss that checks the range of what it is given."""
    judge = filled(torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(judge.parameters(), lr=0.5)
    loss = torch.nn.BCELoss()

    @compiled
    def step(x):
        optimizer.zero_grad()
        found = loss(judge(x).sigmoid(), (x[:, :1] > 0).float())
        found.backward()
        optimizer.step()
        return found

    return [*steps(step, 4, 5, 2), *judge.parameters()]


def checkpointed(compiled):
    model = filled(
        torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2)
        )
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    checkpoint = torch.utils.checkpoint.checkpoint

    @compiled
    def step(x):
        optimizer.zero_grad()
        with torch.autocast("cpu", enabled=False):
            loss = checkpoint(model, x, use_reentrant=False).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return [*steps(step, 4, 5, 4), *model.parameters()]


PROGRAMS = {
    checkpointed: 1,
    dropout_of_what_is_transposed: 1,
    probabilities: 1,
    convolutional: 1,
    transformer: 1,
    recurrent: 1,
    adversarial: 1,
    variational: 1,
    averaged: 1,
    words_with_padding: 1,
    out_of_range: 1,
    clipped_apart: 1,
    clipped_by_value: 1,
    gradient_read_from_outside: 1,
    gradient_returned_and_forgotten: 1,
    accumulated_across_calls: 2,
    accumulated_inside: 1,
    zeroed_in_place: 2,
    descent_by_hand: 1,
    penalty: 1,
    learning_to_learn: 1,
    functions_inside: 1,
    parameters_as_arguments: 1,
    closure_of_lbfgs: 1,
    frozen_and_thawed: 3,
    loaded: 2,
    method_of_an_object: 3,
    without_grad: 3,
    buffer_written_to: 1,
    loop_of_a_number: 2,
}
"""How many programs each needs."""


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(program, backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    made = []

    def compiled(function):
        made.append(torch.compile(function, backend=backend))
        return made[-1]

    outcomes = []
    for wrap in (lambda function: function, compiled):
        torch.manual_seed(4)
        outcomes.append(program(wrap))
    for expected, found in zip(*outcomes, strict=True):
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), 2e-4, 1e-5
        )
    (function,) = made
    if isinstance(function, torch.nn.Module):
        function = function.forward
    assert len(function.programs) == PROGRAMS[program]
    assert not function.eager


def test_inference_tensors_are_compiled_for() -> None:
    with torch.inference_mode():
        x = torch.arange(4.0)
        compiled = torch.compile(lambda x: (x.sin() + x) * 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            results = [compiled(x) for _ in range(3)]
    for result in results:
        assert torch.allclose(result, (x.sin() + x) * 2)
