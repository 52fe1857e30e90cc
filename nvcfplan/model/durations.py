"""Durations as people write them (`20m`, `1h30m`) and as the API does (`PT10S`)."""

from __future__ import annotations

import re
from datetime import timedelta

_SHORT = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_ISO = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)


def parse_duration(text: str) -> timedelta | None:
    """`90s`, `20m`, `1h30m`, `PT10S`, `P1DT2H`; None when it is neither form, or over an age."""
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    if match is None or not any(match.groupdict().values()):
        return None
    parts = {name: float(value) for name, value in match.groupdict().items() if value}
    try:
        return timedelta(
            days=parts.get("d", 0), hours=parts.get("h", 0), minutes=parts.get("m", 0),
            seconds=parts.get("s", 0),
        )  # fmt: skip
    except OverflowError:
        return None


def iso_duration(duration: timedelta) -> str:
    """The API's form, as Java prints it: `PT10S`, `PT1M30S`, `PT2H`.

    Source: nvcf-api.md 1.3.
    """
    seconds, fraction = divmod(duration, timedelta(seconds=1))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact = f"{seconds}.{fraction.microseconds:06}".rstrip("0").rstrip(".")
    whole = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M")) if value)
    return f"PT{whole}" + (f"{exact}S" if exact != "0" or not whole else "")


def short_duration(duration: timedelta) -> str:
    """What people read: `45s`, `6m`, `1h30m`; fractions of a second are dropped."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    text = "".join(f"{value}{unit}" for value, unit in parts if value)
    return text or "0s"
