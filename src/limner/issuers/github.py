"""GitHub, or a GitHub Enterprise server: OAuth without an ID token, so that its API is asked who came.

GitHub knows no nonce and may not name itself in the answer; state, PKCE and a redirect address of its own tie the answer
to the question.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from limner.issuers import wire
from limner.issuers.base import Answer, Identity, NotVouched, Question
from limner.issuers.pkce import challenge_of

ORIGIN = "https://github.com"
API_OF_ORIGIN = "https://api.github.com"
API_VERSION = "2022-11-28"


@dataclass(frozen=True, slots=True)
class GitHub:
    id: str
    name: str
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    http: httpx2.AsyncClient

    async def question_url(self, question: Question) -> str:
        return wire.with_query(
            f"{self.issuer}/login/oauth/authorize",
            {
                "client_id": self.client_id,
                "redirect_uri": question.redirect_uri,
                "scope": "read:user user:email",
                "state": question.state,
                "code_challenge": challenge_of(question.verifier),
                "code_challenge_method": "S256",
            },
        )

    async def identity(self, answer: Answer, question: Question) -> Identity:
        if answer.issuer not in (None, self.issuer, f"{self.issuer}/login/oauth"):
            raise NotVouched("the answer came from another issuer")
        headers = {
            "Authorization": f"Bearer {await self._token(answer.code, question)}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
        }
        person = wire.table(await wire.get(self.http, f"{self._api}/user", headers), "the user")
        number, login = person.get("id"), wire.text(person, "login", 200)
        if not isinstance(number, int) or isinstance(number, bool) or login is None:
            raise NotVouched("GitHub did not say who it is")
        emails = await wire.get(self.http, f"{self._api}/user/emails", headers)
        return Identity(self.issuer, str(number), _confirmed(emails), wire.text(person, "name", 200), f"@{login}")

    async def _token(self, code: str, question: Question) -> str:
        """GitHub says what is wrong with status 200."""
        form = {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "code": code,
            "redirect_uri": question.redirect_uri,
            "code_verifier": question.verifier,
        }
        said = wire.table(
            await wire.post(self.http, f"{self.issuer}/login/oauth/access_token", form), "the token answer"
        )
        token = wire.text(said, "access_token")
        if token is None:
            raise NotVouched(f"GitHub gave no token: {str(said.get('error'))[:100]}")
        return token

    @property
    def _api(self) -> str:
        return API_OF_ORIGIN if self.issuer == ORIGIN else f"{self.issuer}/api/v3"


def _confirmed(emails: Any) -> str | None:
    """The primary address, if it is confirmed."""
    if not isinstance(emails, list):
        return None
    for each in cast("list[Any]", emails):
        if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True:  # pyright: ignore[reportUnknownMemberType]
            return wire.text(cast("wire.Json", each), "email", 320)
    return None
