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


class Span(click.ParamType[timedelta]):
    """`2d`, `12h`, or `0h` for none."""

    name = "2d|12h"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        span = _span(str(value))
        if span is None:
            self.fail(f"'{value}' must be a length of time: 2d or 12h.", param, ctx)
        return span


def _span(text: str) -> timedelta | None:
    found = re.fullmatch(r"([0-9]{1,5})([hd])", text)
    return None if found is None else timedelta(**{"hours" if found[2] == "h" else "days": int(found[1])})


def _moment(text: str, *, ago: bool = False) -> datetime | None:
    if (span := _span(text)) is not None:
        return now() - span if ago else now() + span
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
