"""The certificate that pictures are signed with (C2PA), and whom to believe."""

from dataclasses import dataclass, field
from pathlib import Path

from limner.config.environment import BadConfiguration, Environment


@dataclass(frozen=True, kw_only=True)
class Provenance:
    c2pa_certificate: str | None = None
    c2pa_key: str | None = field(default=None, repr=False)
    c2pa_trust: str | None = None


def read_provenance(env: Environment) -> Provenance:
    return Provenance(
        c2pa_certificate=_pem(env, "C2PA_CERT", needs="C2PA_KEY"),
        c2pa_key=_pem(env, "C2PA_KEY", needs="C2PA_CERT"),
        c2pa_trust=_pem(env, "C2PA_TRUST"),
    )


def _pem(env: Environment, name: str, *, needs: str | None = None) -> str | None:
    """A certificate or key: its text, or the path of its file; `needs` names what it is no use without."""
    value = env.text(name)
    if value is None:
        return None
    if needs is not None and env.text(needs) is None:
        raise BadConfiguration(f"LIMNER_{name} is set, but LIMNER_{needs} is not: both are needed.")
    if value.startswith("-----BEGIN"):
        return f"{value}\n"
    try:
        return Path(value).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadConfiguration(f"LIMNER_{name} names '{value[:200]}', which cannot be read: {problem}.") from None
