"""What operators see of a running server: metrics, traces, error reports and the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from limner.config.environment import Environment

LogFormat = Literal["auto", "text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Observing:
    metrics_token: str | None = field(default=None, repr=False)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    sentry_dsn: str | None = field(default=None, repr=False)
    log: LogFormat = "auto"
    log_level: LogLevel = "info"
    log_prompts: bool = False


def read_observing(env: Environment) -> Observing:
    return Observing(
        metrics_token=env.text("METRICS_TOKEN"),
        metrics_host=env.text("METRICS_HOST") or "127.0.0.1",
        metrics_port=env.number("METRICS_PORT", 0, at_least=1) or None,
        otlp_endpoint=env.url("OTLP_ENDPOINT"),
        otlp_headers=env.pairs("OTLP_HEADERS"),
        sentry_dsn=env.text("SENTRY_DSN"),
        log=env.choice("LOG", ("auto", "text", "json"), "auto"),
        log_level=env.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
        log_prompts=env.switch("LOG_PROMPTS", default=False),
    )
