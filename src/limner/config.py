"""The settings of one server: the only place that reads the environment.

Every variable is `LIMNER_NAME`, or `LIMNER_NAME_FILE` with the path of a file that holds the value
(docs/operate/configuration.md lists them all). A wrong value raises `BadConfiguration` with one sentence.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from limner.credits.packs import DEFAULT_PACKS, Pack
from limner.db.url import sqlite_path
from limner.issuers.base import IssuerSettings

Edition = Literal["native", "getimages", "image-mcp"]
SignUp = Literal["closed", "invite", "open"]
LogFormat = Literal["auto", "text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
C = TypeVar("C", bound=str)
OTHERS = ("LIMNER_URL", "LIMNER_API_KEY")
"""What the client commands read."""

MOST = 10**9
"""No number here needs to be larger, and none that is would fit what it is counted in."""


class BadConfiguration(Exception):
    """A setting cannot be used; the message is one sentence for the person who starts the server."""


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """How to reach one supplier: its address, the key, and the variable the key came from."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    key_source: str | None = None


KNOWN_ISSUERS = {"google": ("Google", "https://accounts.google.com"), "github": ("GitHub", "https://github.com")}
_ISSUER_VARIABLE = re.compile(
    r"LIMNER_OIDC_(?:([A-Z0-9]+(?:_[A-Z0-9]+)*)_)?(?:ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL|SCOPES)(?:_FILE)?"
)


@dataclass(frozen=True, slots=True)
class Config:
    data_dir: Path
    database_url: str = field(repr=False)
    blobs_url: str
    public_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    blobs_endpoint: str | None = None
    x_accel: str | None = None
    edition: Edition = "native"
    billing: bool = True
    sign_up: SignUp = "closed"
    sign_up_credits: int = 100
    rate_limit: int = 60
    queue_per_account: int = 1000
    oauth: bool = True
    reads_client_documents: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    max_body_bytes: int = 32 * 1024 * 1024
    packs: tuple[Pack, ...] = DEFAULT_PACKS
    metrics_token: str | None = field(default=None, repr=False)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    sentry_dsn: str | None = field(default=None, repr=False)
    generation_deadline_seconds: int = 900
    queue_deadline_seconds: int = 3600
    drain_seconds: int = 120
    runs_generations: bool = True
    default_model: str | None = None
    catalog_path: Path | None = None
    openai: ProviderAccess = ProviderAccess()
    google: ProviderAccess = ProviderAccess()
    openrouter: ProviderAccess = ProviderAccess()
    bfl: ProviderAccess = ProviderAccess()
    compatible: ProviderAccess = ProviderAccess()
    compatible_models: tuple[str, ...] = ()
    comfyui_url: str | None = None
    comfyui_workflow: Path | None = None
    diffusers_dir: Path | None = None
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_base_url: str = "https://api.stripe.com"
    smtp_url: str | None = field(default=None, repr=False)
    issuers: tuple[IssuerSettings, ...] = ()
    c2pa_certificate: str | None = None
    c2pa_key: str | None = field(default=None, repr=False)
    c2pa_trust: str | None = None
    log: LogFormat = "auto"
    log_level: LogLevel = "info"
    log_prompts: bool = False
    unknown: tuple[str, ...] = ()
    """What is set and nobody reads: mostly a name that was mistyped."""

    @classmethod
    def names(cls, environ: Mapping[str, str]) -> list[str]:
        """Every setting that is read."""
        env = _Environment(environ)
        cls._read(env, environ, None, None)
        return env.names()

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, *, host: str | None = None, port: int | None = None
    ) -> "Config":
        """Read the environment; `host` and `port` come from the command line and win."""
        return cls._read(_Environment(environ), environ, host, port)

    @classmethod
    def _read(cls, env: "_Environment", environ: Mapping[str, str], host: str | None, port: int | None) -> "Config":
        data_dir = Path(env.text("DATA_DIR") or default_data_dir(environ)).expanduser().absolute()
        port = port if port is not None else env.number("PORT", 8000, at_most=65535)
        runs_generations = env.switch("RUN_GENERATIONS", default=True)
        if not runs_generations and env.database_url(data_dir).startswith("sqlite:"):
            raise BadConfiguration(
                "LIMNER_RUN_GENERATIONS=off needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
                "a SQLite file has one serving process, which runs everything."
            )
        return cls(
            data_dir=data_dir,
            database_url=env.database_url(data_dir),
            blobs_url=env.text("BLOBS_URL") or f"file://{data_dir / 'blobs'}",
            blobs_endpoint=env.url("BLOBS_ENDPOINT"),
            x_accel=env.x_accel(),
            public_url=env.public_url(port),
            host=host or env.text("HOST") or "127.0.0.1",
            port=port,
            edition=env.choice("EDITION", ("native", "getimages", "image-mcp"), "native"),
            billing=env.switch("BILLING", default=True),
            sign_up=env.choice("SIGNUP", ("closed", "invite", "open"), "closed"),
            sign_up_credits=env.number("SIGNUP_CREDITS", 100),
            rate_limit=env.number("RATE_LIMIT", 60),
            queue_per_account=env.number("QUEUE_PER_ACCOUNT", 1000, at_least=1),
            oauth=env.switch("OAUTH", default=True),
            reads_client_documents=env.switch("OAUTH_DOCUMENTS", default=env.public_url(port).startswith("https:")),
            trusted_proxies=env.networks("TRUSTED_PROXIES"),
            secret_keys=env.words("SECRET_KEYS"),
            max_body_bytes=env.number("MAX_BODY_BYTES", 32 * 1024 * 1024, at_least=1024),
            packs=env.packs("PACKS"),
            metrics_token=env.text("METRICS_TOKEN"),
            metrics_host=env.text("METRICS_HOST") or "127.0.0.1",
            metrics_port=env.number("METRICS_PORT", 0, at_least=1) or None,
            otlp_endpoint=env.url("OTLP_ENDPOINT"),
            otlp_headers=env.pairs("OTLP_HEADERS"),
            sentry_dsn=env.text("SENTRY_DSN"),
            generation_deadline_seconds=env.number("GENERATION_DEADLINE_SECONDS", 900, at_least=1),
            queue_deadline_seconds=env.number("QUEUE_DEADLINE_SECONDS", 3600, at_least=1),
            drain_seconds=env.number("DRAIN_SECONDS", 120),
            runs_generations=runs_generations,
            default_model=env.text("DEFAULT_MODEL"),
            catalog_path=env.existing_file("CATALOG"),
            openai=env.provider("OPENAI", "https://api.openai.com/v1", "OPENAI_API_KEY"),
            google=env.provider("GOOGLE", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
            openrouter=env.provider("OPENROUTER", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
            bfl=env.provider("BFL", "https://api.bfl.ai", "BFL_API_KEY"),
            compatible=env.provider("COMPATIBLE", None, None),
            compatible_models=env.words("COMPATIBLE_MODELS"),
            comfyui_url=env.url("COMFYUI_URL"),
            comfyui_workflow=env.existing_file("COMFYUI_WORKFLOW"),
            diffusers_dir=Path(text).expanduser() if (text := env.text("DIFFUSERS_DIR")) else None,
            stripe_secret_key=env.text("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=env.text("STRIPE_WEBHOOK_SECRET"),
            stripe_base_url=env.url("STRIPE_BASE_URL") or "https://api.stripe.com",
            smtp_url=env.text("SMTP_URL"),
            issuers=env.issuers(),
            c2pa_certificate=env.pem("C2PA_CERT", needs="C2PA_KEY"),
            c2pa_key=env.pem("C2PA_KEY", needs="C2PA_CERT"),
            c2pa_trust=env.pem("C2PA_TRUST"),
            log=env.choice("LOG", ("auto", "text", "json"), "auto"),
            log_level=env.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
            log_prompts=env.switch("LOG_PROMPTS", default=False),
            unknown=env.unread(),
        )

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")


class _Environment:
    """Typed reads of `LIMNER_*`, each with its own sentence when the value is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._read: set[str] = set()

    def names(self) -> list[str]:
        return sorted(self._read)

    def unread(self) -> tuple[str, ...]:
        """The variables of ours that nothing has asked for; call it last."""
        ours = {name for name, value in self._environ.items() if name.startswith("LIMNER_") and value.strip()}
        return tuple(sorted(ours - self._read - {f"{name}_FILE" for name in self._read} - set(OTHERS)))

    def text(self, name: str) -> str | None:
        return self._raw(f"LIMNER_{name}")

    def choice(self, name: str, allowed: tuple[C, ...], default: C) -> C:
        value = self.text(name)
        if value is None:
            return default
        for candidate in allowed:
            if value == candidate:
                return candidate
        raise BadConfiguration(f"LIMNER_{name} is '{value}', but must be one of: {', '.join(allowed)}.")

    def switch(self, name: str, *, default: bool) -> bool:
        value = (self.text(name) or ("on" if default else "off")).lower()
        if value in ("on", "true", "yes", "1"):
            return True
        if value in ("off", "false", "no", "0"):
            return False
        raise BadConfiguration(f"LIMNER_{name} is '{value}', but must be on or off.")

    def number(self, name: str, default: int, *, at_least: int = 0, at_most: int = MOST) -> int:
        value = self.text(name)
        if value is None:
            return default
        fits = value.isascii() and value.isdigit() and len(value) < 20 and at_least <= int(value) <= at_most
        if not fits:
            most = "" if at_most == MOST else f" and at most {at_most}"
            raise BadConfiguration(
                f"LIMNER_{name} is '{value}', but must be a whole number of at least {at_least}{most}."
            )
        return int(value)

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in (self.text(name) or "").split(",") if word.strip())

    def pairs(self, name: str) -> dict[str, str]:
        """`name=value,name=value`; the values may be secret, so the sentence repeats none."""
        pairs = [word.partition("=") for word in self.words(name)]
        if not all(key and separator for key, separator, _ in pairs):
            raise BadConfiguration(f"LIMNER_{name} must look like name=value,name=value.")
        return {key.strip(): value.strip() for key, _, value in pairs}

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        return _http_url(f"LIMNER_{name}", value)

    def x_accel(self) -> str | None:
        value = self.text("X_ACCEL")
        if value is None:
            return None
        if re.fullmatch(r"/([A-Za-z0-9._~-]+/)+", value) is None:
            raise BadConfiguration(
                f"LIMNER_X_ACCEL is '{value}', but must be an internal location of nginx such as /_blobs/."
            )
        if not (self.text("BLOBS_URL") or "file://").startswith("file://"):
            raise BadConfiguration("LIMNER_X_ACCEL is set, but LIMNER_BLOBS_URL names no files that nginx could send.")
        return value

    def existing_file(self, name: str) -> Path | None:
        value = self.text(name)
        if value is None:
            return None
        path = Path(value).expanduser().absolute()
        if not path.is_file():
            raise BadConfiguration(f"LIMNER_{name} names '{value}', but there is no such file.")
        return path

    def pem(self, name: str, *, needs: str | None = None) -> str | None:
        """A certificate or key: its text, or the path of its file; `needs` names what it is no use without."""
        value = self.text(name)
        if value is None:
            return None
        if needs is not None and self.text(needs) is None:
            raise BadConfiguration(f"LIMNER_{name} is set, but LIMNER_{needs} is not: both are needed.")
        if value.startswith("-----BEGIN"):
            return f"{value}\n"
        try:
            return Path(value).expanduser().read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as problem:
            raise BadConfiguration(f"LIMNER_{name} names '{value[:200]}', which cannot be read: {problem}.") from None

    def networks(self, name: str) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(word, strict=False) for word in self.words(name))
        except ValueError as problem:
            raise BadConfiguration(
                f"LIMNER_{name} must list addresses or networks such as 10.0.0.0/8: {problem}."
            ) from None

    def packs(self, name: str) -> tuple[Pack, ...]:
        """`100=5.00,500=22.50`: credits and US dollars."""
        words = self.words(name)
        packs = tuple(_pack(name, word) for word in words) if words else DEFAULT_PACKS
        if len({pack.id for pack in packs}) < len(packs):
            raise BadConfiguration(f"LIMNER_{name} has two packs of the same size.")
        return packs

    def provider(self, name: str, default_url: str | None, customary: str | None) -> ProviderAccess:
        own = f"LIMNER_{name}_API_KEY"
        source = own if self._raw(own) else customary
        api_key = self._raw(source) if source else None
        return ProviderAccess(self.url(f"{name}_BASE_URL") or default_url, api_key, source if api_key else None)

    def database_url(self, data_dir: Path) -> str:
        value = self.text("DATABASE_URL") or f"sqlite:///{data_dir / 'limner.db'}"
        try:
            sqlite_path(value)
        except ValueError as problem:
            raise BadConfiguration(f"LIMNER_DATABASE_URL cannot be used: {problem}.") from None
        return value.replace("postgres://", "postgresql://", 1) if value.startswith("postgres://") else value

    def public_url(self, port: int) -> str:
        value = self.text("PUBLIC_URL")
        if value is None:
            return f"http://127.0.0.1:{port}"
        url = _http_url("LIMNER_PUBLIC_URL", value)
        if urlsplit(url).path:
            raise BadConfiguration(
                "LIMNER_PUBLIC_URL must be a bare origin such as https://images.example.org, without a path."
            )
        return url

    def issuers(self) -> tuple[IssuerSettings, ...]:
        """`LIMNER_OIDC_GOOGLE_CLIENT_ID` and so on: what stands between is the issuer's id; nothing is `oidc`."""
        ids: set[str] = set()
        for variable in self._environ:
            if not variable.startswith("LIMNER_OIDC_") or not self._environ[variable].strip():
                continue
            found = _ISSUER_VARIABLE.fullmatch(variable)
            if found is None:
                raise BadConfiguration(
                    f"{variable} is not a setting; it must end in ISSUER, CLIENT_ID, CLIENT_SECRET, LABEL or SCOPES."
                )
            ids.add((found[1] or "").lower().replace("_", "-"))
        return tuple(self._issuer(name) for name in sorted(ids, key=_issuer_order))

    def _issuer(self, name: str) -> IssuerSettings:
        start = f"OIDC_{name.upper().replace('-', '_')}_" if name else "OIDC_"
        label, issuer = KNOWN_ISSUERS.get(name, (name.replace("-", " ").title() or "single sign-on", None))
        issuer = self.url(f"{start}ISSUER") or issuer
        if issuer is None:
            raise BadConfiguration(f"LIMNER_{start}ISSUER is needed: the https address of the OpenID Connect issuer.")
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise BadConfiguration(f"LIMNER_{start}ISSUER is '{issuer}', but must be an https:// address.")
        client_id, secret = self.text(f"{start}CLIENT_ID"), self.text(f"{start}CLIENT_SECRET")
        if client_id is None:
            raise BadConfiguration(f"LIMNER_{start}CLIENT_ID is needed to sign in with {issuer}.")
        if name == "github" and secret is None:
            raise BadConfiguration(f"LIMNER_{start}CLIENT_SECRET is needed: GitHub knows no clients without a secret.")
        scopes = tuple((self.text(f"{start}SCOPES") or "openid email profile").split())
        if "openid" not in scopes:
            raise BadConfiguration(f"LIMNER_{start}SCOPES must hold openid.")
        return IssuerSettings(name or "oidc", self.text(f"{start}LABEL") or label, issuer, client_id, secret, scopes)

    def _raw(self, variable: str) -> str | None:
        self._read.add(variable)
        if value := self._environ.get(variable, "").strip():
            return value
        path = self._environ.get(f"{variable}_FILE", "").strip()
        if not path:
            return None
        try:
            return Path(path).expanduser().read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as problem:
            raise BadConfiguration(f"{variable}_FILE names '{path}', which cannot be read: {problem}.") from None


def _issuer_order(name: str) -> tuple[int, str]:
    """Those everybody knows first."""
    known = list(KNOWN_ISSUERS)
    return (known.index(name), name) if name in known else (len(known), name)


def default_data_dir(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "share")
    return str(Path(base) / "limner")


def _http_url(variable: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname is not None and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise BadConfiguration(f"{variable} is '{value}', but must be an http:// or https:// address.")
    return value.rstrip("/")


def _pack(name: str, word: str) -> Pack:
    credit_count, separator, price = word.partition("=")
    try:
        pack = Pack(int(credit_count), round(float(price) * 100))
    except (ValueError, OverflowError):
        pack = Pack(0, 0)
    if not separator or not (0 < pack.credits <= MOST and 0 < pack.price_cents <= MOST):
        raise BadConfiguration(f"LIMNER_{name} has '{word}', but must look like 100=5.00,500=22.50 (credits=dollars).")
    return pack
