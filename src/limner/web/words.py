"""How pages say numbers, times and sizes."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

MINUTE, HOUR = 60, 3600


def number(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def signed(value: int) -> str:
    """A true minus and a plus, so that columns read."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{abs(value):,}"


def credits(value: int) -> str:
    return f"{number(value)} credit{'' if value == 1 else 's'}"


def count(value: int, noun: str) -> str:
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def size(size_bytes: int) -> str:
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1_000_000:.1f} MB"
    return f"{size_bytes / 1000:,.0f} kB"


def duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M")


def day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local.strftime('%b %Y')}"


def long_day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.strftime('%A')} {local.day} {local.strftime('%B %Y')}"


def day_name(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Today, Yesterday, or the date."""
    days = (now.astimezone(zone).date() - moment.astimezone(zone).date()).days
    return {0: "Today", 1: "Yesterday"}.get(days, day(moment, zone))


def when(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Near times by their distance, far ones by their date."""
    passed = now - moment
    if timedelta(0) <= passed < timedelta(minutes=1):
        return "just now"
    if timedelta(0) <= passed < timedelta(hours=1):
        return f"{count(int(passed.total_seconds() // MINUTE), 'minute')} ago"
    return f"{day_name(moment, zone, now)}, {clock(moment, zone)}"


def mark(text: str, secret: str) -> Markup:
    """The text with a secret in it marked, so that the eye finds what to keep."""
    escaped = escape(text)
    return escaped.replace(escape(secret), Markup("<em>{}</em>").format(secret)) if secret else escaped


def spans(text: str) -> Markup:
    """What stands between backticks as code; the rest is plain text."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(text.split("`"))
    )


def short_id(identifier: str) -> str:
    """The end of an id: its beginning is the time, which neighbours share."""
    return identifier[-6:]


def ratio_class(width: int, height: int) -> str:
    """The name of the nearest ratio the stylesheet knows."""
    ratio = width / height
    return min(RATIOS, key=lambda name: abs(RATIOS[name] - ratio) / RATIOS[name])


RATIOS: Mapping[str, float] = {
    "8x1": 8.0,
    "4x1": 4.0,
    "21x9": 21 / 9,
    "2x1": 2.0,
    "16x9": 16 / 9,
    "3x2": 3 / 2,
    "4x3": 4 / 3,
    "5x4": 5 / 4,
    "1x1": 1.0,
    "4x5": 4 / 5,
    "3x4": 3 / 4,
    "2x3": 2 / 3,
    "9x16": 9 / 16,
    "1x2": 1 / 2,
    "9x21": 9 / 21,
    "1x4": 1 / 4,
    "1x8": 1 / 8,
}

FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "signed": signed,
    "credits": credits,
    "count": count,
    "dollars": dollars,
    "size": size,
    "duration": duration,
    "clock": clock,
    "day": day,
    "long_day": long_day,
    "day_name": day_name,
    "when": when,
    "mark": mark,
    "spans": spans,
    "short_id": short_id,
}
