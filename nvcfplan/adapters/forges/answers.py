"""What a forge answered, taken apart: anything that is not as documented is said to be so."""

from __future__ import annotations

from nvcfplan.adapters.forges.session import garbled


def listed(value: object, route: str) -> list[dict[str, object]]:
    """Raises: RemoteGarbled."""
    if not isinstance(value, list):
        raise garbled(route, "expected a list")
    return [mapping(one, route) for one in value]


def mapping(value: object, route: str) -> dict[str, object]:
    """Raises: RemoteGarbled."""
    if not isinstance(value, dict):
        raise garbled(route, "expected an object")
    return value


def part(row: dict[str, object], name: str, route: str) -> dict[str, object]:
    """Raises: RemoteGarbled."""
    return mapping(row.get(name), route)


def number(row: dict[str, object], name: str, route: str) -> int:
    """Raises: RemoteGarbled."""
    value = row.get(name)
    if type(value) is not int or value < 0:
        raise garbled(route, f"expected a number under {name}")
    return value


def text(row: dict[str, object], name: str, route: str) -> str:
    """Raises: RemoteGarbled."""
    value = row.get(name)
    if not isinstance(value, str):
        raise garbled(route, f"expected text under {name}")
    return value
