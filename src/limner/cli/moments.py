"""Moments as people type them: `30d`, `12h`, or a date."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from limner.db.types import now


class Expiry(click.ParamType[datetime]):
    """`30d`, `12h`, or a moment such as `2027-01-31` (UTC unless it says otherwise)."""

    name = "30d|DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        moment = _moment(str(value))
        if moment is None or moment <= now():
            self.fail(f"'{value}' must be a time to come: 30d, 12h, or a date such as 2027-01-31.", param, ctx)
        return moment


class Past(click.ParamType[datetime]):
    """`3d` or `12h` ago, or a moment such as `2027-01-31` (UTC unless it says otherwise)."""

    name = "3d|DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        moment = _moment(str(value), ago=True)
        if moment is None or moment > now():
            self.fail(f"'{value}' must be a time that is over: 3d, 12h, or a date such as 2026-01-31.", param, ctx)
        return moment


def _moment(text: str, *, ago: bool = False) -> datetime | None:
    span = re.fullmatch(r"([0-9]{1,5})([hd])", text)
    if span is not None:
        length = timedelta(**{"hours" if span[2] == "h" else "days": int(span[1])})
        return now() - length if ago else now() + length
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
