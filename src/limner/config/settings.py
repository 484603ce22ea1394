"""All settings of one server in one value: each concern declares and reads its own, and here they come together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from limner.config.environment import BadConfiguration, Environment
from limner.config.observing import Observing, read_observing
from limner.config.payments import Payments, read_payments
from limner.config.places import Places, read_places
from limner.config.provenance import Provenance, read_provenance
from limner.config.providers import Suppliers, read_suppliers
from limner.config.serving import Serving, read_serving
from limner.config.signing_in import SigningIn, read_signing_in

Concern = Places | Serving | Suppliers | Payments | SigningIn | Provenance | Observing


@dataclass(frozen=True, kw_only=True)
class Config(Places, Serving, Suppliers, Payments, SigningIn, Provenance, Observing):
    """What an operator decides about one server; every default is good for a first start."""

    unknown: tuple[str, ...] = ()
    """What is set and nobody reads: mostly a name that was mistyped."""

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, *, host: str | None = None, port: int | None = None
    ) -> "Config":
        """Read the environment; `host` and `port` come from the command line and win. Raises BadConfiguration."""
        env = Environment(environ)
        concerns = _read(env, environ, host, port)
        values = {name: value for concern in concerns for name, value in vars(concern).items()}
        return cls(**values, unknown=env.unread())

    @classmethod
    def names(cls, environ: Mapping[str, str]) -> list[str]:
        """Every setting that is read."""
        env = Environment(environ)
        _read(env, environ, None, None)
        return env.names()


def _read(env: Environment, environ: Mapping[str, str], host: str | None, port: int | None) -> tuple[Concern, ...]:
    places = read_places(env, environ, host, port)
    serving = read_serving(env)
    if places.is_sqlite and not serving.runs_generations:
        raise BadConfiguration(
            "LIMNER_RUN_GENERATIONS=off needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
            "a SQLite file has one serving process, which runs everything."
        )
    return (
        places,
        serving,
        read_suppliers(env),
        read_payments(env),
        read_signing_in(env, places.public_url),
        read_provenance(env),
        read_observing(env),
    )
