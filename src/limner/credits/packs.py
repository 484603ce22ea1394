"""What can be bought."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pack:
    """Credits that can be bought: how many, for how many US cents."""

    credits: int
    price_cents: int

    @property
    def id(self) -> str:
        return f"credits-{self.credits}"


DEFAULT_PACKS = (Pack(100, 500), Pack(500, 2250), Pack(1200, 4800))
