"""Every test of this folder asks stores as somebody."""

import pytest


@pytest.fixture(autouse=True)
def asked_as_somebody(credentials: None) -> None:
    """Have the credentials in the environment."""
