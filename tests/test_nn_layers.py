"""Every layer against PyTorch's: first values, text, results, gradients, statistics."""

import copy
import pickle

import numpy as np
import pytest
import torch

import wengert

LIBRARIES = (wengert, torch)

pytestmark = [
    pytest.mark.filterwarnings("ignore:size_average and reduce args"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]


def numbers(*shape, low=-2.0, high=2.0, seed=0):
    """An input of random numbers."""
    random = np.random.default_rng(seed + sum(shape))
    return random.uniform(low, high, shape)


def integers(*shape, high=5, seed=0):
    return np.random.default_rng(seed).integers(0, high, shape)


SIGNAL, IMAGE, VOLUME = (2, 4, 9), (2, 4, 8, 7), (2, 4, 5, 6, 5)

# name of the class, arguments, options, inputs
LAYERS = [
    ("Identity", (3,), {"anything": 1}, [numbers(2, 3)]),
    ("Linear", (5, 3), {}, [numbers(4, 5)]),
    ("Linear", (5, 3, False), {}, [numbers(5)]),
    ("Linear", (5, 3), {}, [numbers(2, 3, 5)]),
    ("Bilinear", (3, 4, 2), {}, [numbers(5, 3), numbers(5, 4)]),
    ("Bilinear", (3, 4, 2, False), {}, [numbers(5, 3), numbers(5, 4)]),
    ("Flatten", (), {}, [numbers(2, 3, 4)]),
    ("Flatten", (0, 1), {}, [numbers(2, 3, 4)]),
    ("Unflatten", (1, (2, 3)), {}, [numbers(2, 6)]),
    ("PixelShuffle", (2,), {}, [numbers(2, 8, 3, 2)]),
    ("PixelUnshuffle", (2,), {}, [numbers(2, 6, 4)]),
    ("ChannelShuffle", (2,), {}, [numbers(2, 6, 4)]),
    ("CosineSimilarity", (), {}, [numbers(3, 4), numbers(3, 4, seed=1)]),
    ("PairwiseDistance", (3.0,), {}, [numbers(3, 4), numbers(3, 4, seed=1)]),
    ("Embedding", (5, 3), {}, [integers(2, 4)]),
    ("Embedding", (5, 3), {"padding_idx": -2}, [integers(2, 4)]),
    ("Embedding", (5, 3), {"max_norm": 1.0}, [integers(2, 4)]),
    ("Embedding", (5, 3), {"scale_grad_by_freq": True}, [integers(7)]),
    ("EmbeddingBag", (5, 3), {}, [integers(2, 4)]),
    ("EmbeddingBag", (5, 3), {"mode": "sum"}, [integers(7), np.array([0, 2, 2, 5])]),
    ("EmbeddingBag", (5, 3), {"mode": "max"}, [integers(7), np.array([0, 2, 5])]),
    ("EmbeddingBag", (5, 3), {"padding_idx": 1}, [integers(4, 6)]),
    ("EmbeddingBag", (5, 3), {"padding_idx": -1, "mode": "max"}, [integers(4, 6)]),
    (
        "EmbeddingBag",
        (5, 3),
        {"mode": "sum", "include_last_offset": True},
        [integers(7), np.array([0, 3, 7]), numbers(7)],
    ),
    # upsampling
    ("Upsample", (), {"scale_factor": 2}, [numbers(*SIGNAL)]),
    ("Upsample", (), {"size": (5, 13)}, [numbers(*IMAGE)]),
    ("Upsample", (), {"size": 5, "mode": "nearest-exact"}, [numbers(*VOLUME)]),
    ("Upsample", (), {"scale_factor": 1.7, "mode": "linear"}, [numbers(*SIGNAL)]),
    (
        "Upsample",
        (),
        {"size": (3, 12), "mode": "bilinear", "align_corners": True},
        [numbers(*IMAGE)],
    ),
    (
        "Upsample",
        (),
        {"scale_factor": (1.3, 2.1), "mode": "bicubic", "recompute_scale_factor": True},
        [numbers(*IMAGE)],
    ),
    ("Upsample", (), {"scale_factor": 1.5, "mode": "trilinear"}, [numbers(*VOLUME)]),
    ("Upsample", (), {"size": (3, 5), "mode": "area"}, [numbers(*IMAGE)]),
    ("UpsamplingNearest2d", (), {"scale_factor": 3}, [numbers(*IMAGE)]),
    ("UpsamplingBilinear2d", ((9, 9),), {}, [numbers(*IMAGE)]),
    # convolutions
    ("Conv1d", (4, 6, 3), {}, [numbers(*SIGNAL)]),
    ("Conv1d", (4, 6, 3), {"groups": 2, "dilation": 2, "bias": False}, [numbers(4, 9)]),
    ("Conv2d", (4, 6, 3), {}, [numbers(*IMAGE)]),
    ("Conv2d", (4, 6, (3, 2)), {"stride": 2, "padding": (1, 2)}, [numbers(*IMAGE)]),
    ("Conv2d", (4, 6, (3, 2)), {"padding": "same"}, [numbers(*IMAGE)]),
    ("Conv2d", (4, 6, 3), {"padding": "valid"}, [numbers(*IMAGE)]),
    (
        "Conv2d",
        (4, 6, 3),
        {"padding": 2, "padding_mode": "circular"},
        [numbers(*IMAGE)],
    ),
    (
        "Conv2d",
        (4, 6, (3, 2)),
        {"padding": "same", "padding_mode": "reflect"},
        [numbers(*IMAGE)],
    ),
    ("Conv2d", (4, 4, 3), {"groups": 4, "padding": 1}, [numbers(*IMAGE)]),
    ("Conv3d", (4, 3, 2), {"stride": (1, 2, 1)}, [numbers(*VOLUME)]),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2}, [numbers(*SIGNAL)]),
    (
        "ConvTranspose2d",
        (4, 6, 3),
        {"stride": 2, "output_padding": 1, "groups": 2, "padding": 1},
        [numbers(*IMAGE)],
    ),
    ("ConvTranspose2d", (4, 2, 3), {"dilation": 2, "bias": False}, [numbers(*IMAGE)]),
    ("ConvTranspose3d", (4, 3, 2), {}, [numbers(*VOLUME)]),
    # pooling
    ("MaxPool1d", (2,), {}, [numbers(*SIGNAL)]),
    ("MaxPool2d", (2,), {"stride": 1, "padding": 1}, [numbers(*IMAGE)]),
    ("MaxPool2d", ((2, 3),), {"ceil_mode": True, "dilation": 2}, [numbers(*IMAGE)]),
    ("MaxPool3d", (2,), {}, [numbers(*VOLUME)]),
    ("AvgPool1d", (2,), {}, [numbers(*SIGNAL)]),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False}, [numbers(*IMAGE)]),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 4}, [numbers(*IMAGE)]),
    ("AvgPool3d", (2,), {"ceil_mode": True}, [numbers(*VOLUME)]),
    ("LPPool1d", (2, 3), {}, [numbers(*SIGNAL, low=0.1)]),
    ("LPPool2d", (3.0, (2, 3)), {"stride": 1}, [numbers(*IMAGE, low=0.1)]),
    ("AdaptiveAvgPool1d", (4,), {}, [numbers(*SIGNAL)]),
    ("AdaptiveAvgPool2d", ((3, None),), {}, [numbers(*IMAGE)]),
    ("AdaptiveAvgPool3d", (2,), {}, [numbers(*VOLUME)]),
    ("AdaptiveMaxPool1d", (4,), {}, [numbers(*SIGNAL)]),
    ("AdaptiveMaxPool2d", (1,), {}, [numbers(*IMAGE)]),
    ("AdaptiveMaxPool3d", ((1, 2, 3),), {}, [numbers(*VOLUME)]),
    ("Unfold", (2,), {"padding": 1, "stride": 2}, [numbers(*IMAGE)]),
    ("Fold", ((4, 5), 2), {}, [numbers(2, 8, 12)]),
    # padding
    ("ZeroPad1d", (1,), {}, [numbers(*SIGNAL)]),
    ("ZeroPad2d", ((1, 0, 2, 3),), {}, [numbers(*IMAGE)]),
    ("ZeroPad3d", (1,), {}, [numbers(*VOLUME)]),
    ("ConstantPad1d", ((1, 2), 3.5), {}, [numbers(*SIGNAL)]),
    ("ConstantPad2d", ((1, -1, 2, 0), 3.5), {}, [numbers(*IMAGE)]),
    ("ConstantPad3d", (1, -1.0), {}, [numbers(*VOLUME)]),
    ("ReflectionPad1d", ((3, 1),), {}, [numbers(*SIGNAL)]),
    ("ReflectionPad2d", (2,), {}, [numbers(*IMAGE)]),
    ("ReflectionPad3d", (1,), {}, [numbers(*VOLUME)]),
    ("ReplicationPad1d", ((3, 1),), {}, [numbers(*SIGNAL)]),
    ("ReplicationPad2d", (2,), {}, [numbers(*IMAGE)]),
    ("ReplicationPad3d", (1,), {}, [numbers(*VOLUME)]),
    ("CircularPad1d", ((3, 1),), {}, [numbers(*SIGNAL)]),
    ("CircularPad2d", (2,), {}, [numbers(*IMAGE)]),
    ("CircularPad3d", (1,), {}, [numbers(*VOLUME)]),
    # normalisation
    ("BatchNorm1d", (4,), {}, [numbers(5, 4)]),
    ("BatchNorm1d", (4,), {"momentum": None}, [numbers(*SIGNAL)]),
    ("BatchNorm1d", (4,), {"bias": False}, [numbers(*SIGNAL)]),
    ("BatchNorm2d", (4,), {}, [numbers(*IMAGE)]),
    ("BatchNorm2d", (4,), {"affine": False, "momentum": 0.3}, [numbers(*IMAGE)]),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, [numbers(*IMAGE)]),
    ("BatchNorm3d", (4,), {"eps": 0.1}, [numbers(*VOLUME)]),
    ("InstanceNorm1d", (4,), {}, [numbers(*SIGNAL)]),
    ("InstanceNorm1d", (4,), {"affine": True}, [numbers(4, 9)]),
    ("InstanceNorm2d", (4,), {"track_running_stats": True}, [numbers(*IMAGE)]),
    ("InstanceNorm3d", (4,), {"affine": True, "bias": False}, [numbers(*VOLUME)]),
    ("LayerNorm", (7,), {}, [numbers(*IMAGE)]),
    ("LayerNorm", ((8, 7),), {"bias": False, "eps": 0.1}, [numbers(*IMAGE)]),
    ("LayerNorm", ([7],), {"elementwise_affine": False}, [numbers(*IMAGE)]),
    ("GroupNorm", (2, 4), {}, [numbers(*IMAGE)]),
    ("GroupNorm", (4, 4), {"affine": False}, [numbers(*SIGNAL)]),
    ("GroupNorm", (1, 4), {"bias": False}, [numbers(5, 4)]),
    ("RMSNorm", (7,), {}, [numbers(*IMAGE)]),
    ("RMSNorm", ((8, 7),), {"eps": 0.1}, [numbers(*IMAGE)]),
    ("RMSNorm", (7,), {"elementwise_affine": False}, [numbers(*IMAGE)]),
    ("LocalResponseNorm", (3,), {"alpha": 0.1}, [numbers(*IMAGE)]),
    # dropout
    ("Dropout", (), {}, [numbers(4, 5)]),
    ("Dropout", (0.2,), {}, [numbers(40, 5)]),
    ("Dropout1d", (), {}, [numbers(*SIGNAL)]),
    ("Dropout2d", (0.3,), {}, [numbers(*IMAGE)]),
    ("Dropout3d", (), {}, [numbers(*VOLUME)]),
    ("AlphaDropout", (0.3,), {}, [numbers(4, 5)]),
    ("FeatureAlphaDropout", (0.3,), {}, [numbers(*IMAGE)]),
]

ACTIVATIONS = [
    ("ReLU", ()),
    ("ReLU6", ()),
    ("LeakyReLU", (0.2,)),
    ("PReLU", ()),
    ("PReLU", (4, 0.1)),
    ("Threshold", (0.1, 20.0)),
    ("Hardtanh", (-0.5, 0.7)),
    ("Hardsigmoid", ()),
    ("Hardswish", ()),
    ("Sigmoid", ()),
    ("Tanh", ()),
    ("LogSigmoid", ()),
    ("Softsign", ()),
    ("Tanhshrink", ()),
    ("SiLU", ()),
    ("Mish", ()),
    ("ELU", (0.5,)),
    ("CELU", (0.5,)),
    ("SELU", ()),
    ("GELU", ()),
    ("GELU", ("tanh",)),
    ("Softplus", (2.0, 1.0)),
    ("Hardshrink", ()),
    ("Softshrink", (0.3,)),
    ("GLU", ()),
    ("GLU", (1,)),
    ("Softmax", (1,)),
    ("Softmin", (-1,)),
    ("LogSoftmax", (0,)),
    ("Softmax2d", ()),
    ("RReLU", ()),
]
LAYERS += [(kind, args, {}, [numbers(2, 4, 3, 6)]) for kind, args in ACTIVATIONS]

PROBABILITIES = numbers(4, 5, low=0.05, high=0.95)
SIGNS = np.where(numbers(4, 5, seed=9) > 0, 1.0, -1.0)
WEIGHTS = numbers(5, low=0.1, high=1.0)
LOSSES = [
    ("L1Loss", (), {}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("MSELoss", (), {"reduction": "sum"}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("MSELoss", (), {"size_average": False}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("MSELoss", (), {"reduce": False}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("SmoothL1Loss", (), {"beta": 0.5}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("HuberLoss", (), {"delta": 0.5}, [numbers(4, 5), numbers(4, 5, seed=1)]),
    ("BCELoss", (), {}, [PROBABILITIES, PROBABILITIES[::-1]]),
    ("BCELoss", (WEIGHTS,), {}, [PROBABILITIES, PROBABILITIES[::-1]]),
    ("BCEWithLogitsLoss", (), {}, [numbers(4, 5), PROBABILITIES]),
    (
        "BCEWithLogitsLoss",
        (WEIGHTS,),
        {"pos_weight": WEIGHTS + 1},
        [numbers(4, 5), PROBABILITIES],
    ),
    ("SoftMarginLoss", (), {}, [numbers(4, 5), SIGNS]),
    ("NLLLoss", (), {}, [numbers(4, 5), integers(4)]),
    ("NLLLoss", (WEIGHTS,), {"ignore_index": 2}, [numbers(4, 5), integers(4)]),
    ("CrossEntropyLoss", (), {}, [numbers(4, 5), integers(4)]),
    ("CrossEntropyLoss", (), {}, [numbers(4, 5, 2), integers(4, 2)]),
    (
        "CrossEntropyLoss",
        (WEIGHTS,),
        {"label_smoothing": 0.1},
        [numbers(4, 5), PROBABILITIES],
    ),
    (
        "CrossEntropyLoss",
        (),
        {"ignore_index": 1, "reduction": "none", "label_smoothing": 0.2},
        [numbers(4, 5), integers(4)],
    ),
    ("MultiMarginLoss", (2, 0.5, WEIGHTS), {}, [numbers(4, 5), integers(4)]),
    (
        "MultiLabelMarginLoss",
        (),
        {},
        [numbers(2, 3), np.array([[2, -1, 0], [1, 0, -1]])],
    ),
    ("MultiLabelSoftMarginLoss", (WEIGHTS,), {}, [numbers(4, 5), (SIGNS + 1) / 2]),
    ("KLDivLoss", (), {"reduction": "batchmean"}, [numbers(4, 5), PROBABILITIES]),
    ("KLDivLoss", (), {"log_target": True, "reduction": "sum"}, [numbers(4, 5)] * 2),
    ("PoissonNLLLoss", (), {"full": True}, [numbers(4, 5), integers(4, 5) * 1.0]),
    ("PoissonNLLLoss", (False,), {}, [PROBABILITIES, integers(4, 5) * 1.0]),
    ("GaussianNLLLoss", (), {"full": True}, [numbers(4, 5), SIGNS, PROBABILITIES]),
    ("HingeEmbeddingLoss", (0.5,), {}, [numbers(4, 5), SIGNS]),
    ("MarginRankingLoss", (0.5,), {}, [numbers(5), numbers(5, seed=1), SIGNS[0]]),
    (
        "CosineEmbeddingLoss",
        (0.1,),
        {},
        [numbers(4, 5), numbers(4, 5, seed=1), SIGNS[:, 0]],
    ),
    (
        "TripletMarginLoss",
        (),
        {"swap": True, "p": 3.0},
        [numbers(4, 5), numbers(4, 5, seed=1), numbers(4, 5, seed=2)],
    ),
    (
        "TripletMarginWithDistanceLoss",
        (),
        {"margin": 0.5},
        [numbers(4, 5), numbers(4, 5, seed=1), numbers(4, 5, seed=2)],
    ),
]


def names_of(table):
    return [f"{kind}-{i}" for i, (kind, *_) in enumerate(table)]


def made(library, kind, args, options):
    """A layer with its first values, drawn from the same seed."""
    library.manual_seed(7)

    def given(value):
        return library.tensor(value) if isinstance(value, np.ndarray) else value

    return getattr(library.nn, kind)(
        *[given(arg) for arg in args],
        **{name: given(value) for name, value in options.items()},
    )


def arrays_of(state):
    return {name: np.asarray(tensor.detach()) for name, tensor in state}


def check_close(mine, theirs, rtol, atol=None):
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(
        mine, theirs, rtol=rtol, atol=rtol if atol is None else atol
    )


@pytest.mark.parametrize(
    ("kind", "args", "options", "inputs"),
    LAYERS + LOSSES,
    ids=names_of(LAYERS + LOSSES),
)
def test_first_values_and_text(kind, args, options, inputs):
    mine, theirs = [made(library, kind, args, options) for library in LIBRARIES]
    assert repr(mine) == repr(theirs)
    assert mine.training == theirs.training
    a, b = [arrays_of(module.state_dict().items()) for module in (mine, theirs)]
    assert list(a) == list(b)
    for name, values in b.items():
        assert a[name].dtype == values.dtype
        np.testing.assert_array_equal(a[name], values, err_msg=name)
    assert wengert.rand(1).item() == torch.rand(1).item(), (
        "drew another number of times"
    )
    assert dict(mine.state_dict()._metadata) == dict(theirs.state_dict()._metadata)


def run(library, module, inputs, dtype, seed=11):
    """Results and gradients of a layer."""
    given = [library.tensor(values.copy()) for values in inputs]
    given = [
        t.to(getattr(library, dtype)) if t.is_floating_point() else t for t in given
    ]
    for tensor in given[:1] if "SoftMargin" in type(module).__name__ else given:
        tensor.requires_grad_(tensor.is_floating_point())
    library.manual_seed(seed)
    result = module(*given)
    weights = numbers(*result.shape, seed=5)
    if result.requires_grad:
        (result * library.tensor(weights).to(result.dtype)).sum().backward()
    found = {"result": result}
    found |= {f"grad of input {i}": t.grad for i, t in enumerate(given)}
    found |= {f"grad of {name}": p.grad for name, p in module.named_parameters()}
    found |= {f"buffer {name}": b for name, b in module.named_buffers()}
    return {k: None if v is None else np.asarray(v.detach()) for k, v in found.items()}


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize(
    ("kind", "args", "options", "inputs"),
    LAYERS + LOSSES,
    ids=names_of(LAYERS + LOSSES),
)
def test_results_and_gradients(kind, args, options, inputs, training):
    found = []
    for library in LIBRARIES:
        module = made(library, kind, args, options).double().train(training)
        run(library, module, inputs, "float64")
        module.zero_grad()
        found.append(run(library, module, inputs, "float64", seed=12))
    mine, theirs = found
    assert list(mine) == list(theirs)
    for name, values in theirs.items():
        assert (mine[name] is None) == (values is None), name
        if values is not None:
            assert mine[name].dtype == values.dtype, name
            check_close(mine[name], values, 1e-7 if kind == "Hardsigmoid" else 1e-9)


@pytest.mark.parametrize(
    ("kind", "args", "options", "inputs"),
    LAYERS + LOSSES,
    ids=names_of(LAYERS + LOSSES),
)
def test_single_precision(kind, args, options, inputs):
    mine, theirs = [
        run(library, made(library, kind, args, options).float(), inputs, "float32")
        for library in LIBRARIES
    ]
    for name, values in theirs.items():
        if values is not None:
            assert mine[name].dtype == values.dtype, name
            check_close(mine[name], values, 2e-4, 2e-4)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@pytest.mark.parametrize(
    ("kind", "args", "options", "inputs"),
    LAYERS + LOSSES,
    ids=names_of(LAYERS + LOSSES),
)
def test_copies(kind, args, options, inputs, copied):
    module = made(wengert, kind, args, options).eval()
    twin = copied(module)
    assert repr(twin) == repr(module)
    assert not twin.training
    for (name, a), (other, b) in zip(
        module.state_dict().items(), twin.state_dict().items(), strict=True
    ):
        assert name == other
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a is not b
        assert not np.shares_memory(a.numpy(), b.numpy())


IN_PLACE = [
    ("ReLU", ()),
    ("ReLU6", ()),
    ("LeakyReLU", (0.2,)),
    ("RReLU", (0.1, 0.2)),
    ("Threshold", (0.1, 20.0)),
    ("Hardtanh", (-0.5, 0.7)),
    ("Hardsigmoid", ()),
    ("Hardswish", ()),
    ("SiLU", ()),
    ("Mish", ()),
    ("ELU", (0.5,)),
    ("CELU", (0.5,)),
    ("SELU", ()),
    ("Dropout", (0.4,)),
]


@pytest.mark.parametrize(("kind", "args"), IN_PLACE, ids=[kind for kind, _ in IN_PLACE])
def test_in_place(kind, args):
    found = []
    for library in LIBRARIES:
        module = getattr(library.nn, kind)(*args, inplace=True)
        leaf = library.tensor(numbers(3, 4), requires_grad=True)
        x = leaf * 1
        library.manual_seed(0)
        result = module(x)
        assert result is x or result.data_ptr() == x.data_ptr()
        (result * library.tensor(numbers(3, 4, seed=1))).sum().backward()
        found.append((np.asarray(result.detach()), leaf.grad.numpy(), repr(module)))
    tolerance = 1e-7 if kind == "Hardsigmoid" else 1e-12  # PyTorch's 1/6 is single
    check_close(found[0][0], found[1][0], tolerance)
    check_close(found[0][1], found[1][1], tolerance)
    assert found[0][2] == found[1][2]


WRITING = {
    "relu_": (),
    "elu_": (0.5,),
    "celu_": (0.5,),
    "selu_": (),
    "leaky_relu_": (0.2,),
    "rrelu_": (0.1, 0.3),
    "hardtanh_": (-0.5, 0.5),
    "threshold_": (0.1, 9.0),
}


@pytest.mark.parametrize(("name", "args"), WRITING.items(), ids=WRITING)
def test_functions_that_write_into_their_input(name, args):
    found = []
    for library in LIBRARIES:
        x = library.tensor(numbers(3, 4))
        assert getattr(library.nn.functional, name)(x, *args) is x
        found.append(x.numpy())
    check_close(*found, 1e-12)


MODELS = {
    "perceptron": lambda nn: nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 4)
    ),
    "convolutional": lambda nn: nn.Sequential(
        nn.Unflatten(1, (2, 2, 2)),
        nn.Conv2d(2, 3, 3, padding=1, bias=False),
        nn.BatchNorm2d(3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(3, 4),
    ),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_training_gives_pytorchs_losses(make):
    found = []
    for library in LIBRARIES:
        library.manual_seed(0)
        model = make(library.nn)
        optimizer = library.optim.AdamW(model.parameters(), lr=0.01)
        losses = []
        for _ in range(30):
            x, y = library.randn(16, 8), library.randint(4, (16,))
            optimizer.zero_grad()
            loss = library.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            library.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            losses.append(loss.item())
        found.append(losses)
    np.testing.assert_allclose(found[0], found[1], rtol=2e-4)


def test_pytorchs_state_gives_pytorchs_results():
    theirs = MODELS["convolutional"](torch.nn)
    theirs(torch.randn(5, 8))
    mine = MODELS["convolutional"](wengert.nn)
    state = {name: wengert.tensor(t.numpy()) for name, t in theirs.state_dict().items()}
    mine.load_state_dict(state)
    x = numbers(3, 8).astype("f4")
    check_close(
        mine.eval()(wengert.tensor(x)).detach().numpy(),
        theirs.eval()(torch.tensor(x)).detach().numpy(),
        1e-5,
    )


# --- what only some layers have -------------------------------------------------------


def test_transposed_convolution_of_a_given_size():
    found = []
    for library in LIBRARIES:
        module = made(
            library, "ConvTranspose2d", (2, 3, 3), {"stride": 2, "padding": 1}
        )
        x = library.tensor(numbers(1, 2, 5, 6).astype("f4"))
        found.append(module(x, output_size=(10, 11)).detach().numpy())
        with pytest.raises(ValueError, match="valid sizes range from"):
            module(x, output_size=(20, 11))
    check_close(*found, 1e-5)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_pooling_and_back(dims):
    found = []
    for library in LIBRARIES:
        nn = library.nn
        pool = getattr(nn, f"MaxPool{dims}d")(3, stride=2, return_indices=True)
        back = getattr(nn, f"MaxUnpool{dims}d")(3, stride=2)
        x = library.tensor(numbers(*(2, 4, 6, 7, 9)[: dims + 2]), requires_grad=True)
        y, places = pool(x)
        z = back(y, places, output_size=x.shape)
        (z * z).sum().backward()
        found.append(
            (z.detach().numpy(), x.grad.numpy(), back(y, places).detach().numpy())
        )
    for mine, theirs in zip(*found, strict=True):
        check_close(mine, theirs, 1e-12)


def test_embedding_from_pretrained():
    table = wengert.tensor(numbers(4, 3))
    frozen = wengert.nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad
    assert np.shares_memory(frozen.weight.detach().numpy(), table.numpy())
    assert wengert.nn.Embedding.from_pretrained(
        table, freeze=False
    ).weight.requires_grad
    with pytest.raises(AssertionError, match="2-dimensional"):
        wengert.nn.Embedding.from_pretrained(wengert.ones(3))


def test_bags_are_checked():
    bags, indices = wengert.nn.EmbeddingBag(3, 2), wengert.tensor([[0, 1], [2, 0]])
    with pytest.raises(ValueError, match="if input is 2D, then offsets has to be None"):
        bags(indices, wengert.tensor([0]))
    with pytest.raises(ValueError, match="offsets has to be a 1D Tensor"):
        bags(indices[0])
    with pytest.raises(NotImplementedError, match="only supported for mode='sum'"):
        bags(indices, per_sample_weights=wengert.ones(2, 2))


def test_data_parallel_calls_its_module():
    model = wengert.nn.DataParallel(wengert.nn.Linear(2, 3))
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    x = wengert.ones(1, 2)
    assert model(x).tolist() == model.module(x).tolist()


def test_batch_norm_of_the_first_version_is_loaded():
    module = wengert.nn.BatchNorm1d(3)
    state = module.state_dict()
    del state["num_batches_tracked"]
    del state._metadata
    module.load_state_dict(state)


MISTAKES = {
    "channels": lambda nn, t: nn.Conv2d(3, 4, 1, groups=2),
    "output channels": lambda nn, t: nn.Conv2d(4, 3, 1, groups=2),
    "groups": lambda nn, t: nn.Conv2d(4, 4, 1, groups=0),
    "same": lambda nn, t: nn.Conv2d(4, 4, 1, stride=2, padding="same"),
    "transposed": lambda nn, t: nn.ConvTranspose2d(1, 1, 1, padding_mode="reflect"),
    "dropout": lambda nn, t: nn.Dropout(1.5),
    "hardtanh": lambda nn, t: nn.Hardtanh(1, -1),
    "softmax2d": lambda nn, t: nn.Softmax2d()(t.ones(2, 2)),
    "norm 1d": lambda nn, t: nn.BatchNorm1d(2)(t.ones(2, 2, 2, 2)),
    "norm 2d": lambda nn, t: nn.BatchNorm2d(2)(t.ones(2, 2)),
    "norm 3d": lambda nn, t: nn.BatchNorm3d(2)(t.ones(2, 2)),
    "one value": lambda nn, t: nn.BatchNorm1d(2)(t.ones(1, 2)),
    "groups of channels": lambda nn, t: nn.GroupNorm(3, 4),
    "instance": lambda nn, t: nn.InstanceNorm2d(3, affine=True)(t.ones(2, 2, 4, 4)),
    "padding row": lambda nn, t: nn.Embedding(3, 2, padding_idx=3),
    "margin": lambda nn, t: nn.TripletMarginLoss(margin=-1),
    "power": lambda nn, t: nn.MultiMarginLoss(p=3),
    "unknown option": lambda nn, t: nn.ReLU(slope=1),
    "missing option": lambda nn, t: nn.Threshold(1),
    "no size": lambda nn, t: nn.Upsample()(t.ones(1, 1, 3)),
    "two sizes": lambda nn, t: nn.Upsample(2, 2)(t.ones(1, 1, 3)),
    "sizes of other dimensions": lambda nn, t: nn.Upsample((2, 2))(t.ones(1, 1, 3)),
    "factors of others": lambda nn, t: nn.Upsample(scale_factor=(2, 2))(
        t.ones(1, 1, 3)
    ),
    "mode of others": lambda nn, t: nn.Upsample(2, mode="bilinear")(t.ones(1, 1, 3)),
    "corners": lambda nn, t: nn.Upsample(2, align_corners=True)(t.ones(1, 1, 3)),
    "recomputed": lambda nn, t: nn.Upsample(2, recompute_scale_factor=True)(
        t.ones(1, 1, 3)
    ),
    "shuffle": lambda nn, t: nn.PixelShuffle(2)(t.ones(1, 3, 2, 2)),
    "unshuffle": lambda nn, t: nn.PixelUnshuffle(2)(t.ones(1, 3, 3, 2)),
    "few dimensions": lambda nn, t: nn.PixelShuffle(2)(t.ones(2, 2)),
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_as_pytorch_tells_them(call):
    told = []
    for library in LIBRARIES:
        with pytest.raises(Exception) as caught:
            call(library.nn, library)
        told.append((caught.type.__name__, str(caught.value)))
    assert told[0] == told[1]


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_dropout_of_what_is_transposed(order):
    found = []
    for library in LIBRARIES:
        library.manual_seed(0)
        x = library.ones(2, 3, 4).permute(order)
        y = library.nn.functional.dropout(x, 0.5)
        found.append((y.tolist(), y.stride(), library.rand(1).item()))
    assert found[0] == found[1]
