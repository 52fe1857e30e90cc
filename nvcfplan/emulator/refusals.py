"""How the emulated service says no, and how the emulator itself does.

Refusal        an answer of the API: status and problem detail
EmulatorError  the emulator cannot go on: its file is not one, its port is taken
"""

from __future__ import annotations

PROBLEM = "application/problem+json"

_KINDS = {
    400: ("bad-request", "Bad Request"),
    401: ("unauthorized", "Unauthorized"),
    402: ("payment-required", "Payment Required"),
    403: ("forbidden", "Forbidden"),
    404: ("not-found", "Not Found"),
    405: ("method-not-allowed", "Method Not Allowed"),
    409: ("conflict", "Conflict"),
    406: ("not-acceptable", "Not Acceptable"),
    413: ("payload-too-large", "Payload Too Large"),
    415: ("unsupported-media-type", "Unsupported Media Type"),
    422: ("unprocessable-entity", "Unprocessable Entity"),
    429: ("too-many-requests", "Too Many Requests"),
    500: ("internal-server-error", "Internal Server Error"),
    502: ("upstream", "Bad Gateway"),
    503: ("service-unavailable", "Service Unavailable"),
    504: ("gateway-timeout", "Gateway Timeout"),
}


class Refusal(Exception):
    """`is_validation`: found by bean validation, whose problem has no `type`.

    `headers`: what the answer carries besides its body. Source: nvcf-api.md 4.1.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        is_validation: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.is_validation = is_validation
        self.headers = headers


class EmulatorError(Exception):
    """`summary`: what, one line. `detail`: why. `remedy`: what to do."""

    code = "emulator"

    def __init__(self, summary: str, *, detail: str = "", remedy: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.remedy = remedy


def problem(refusal: Refusal, path: str) -> dict[str, object]:
    kind, title = _KINDS.get(refusal.status, ("unknown", "Error"))
    body: dict[str, object] = {
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": path,
    }
    if refusal.is_validation:
        return body
    return {"type": f"urn:nv-boot:problem-details:{kind}", **body}


def bad_request(detail: str) -> Refusal:
    return Refusal(400, detail)


def not_found(detail: str) -> Refusal:
    return Refusal(404, detail)
