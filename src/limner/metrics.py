"""What operators watch: counters and histograms, told where things happen and read at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""Ours alone: the process's own figures come from whoever runs it."""

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60, 120, 300, 900)

REQUESTS = Counter("limner_requests", "Requests answered.", ["door", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "limner_request_seconds",
    "From the request to the end of its answer.",
    ["door"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
GENERATIONS = Counter(
    "limner_generations", "Generations that ended.", ["model", "provider", "status", "code"], registry=REGISTRY
)
GENERATION_SECONDS = Histogram(
    "limner_generation_seconds", "From claim to picture.", ["model"], buckets=_SECONDS, registry=REGISTRY
)
CREDITS_CHARGED = Counter("limner_credits_charged", "Credits captured.", ["model"], registry=REGISTRY)
UPSTREAM_COST_USD = Counter(
    "limner_upstream_cost_usd", "What suppliers say they billed.", ["provider"], registry=REGISTRY
)

QUEUED = Gauge("limner_queued_generations", "Generations that wait for a place.", registry=REGISTRY)
OLDEST_QUEUED_SECONDS = Gauge(
    "limner_oldest_queued_seconds", "How long the first of them has waited.", registry=REGISTRY
)
OPEN_HOLDS = Gauge("limner_open_holds", "Holds that have not ended.", registry=REGISTRY)
HELD_CREDITS = Gauge("limner_held_credits", "Credits set aside by open holds.", registry=REGISTRY)
AUDIT_PROBLEMS = Gauge(
    "limner_audit_problems", "What the last audit found wrong; anything but 0 is an alarm.", registry=REGISTRY
)
PROVIDERS_DOWN = Gauge("limner_providers_down", "Suppliers whose circuit is open.", registry=REGISTRY)
