"""How people and clients come in: sign-up, mail, OAuth, and the issuers one can sign in with."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from limner.config.environment import BadConfiguration, Environment
from limner.issuers.base import IssuerSettings

SignUp = Literal["closed", "invite", "open"]
KNOWN_ISSUERS = {"google": ("Google", "https://accounts.google.com"), "github": ("GitHub", "https://github.com")}
_ISSUER_VARIABLE = re.compile(
    r"LIMNER_OIDC_(?:([A-Z0-9]+(?:_[A-Z0-9]+)*)_)?(?:ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL|SCOPES)(?:_FILE)?"
)


@dataclass(frozen=True, kw_only=True)
class SigningIn:
    sign_up: SignUp = "closed"
    sign_up_credits: int = 100
    oauth: bool = True
    reads_client_documents: bool = False
    smtp_url: str | None = field(default=None, repr=False)
    issuers: tuple[IssuerSettings, ...] = ()


def read_signing_in(env: Environment, public_url: str) -> SigningIn:
    return SigningIn(
        sign_up=env.choice("SIGNUP", ("closed", "invite", "open"), "closed"),
        sign_up_credits=env.number("SIGNUP_CREDITS", 100),
        oauth=env.switch("OAUTH", default=True),
        reads_client_documents=env.switch("OAUTH_DOCUMENTS", default=public_url.startswith("https:")),
        smtp_url=env.text("SMTP_URL"),
        issuers=_issuers(env),
    )


def _issuers(env: Environment) -> tuple[IssuerSettings, ...]:
    """`LIMNER_OIDC_GOOGLE_CLIENT_ID` and so on: what stands between is the issuer's id; nothing is `oidc`."""
    ids: set[str] = set()
    for variable in env.beginning_with("LIMNER_OIDC_"):
        found = _ISSUER_VARIABLE.fullmatch(variable)
        if found is None:
            raise BadConfiguration(
                f"{variable} is not a setting; it must end in ISSUER, CLIENT_ID, CLIENT_SECRET, LABEL or SCOPES."
            )
        ids.add((found[1] or "").lower().replace("_", "-"))
    return tuple(_issuer(env, issuer_id) for issuer_id in sorted(ids, key=_issuer_order))


def _issuer_order(issuer_id: str) -> tuple[int, str]:
    """Those everybody knows first."""
    known = list(KNOWN_ISSUERS)
    return (known.index(issuer_id), issuer_id) if issuer_id in known else (len(known), issuer_id)


def _issuer(env: Environment, issuer_id: str) -> IssuerSettings:
    start = f"OIDC_{issuer_id.upper().replace('-', '_')}_" if issuer_id else "OIDC_"
    label, usual = KNOWN_ISSUERS.get(issuer_id, (issuer_id.replace("-", " ").title() or "single sign-on", None))
    address = _issuer_address(env, start, usual)
    client_id, secret = env.text(f"{start}CLIENT_ID"), env.text(f"{start}CLIENT_SECRET")
    if client_id is None:
        raise BadConfiguration(f"LIMNER_{start}CLIENT_ID is needed to sign in with {address}.")
    if issuer_id == "github" and secret is None:
        raise BadConfiguration(f"LIMNER_{start}CLIENT_SECRET is needed: GitHub knows no clients without a secret.")
    scopes = tuple((env.text(f"{start}SCOPES") or "openid email profile").split())
    if "openid" not in scopes:
        raise BadConfiguration(f"LIMNER_{start}SCOPES must hold openid.")
    name = env.text(f"{start}LABEL") or label
    return IssuerSettings(issuer_id or "oidc", name, address, client_id, secret, scopes)


def _issuer_address(env: Environment, start: str, usual: str | None) -> str:
    address = env.url(f"{start}ISSUER") or usual
    if address is None:
        raise BadConfiguration(f"LIMNER_{start}ISSUER is needed: the https address of the OpenID Connect issuer.")
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise BadConfiguration(f"LIMNER_{start}ISSUER is '{address}', but must be an https:// address.")
    return address
