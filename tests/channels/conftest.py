"""Property tests here measure no time: a busy machine must not fail them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import settings

from channels import registry

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=sorted(registry.kinds()))
def platform(request: pytest.FixtureRequest) -> Any:
    """Return the module that plays a channel's other end; a test with it runs once per channel."""
    return importlib.import_module(f"tests.channels.platform_{request.param}")
