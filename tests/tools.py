"""What a test does when the machine lacks a tool it needs."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test; in continuous integration, where everything has to be there, fail it."""
    if os.environ.get("LIMNER_CI"):
        pytest.fail(f"continuous integration needs {what}")
    pytest.skip(f"needs {what}")
