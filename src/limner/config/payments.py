"""What pictures cost whom: whether credits count, which packs are sold, and Stripe."""

from dataclasses import dataclass, field

from limner.config.environment import MOST, BadConfiguration, Environment
from limner.credits.packs import DEFAULT_PACKS, Pack


@dataclass(frozen=True, kw_only=True)
class Payments:
    billing: bool = True
    packs: tuple[Pack, ...] = DEFAULT_PACKS
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_base_url: str = "https://api.stripe.com"


def read_payments(env: Environment) -> Payments:
    return Payments(
        billing=env.switch("BILLING", default=True),
        packs=_packs(env),
        stripe_secret_key=env.text("STRIPE_SECRET_KEY"),
        stripe_webhook_secret=env.text("STRIPE_WEBHOOK_SECRET"),
        stripe_base_url=env.url("STRIPE_BASE_URL") or "https://api.stripe.com",
    )


def _packs(env: Environment) -> tuple[Pack, ...]:
    """`100=5.00,500=22.50`: credits and US dollars."""
    words = env.words("PACKS")
    packs = tuple(_pack(word) for word in words) if words else DEFAULT_PACKS
    if len({pack.id for pack in packs}) < len(packs):
        raise BadConfiguration("LIMNER_PACKS has two packs of the same size.")
    return packs


def _pack(word: str) -> Pack:
    credit_count, separator, price = word.partition("=")
    try:
        pack = Pack(int(credit_count), round(float(price) * 100))
    except (ValueError, OverflowError):
        pack = Pack(0, 0)
    if not separator or not (0 < pack.credits <= MOST and 0 < pack.price_cents <= MOST):
        raise BadConfiguration(f"LIMNER_PACKS has '{word}', but must look like 100=5.00,500=22.50 (credits=dollars).")
    return pack
