"""Which error body a path has, and how a refusal reads in it.

SERVICE    `application/problem+json`, of the service itself
GATEWAY    `requestStatus`, of the NGC front
ALLOCATOR  `{"error": ...}`, of the allocator

Source: nvcf-api.md 1.2, 2.3, 4.1.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.emulator.refusals import problem

if TYPE_CHECKING:
    from nvcfplan.emulator.refusals import Refusal


class Style(StrEnum):
    SERVICE = "service"
    GATEWAY = "gateway"
    ALLOCATOR = "allocator"


_ALLOCATOR = ("/v1/si", "/v1/accounts")
_FRONT = ("/v2/orgs", "/v3/orgs", "/v3/keys", "/token")

_WORDS = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TIMEOUT",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "INVALID_REQUEST",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    502: "SERVICE_UNAVAILABLE",
    503: "SERVICE_UNAVAILABLE",
    504: "TIMEOUT",
}
"""Of the words that the SDK knows. Source: SDK `organization/data/uis/StatusCode.py`."""


def style_of(path: str, *, is_gateway: bool) -> Style:
    """`is_gateway`: the NGC front stands before the short layout too."""
    if _is_below(path, _ALLOCATOR):
        return Style.ALLOCATOR
    if _is_below(path, _FRONT) or (is_gateway and _is_below(path, ("/v2/nvcf",))):
        return Style.GATEWAY
    return Style.SERVICE


def _is_below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in roots)


def error_body(refusal: Refusal, path: str, *, style: Style, nonce: str) -> dict[str, object]:
    """`nonce`: what makes one request's id differ from another's."""
    match style:
        case Style.SERVICE:
            return problem(refusal, path)
        case Style.ALLOCATOR:
            return {"error": refusal.detail}
        case Style.GATEWAY:
            seed = f"{nonce} {path} {refusal.status} {refusal.detail}".encode("utf-8", "replace")
            return {
                "requestStatus": {
                    "statusCode": _WORDS.get(refusal.status, "UNKNOWN"),
                    "statusDescription": refusal.detail,
                    "requestId": str(uuid.uuid5(uuid.NAMESPACE_URL, seed.decode())),
                }
            }
