"""What operators watch: counters and histograms, told where things happen and read at /metrics.

One process keeps its own. Several (`serve --workers`) share a directory, named by `PROMETHEUS_MULTIPROC_DIR` before
this module is loaded, and each of them then answers for all.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from limner import __version__

REGISTRY = CollectorRegistry()
"""Ours alone: the process's own figures come from whoever runs it."""

SHARED_DIR = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60, 120, 300, 900)


def exposition() -> bytes:
    """All figures in Prometheus's text format; those of every process where several share a directory."""
    if SHARED_DIR not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def _gauge(name: str, says: str) -> Gauge:
    """Read from what all processes share, so that the newest reading is the right one."""
    return Gauge(name, says, registry=REGISTRY, multiprocess_mode="mostrecent")


BUILD = Gauge(
    "limner_build_info",
    "Always 1; the label says which version.",
    ["version"],
    registry=REGISTRY,
    multiprocess_mode="max",
)
BUILD.labels(__version__).set(1)

REQUESTS = Counter("limner_requests", "Requests answered.", ["door", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "limner_request_seconds",
    "From the request to the end of its answer.",
    ["door"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
GENERATIONS = Counter(
    "limner_generations", "Generations that ended.", ["door", "model", "provider", "status", "code"], registry=REGISTRY
)
GENERATION_SECONDS = Histogram(
    "limner_generation_seconds", "From claim to picture.", ["door", "model"], buckets=_SECONDS, registry=REGISTRY
)
QUEUE_SECONDS = Histogram(
    "limner_queue_seconds", "From call to claim.", ["provider"], buckets=_SECONDS, registry=REGISTRY
)
PROVIDER_SECONDS = Histogram(
    "limner_provider_seconds",
    "One order to a supplier, whatever came of it.",
    ["provider"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
PROVIDER_ERRORS = Counter(
    "limner_provider_errors", "Orders that failed, those tried again included.", ["provider", "code"], registry=REGISTRY
)
CREDITS_CHARGED = Counter("limner_credits_charged", "Credits captured.", ["model"], registry=REGISTRY)
UPSTREAM_COST_USD = Counter(
    "limner_upstream_cost_usd", "What suppliers say they billed.", ["provider"], registry=REGISTRY
)
STORE_ERRORS = Counter("limner_store_errors", "Pictures that could not be stored at once.", registry=REGISTRY)

DATABASE_UP = _gauge("limner_database_up", "1 where the database answered when these figures were asked for.")
QUEUED = _gauge("limner_queued_generations", "Generations that wait for a place.")
OLDEST_QUEUED_SECONDS = _gauge("limner_oldest_queued_seconds", "How long the first of them has waited.")
RUNNING = _gauge("limner_running_generations", "Generations that run.")
OPEN_HOLDS = _gauge("limner_open_holds", "Holds that have not ended.")
HELD_CREDITS = _gauge("limner_held_credits", "Credits set aside by open holds.")
AUDIT_PROBLEMS = _gauge("limner_audit_problems", "What the last audit found wrong; anything but 0 is an alarm.")
AUDITED_AT = _gauge("limner_audit_timestamp_seconds", "When the last audit ran; 0 before the first.")
PROVIDERS_DOWN = Gauge(
    "limner_providers_down", "Suppliers whose circuit is open.", registry=REGISTRY, multiprocess_mode="livemax"
)
