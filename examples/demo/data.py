"""scikit-learn's bundled digits: 1,797 scans of 8 × 8 pixels."""

from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import wengert as torch


class Samples(NamedTuple):
    """Images, shape (count, 1, 8, 8), from 0 to 1, and the digits they show."""

    images: torch.Tensor
    labels: torch.Tensor


def load(seed: int) -> tuple[Samples, Samples]:
    """Split off a quarter for the test, each digit in its share; the rest is to learn.

    Returns:
        The samples for training and those for the test.
    """
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    rows = train_test_split(
        np.arange(len(labels)), test_size=0.25, stratify=labels, random_state=seed
    )
    train, test = (
        Samples(torch.tensor(images[part]), torch.tensor(labels[part])) for part in rows
    )
    return train, test
