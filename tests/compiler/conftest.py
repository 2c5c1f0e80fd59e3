"""Fixtures of the compiler's tests."""

import pytest


@pytest.fixture(params=["numpy", "llvm"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    return request.param
