import numpy as np
import pytest
import torch

from wengert.primitives.matmul import batched_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 40, 30)], ids=["small", "large"])
def test_outer_products_of_what_is_not_finite_equal_torch(shape, dtype):
    count, height, width = shape
    random = np.random.default_rng(0)
    columns = random.standard_normal((count, height, 1)).astype(dtype)
    rows = random.standard_normal((count, 1, width)).astype(dtype)
    columns[0, :3, 0] = np.inf, np.nan, 0
    rows[0, 0, :3] = 0, -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        found = batched_product(columns, rows)
    expected = torch.bmm(torch.from_numpy(columns), torch.from_numpy(rows))
    np.testing.assert_array_equal(found, expected.numpy(), strict=True)
