"""What a route is: its place in each layout of the API, who may call it, what it carries.

Source: nvcf-api.md 1.1, 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nvcfplan.wire.protocol import AnswerModel, Request


class Layout(StrEnum):
    """`SERVICE`: a path below each prefix of the API. `ROOT`: one absolute path."""

    SERVICE = "service"
    ROOT = "root"


PREFIXES = (
    "/v2/nvcf",
    "/v2/orgs/{org}/nvcf",
    "/v2/orgs/{org}/teams/{team}/nvcf",
    "/v2/nvcf/accounts/{account}",
)
"""Where a SERVICE path stands: service, org, team, and the super-admin's mirror of an account."""

UUIDS = frozenset(
    {
        "credential",
        "deployment",
        "function",
        "invocation",
        "specification",
        "telemetry",
        "version",
    }
)
"""The path parameters that are UUIDs; the others are any text without a slash."""


class QueryKind(StrEnum):
    """`WORDS`: several, joined by commas or by repeating the parameter."""

    TEXT = "text"
    FLAG = "flag"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """An optional query parameter; `choices` empty: any value."""

    name: str
    kind: QueryKind = QueryKind.TEXT
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`name`: the word of faults and handlers; an alias is a second route of the same name.

    `path`: a template such as `functions/{function}/versions`, below a prefix or absolute.
    `row`: where nvcf-api.md has it. `scopes`: one of them is enough; empty: any caller may, and
    `is_open`: even one who does not say who he is. `is_for_keys`: the service takes an API key
    here, as the gateway always does. `is_listing`: a key for some functions sees those of the
    list. `request` None: no JSON is read. `answer` None: 204.
    """

    name: str
    method: str
    path: str
    row: str
    scopes: tuple[str, ...]
    layout: Layout = Layout.SERVICE
    is_for_keys: bool = True
    is_open: bool = False
    is_listing: bool = False
    queries: tuple[Query, ...] = ()
    request: type[Request] | None = None
    answer: AnswerModel | None = None


def templates(route: Route) -> tuple[str, ...]:
    """Every absolute path of the route."""
    if route.layout is Layout.ROOT:
        return (route.path,)
    return tuple(f"{prefix}/{route.path}" for prefix in PREFIXES)
