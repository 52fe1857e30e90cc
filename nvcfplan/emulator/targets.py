"""Which route of the catalogue a method and path are, and what they name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nvcfplan.emulator.catalogue import ROUTES
from nvcfplan.emulator.layouts import UUIDS, Route, templates
from nvcfplan.emulator.refusals import Refusal, bad_request, not_found

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`named`: the path's parameters, by the names they have in the template; ids lower case."""

    route: Route
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def function(self) -> str | None:
        return self.named.get("function")

    @property
    def version(self) -> str | None:
        return self.named.get("version")

    @property
    def deployment(self) -> str | None:
        return self.named.get("deployment")

    @property
    def specification(self) -> str | None:
        return self.named.get("specification")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One absolute template, in parts, and what each method means there."""

    parts: tuple[str, ...]
    routes: dict[str, Route] = field(default_factory=dict)

    def is_at(self, parts: Sequence[str]) -> bool:
        pairs = zip(self.parts, parts, strict=True)
        return all(one == given or one[:1] == "{" for one, given in pairs)

    def named(self, parts: Sequence[str]) -> dict[str, str]:
        pairs = zip(self.parts, parts, strict=True)
        return {one[1:-1]: given for one, given in pairs if one[:1] == "{"}


def resolve(method: str, path: str) -> Target:
    """Raises Refusal: 404 for a path nobody serves, 405 for a method, 400 for a bad id."""
    parts = path.split("/")
    found = [one for one in _PLACES.get(len(parts), ()) if one.is_at(parts)]
    if not found or "" in parts[1:]:
        raise not_found(f"No static resource {path.strip('/')[:200]}.")
    for place in found:
        if method in place.routes:
            named = {name: _read(name, text) for name, text in place.named(parts).items()}
            return Target(route=place.routes[method], named=named)
    allowed = ", ".join(sorted({word for place in found for word in place.routes}))
    raise Refusal(405, f"Method '{method}' is not supported.", headers=(("Allow", allowed),))


def _read(name: str, text: str) -> str:
    if name not in UUIDS:
        return text
    if not _UUID.fullmatch(text):
        raise bad_request(f"Failed to convert value '{text[:100]}' to a UUID")
    return text.lower()


def _places() -> dict[int, tuple[_Place, ...]]:
    """By number of parts; where several templates are met, the one with more literals is first."""
    places: dict[str, _Place] = {}
    for route in ROUTES:
        for template in templates(route):
            place = places.setdefault(template, _Place(parts=tuple(template.split("/"))))
            place.routes[route.method] = route
    by_length: dict[int, list[_Place]] = {}
    for place in sorted(places.values(), key=lambda one: sum("{" in part for part in one.parts)):
        by_length.setdefault(len(place.parts), []).append(place)
    return {length: tuple(found) for length, found in by_length.items()}


_PLACES = _places()
