"""Settings that were mistyped, and what was probably meant."""

import os
from difflib import get_close_matches

from limner.config import Config


def similar(name: str) -> str | None:
    """The setting whose name is nearest; None where nothing is near."""
    named = name.removesuffix("_FILE")
    return next(iter(get_close_matches(named, Config.names(os.environ), n=1, cutoff=0.8)), None)
