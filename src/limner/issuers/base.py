"""What every issuer can do for us: send a person's browser to be asked, and turn the answer into an identity."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One issuer as an operator set it up. The id `github` is GitHub's wire, at github.com or a server of one's own."""

    id: str
    name: str
    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What ties an answer to the browser and the moment it was asked in. `challenge` is PKCE's, of `verifier`."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back through the browser; `issuer` is who it says is answering (RFC 9207), if it does."""

    code: str
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """An issuer's word for a person. Only `issuer` and `subject` together are theirs for good.

    `email` is there only where the issuer has confirmed it; `label` is how the person knows this identity.
    """

    issuer: str
    subject: str
    email: str | None
    name: str | None
    label: str


class NotVouched(Exception):
    """The issuer did not vouch for anybody, or not so that it can be believed; the message is for the log."""


class Issuer(Protocol):
    """`id` stands in our addresses, `name` on our buttons, `issuer` is what its identities say they are of."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def issuer(self) -> str: ...

    async def question_url(self, question: Question) -> str:
        """Where the browser goes to be asked; raises NotVouched when the issuer cannot be reached."""
        ...

    async def identity(self, answer: Answer, question: Question) -> Identity:
        """Who it is; raises NotVouched."""
        ...
