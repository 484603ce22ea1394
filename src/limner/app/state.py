"""What the process knows about itself."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class State:
    """Whether it was told to end, and whether it was told twice."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    pressed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stopping(self) -> bool:
        return self.told.is_set()

    def stop(self) -> None:
        """From now on not ready, and nothing more is claimed."""
        self.told.set()

    def tell(self) -> None:
        """A signal came: the first asks, the second insists."""
        if self.stopping:
            self.press()
        else:
            self.stop()

    def press(self) -> None:
        """Wait for nobody any more."""
        self.told.set()
        self.pressed.set()
