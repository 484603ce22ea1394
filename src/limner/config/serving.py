"""How calls are served: the edition, what callers may ask for, how long things may take, who is trusted."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from limner.config.environment import Environment, Network

Edition = Literal["native", "getimages", "image-mcp"]


@dataclass(frozen=True, kw_only=True)
class Serving:
    edition: Edition = "native"
    rate_limit: int = 60
    queue_per_account: int = 1000
    trusted_proxies: tuple[Network, ...] = ()
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    max_body_bytes: int = 32 * 1024 * 1024
    generation_deadline_seconds: int = 900
    queue_deadline_seconds: int = 3600
    drain_seconds: int = 120
    runs_generations: bool = True
    default_model: str | None = None
    catalog_path: Path | None = None


def read_serving(env: Environment) -> Serving:
    return Serving(
        edition=env.choice("EDITION", ("native", "getimages", "image-mcp"), "native"),
        rate_limit=env.number("RATE_LIMIT", 60),
        queue_per_account=env.number("QUEUE_PER_ACCOUNT", 1000, at_least=1),
        trusted_proxies=env.networks("TRUSTED_PROXIES"),
        secret_keys=env.words("SECRET_KEYS"),
        max_body_bytes=env.number("MAX_BODY_BYTES", 32 * 1024 * 1024, at_least=1024),
        generation_deadline_seconds=env.number("GENERATION_DEADLINE_SECONDS", 900, at_least=1),
        queue_deadline_seconds=env.number("QUEUE_DEADLINE_SECONDS", 3600, at_least=1),
        drain_seconds=env.number("DRAIN_SECONDS", 120),
        runs_generations=env.switch("RUN_GENERATIONS", default=True),
        default_model=env.text("DEFAULT_MODEL"),
        catalog_path=env.existing_file("CATALOG"),
    )
