"""What the service refused, as the error a person reads or the failure the machine acts on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.nvcf.answers import ErrorWords, error_words
from nvcfplan.adapters.nvcf.failure_texts import classify
from nvcfplan.adapters.nvcf.raw import NotSent
from nvcfplan.applying import Failure, FailureClass
from nvcfplan.errors import (
    Forbidden,
    RateLimited,
    RemoteError,
    RemoteGarbled,
    RemoteMissing,
    RemoteUnavailable,
    Unauthorized,
    Unreachable,
)

if TYPE_CHECKING:
    from nvcfplan.adapters.nvcf.raw import Lost, RawAnswer, RawRequest
    from nvcfplan.adapters.nvcf.target import Target
    from nvcfplan.adapters.nvcf.words import Redaction

_SAID_NOTHING: Final = "the answer gives no reason"
_ALLOCATOR_SAID: Final = re.compile(r'\\?"error\\?"\s*:\s*\\?"([^"\\]+)')
_MARKER_REVERTED: Final = "failed to deploy, reverting state"


def is_definite(request: RawRequest, answer: RawAnswer) -> bool:
    """True where the answer proves that the write changed nothing.

    408 and 499 come from something that gave up waiting; a 303 may follow a success. A failed
    deployment is undone by the service whatever the status. Source: nvcf-api.md 4.3, 6.1.
    """
    if 400 <= answer.status < 500:
        return answer.status not in (408, 499)
    if answer.status in (301, 302, 307, 308):
        return True
    is_deploy = request.method == "POST" and request.path.startswith("/deployments/")
    return is_deploy and _MARKER_REVERTED in error_words(answer.body).searched.lower()


def failure_of(request: RawRequest, answer: RawAnswer, redaction: Redaction) -> Failure:
    """For a write that was refused. `message` is one line, redacted and neutralised."""
    words = error_words(answer.body)
    kind = classify(answer.status, f"{words.text}\n{words.searched}")
    if 300 <= answer.status < 400:
        kind = FailureClass.OTHER
    said = redaction.shown(_essence(words.text)) or _SAID_NOTHING
    return Failure(
        kind=kind,
        message=f"{said}{_scope_note(request, answer.status)}",
        status=answer.status,
        request_id=_shown_id(words, redaction),
        retry_after_seconds=answer.retry_after_seconds,
    )


def _essence(text: str) -> str:
    """The allocator's own sentence, where the service has wrapped it into others.

    Source: nvcf-api.md 6.1.
    """
    found = _ALLOCATOR_SAID.search(text)
    return found.group(1) if found else text


def remote_error(
    request: RawRequest,
    answer: RawAnswer,
    asked: tuple[Target, Redaction],
    *,
    tried: str = "",
) -> RemoteError:
    """For a read that was refused, or answered by something that is not the service.

    `tried`: how often and how long it was asked, where that was more than once.
    """
    target, redaction = asked
    words = error_words(answer.body)
    route = route_of(request, target)
    said = redaction.shown(words.text) or _SAID_NOTHING
    kind, remedy = _kind_and_remedy(request, answer.status, words, target)
    return kind(
        f"{route} answered {answer.status}: {said}",
        route=route,
        status=answer.status,
        request_id=_shown_id(words, redaction),
        retry_after_seconds=answer.retry_after_seconds,
        detail=_joined(_detail(answer.status, target), tried, _asked_to_wait(answer)),
        remedy=remedy,
    )


def unanswered_read(
    outcome: NotSent | Lost, request: RawRequest, target: Target, *, tried: str = ""
) -> RemoteError:
    route = route_of(request, target)
    if isinstance(outcome, NotSent):
        return Unreachable(
            f"{target.root} cannot be reached: {outcome.why}",
            route=route,
            detail=_joined(f"{route} was not sent", tried),
            remedy="check the address (--endpoint, NGC_ENDPOINT or NVCF_BASE_HTTP_URL), the "
            "network, and HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE where they are set",
        )
    return RemoteUnavailable(
        f"{target.root} gave no answer to {route}: {outcome.why}",
        route=route,
        detail=_joined("the connection stood, the answer did not come", tried),
        remedy="try again; if it stays so, ask whether the service is up",
    )


def _asked_to_wait(answer: RawAnswer) -> str:
    asked = answer.retry_after_seconds
    return f"the service asks to wait {asked:.0f} s" if asked else ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def route_of(request: RawRequest, target: Target) -> str:
    """`GET /v2/nvcf/functions`: without host and query."""
    prefix = "" if request.is_rooted else target.base_path
    return f"{request.method} {prefix}{request.path}"


def _kind_and_remedy(
    request: RawRequest, status: int, words: ErrorWords, target: Target
) -> tuple[type[RemoteError], str]:
    if status in (401, 422):
        return Unauthorized, _key_remedy(target)
    if status == 403:
        return Forbidden, f"give the key {request.scope}, or use one that has it"
    if status == 404 and words.is_structured:
        return RemoteMissing, "check the endpoint's path and the id"
    if status == 429:
        return RateLimited, "wait a little, and lower -parallelism if it happens again"
    if status >= 500:
        return RemoteUnavailable, "try again; if it stays so, ask whether the service is up"
    if 300 <= status < 400:
        return RemoteGarbled, (
            "use the address that the service itself has: redirects are not followed, "
            "because the key would go with them"
        )
    if not words.is_structured:
        return RemoteGarbled, (
            "check that the endpoint is the NVCF API and that no proxy or sign-in page answers "
            "in its place"
        )
    return RemoteError, "see what the service says"


def _key_remedy(target: Target) -> str:
    looked = ", ".join(target.looked_at)
    source = f"the key from {target.token_source}" if target.token_source else "no key"
    return (
        f"{source} was used"
        + (f" (looked at, in this order: {looked})" if looked else "")
        + "; make a new key, or check that it belongs to this endpoint"
    )


def _detail(status: int, target: Target) -> str:
    if status in (401, 422):
        return f"{target.root} does not accept the key"
    if status == 403:
        return f"{target.root} knows the key, and does not let it do this"
    return ""


def _scope_note(request: RawRequest, status: int) -> str:
    return f" (the key needs {request.scope})" if status == 403 else ""


def _shown_id(words: ErrorWords, redaction: Redaction) -> str | None:
    return redaction.shown(words.request_id)[:64] if words.request_id else None
