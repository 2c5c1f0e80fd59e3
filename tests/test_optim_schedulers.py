"""Learning rate schedulers against PyTorch's, step by step."""

import copy

import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)
STEPS = 16

MAKERS = {
    "LambdaLR": lambda o, s: s.LambdaLR(o, lambda e: 0.9**e),
    "LambdaLR, two": lambda o, s: s.LambdaLR(
        o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]
    ),
    "MultiplicativeLR": lambda o, s: s.MultiplicativeLR(o, lambda e: 0.9 + 0.01 * e),
    "StepLR": lambda o, s: s.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda o, s: s.MultiStepLR(o, [2, 5, 5, 9], 0.5),
    "ConstantLR": lambda o, s: s.ConstantLR(o, 0.3, 4),
    "LinearLR": lambda o, s: s.LinearLR(o, 0.1, 0.8, 6),
    "ExponentialLR": lambda o, s: s.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o, s: s.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda o, s: s.CosineAnnealingLR(o, 5, 0.01),
    "WarmRestarts": lambda o, s: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "WarmRestarts, even": lambda o, s: s.CosineAnnealingWarmRestarts(o, 3),
    "SequentialLR": lambda o, s: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [3, 8]
    ),
    "warm-up": lambda o, s: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 4), s.CosineAnnealingLR(o, 10)], [4]
    ),
    "ChainedScheduler": lambda o, s: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)]
    ),
    "CyclicLR": lambda o, s: s.CyclicLR(o, 0.01, 0.1, 4),
    "CyclicLR, halved": lambda o, s: s.CyclicLR(o, 0.01, 0.1, 3, 5, mode="triangular2"),
    "CyclicLR, shrinking": lambda o, s: s.CyclicLR(
        o, 0.01, 0.1, 3, 5, mode="exp_range", gamma=0.9, cycle_momentum=False
    ),
    "CyclicLR, own scale": lambda o, s: s.CyclicLR(
        o, [0.01, 0.02], [0.1, 0.2], 3, scale_fn=lambda x: 1 / x, base_momentum=0.7
    ),
    "OneCycleLR": lambda o, s: s.OneCycleLR(o, 0.5, total_steps=16),
    "OneCycleLR, linear": lambda o, s: s.OneCycleLR(
        o,
        [0.5, 0.3],
        epochs=4,
        steps_per_epoch=4,
        three_phase=True,
        anneal_strategy="linear",
        pct_start=0.4,
    ),
}


def optimizer_of(library, kind="SGD"):
    options = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [
        {"params": library.nn.Parameter(library.ones(1)), "lr": rate}
        for rate in (0.2, 0.05)
    ]
    return getattr(library.optim, kind)(groups, **options)


def options_of(optimizer):
    return [
        (group["lr"], group.get("momentum"), group.get("betas"))
        for group in optimizer.param_groups
    ]


def flat(values):
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        elif value is not None:
            yield float(value)


def trace(library, make, kind="SGD", steps=STEPS):
    optimizer = optimizer_of(library, kind)
    scheduler = make(optimizer, library.optim.lr_scheduler)
    found = []
    for step in range(steps):
        found += [*flat(options_of(optimizer)), *flat(scheduler.get_last_lr())]
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return found


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.filterwarnings("ignore:Detected call")
def test_rates_are_pytorchs(make, kind):
    mine, theirs = [trace(library, make, kind) for library in LIBRARIES]
    assert mine == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_groups_know_their_momenta(name):
    groups = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        MAKERS[name](optimizer, library.optim.lr_scheduler)
        groups.append(
            [
                {k: v for k, v in g.items() if k != "params"}
                for g in optimizer.param_groups
            ]
        )
    assert groups[0] == groups[1]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.filterwarnings("ignore:Detected call")
def test_state_continues(make):
    schedulers = wengert.optim.lr_scheduler
    first = optimizer_of(wengert)
    begun = make(first, schedulers)
    for _ in range(5):
        first.step()
        begun.step()
    second = optimizer_of(wengert)
    resumed = make(second, schedulers)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    second.load_state_dict(first.state_dict())
    for _ in range(6):
        for optimizer, scheduler in ((first, begun), (second, resumed)):
            optimizer.step()
            scheduler.step()
        assert list(flat(options_of(first))) == list(flat(options_of(second)))


MEASURED = [5, 4, 4.5, 4.4, 4.3, 4.29, 3, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 2.9, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 1, "cooldown": 2, "factor": 0.5},
        {"patience": 1, "threshold": 0.2, "threshold_mode": "abs"},
        {"patience": 1, "mode": "max", "min_lr": [0.01, 0.02]},
        {"patience": 0, "threshold": 0.5, "eps": 0.01},
    ],
    ids=str,
)
def test_reduce_on_plateau(options):
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for value in MEASURED:
            scheduler.step(library.tensor(value))
            rates += scheduler.get_last_lr()
        found.append((rates, scheduler.best, scheduler.num_bad_epochs))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    assert found[0][1:] == pytest.approx(found[1][1:], rel=1e-6)


def test_rate_that_is_a_tensor_is_changed_in_place():
    rate = wengert.tensor(0.5)
    w = wengert.nn.Parameter(wengert.ones(1))
    optimizer = wengert.optim.SGD([w], lr=rate)
    scheduler = wengert.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25


def test_restarts_at_fractions_of_epochs():
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        schedulers = library.optim.lr_scheduler
        scheduler = schedulers.CosineAnnealingWarmRestarts(optimizer, 2, 2)
        rates = []
        for epoch in (0.5, 1.75, 2.5, 7.25, 13.5):
            scheduler.step(epoch)
            rates += scheduler.get_last_lr()
        found.append(rates)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_schedulers_of_users():
    class Halving(wengert.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = optimizer_of(wengert)
    scheduler = Halving(optimizer)
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == [0.05, 0.0125]


def test_the_wrong_order_is_warned_of():
    optimizer = optimizer_of(wengert)
    scheduler = wengert.optim.lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


MISTAKES = {
    "factor": lambda o, s: s.ConstantLR(o, 1.5),
    "start": lambda o, s: s.LinearLR(o, 0),
    "end": lambda o, s: s.LinearLR(o, 0.5, 2),
    "period": lambda o, s: s.CosineAnnealingWarmRestarts(o, 0),
    "growth": lambda o, s: s.CosineAnnealingWarmRestarts(o, 1, 0.5),
    "plateau": lambda o, s: s.ReduceLROnPlateau(o, factor=1.0),
    "mode": lambda o, s: s.ReduceLROnPlateau(o, mode="middle"),
    "steps": lambda o, s: s.OneCycleLR(o, 0.1),
    "steps below zero": lambda o, s: s.OneCycleLR(o, 0.1, total_steps=-1),
    "part": lambda o, s: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=2),
    "strategy": lambda o, s: s.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="x"),
    "cycle": lambda o, s: s.CyclicLR(o, 0.1, 0.2, mode="x"),
    "nothing chained": lambda o, s: s.ChainedScheduler([]),
}


@pytest.mark.parametrize("make", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(make):
    told = []
    for library in LIBRARIES:
        with pytest.raises(ValueError) as caught:
            make(optimizer_of(library), library.optim.lr_scheduler)
        told.append(str(caught.value))
    assert told[0] == told[1]
