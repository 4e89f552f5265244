"""Credentials for every test of this folder."""

import pytest


@pytest.fixture(autouse=True)
def asked_as_somebody(credentials: None) -> None:
    """Have the credentials in the environment."""
