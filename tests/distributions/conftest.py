"""What PyTorch checks does not depend on the tests that ran before."""

import pytest
import torch


@pytest.fixture(autouse=True)
def pytorch_validates() -> None:
    """Switch on the checks that PyTorch's compiler switches off for the process."""
    torch.distributions.Distribution.set_default_validate_args(True)
