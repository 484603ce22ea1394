"""Who looks at a page: signed in or not, which theme, and how their account stands."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.requests import Request

from limner.accounts.principal import Principal
from limner.accounts.sessions import Session
from limner.errors import Unauthorized
from limner.http.sessions import cookie_of

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on every page about money: credits to spend, credits held, whole days they last (None: no use lately), and whether
    that is below the line at which the account wants to be told."""

    available: int
    held: int
    days_left: int | None
    is_low: bool

    @property
    def pace(self) -> str:
        """How long that lasts, in words; only where something was spent lately."""
        days = self.days_left or 0
        if days > 365:
            return "More than a year at this week's pace"
        return f"About {days} day{'' if days == 1 else 's'} at this week's pace"


@dataclass(frozen=True, slots=True)
class Visitor:
    request: Request
    session: Session | None
    standing: Standing | None

    @property
    def theme(self) -> str:
        """What the visitor chose; empty lets their system decide."""
        chosen = cookie_of(self.request.scope, "theme")
        return chosen if chosen in THEMES else ""

    @property
    def shortcuts(self) -> bool:
        return cookie_of(self.request.scope, "shortcuts") != "off"

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def request_id(self) -> str:
        return str(self.request.scope.get("limner.request_id", ""))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.session.time_zone if self.session else "UTC")

    @property
    def is_live(self) -> bool:
        """Whether the request asks for a fragment to put into the page that is open."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def principal(self) -> Principal:
        return self.signed_in.principal()

    @property
    def signed_in(self) -> Session:
        if self.session is None:
            raise Unauthorized()
        return self.session
