"""What tests share."""

import os

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    """No variable and no settings file of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("BOTANU_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
