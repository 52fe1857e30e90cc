"""What an error looks like, by where the request came in."""

from __future__ import annotations

import uuid

import pytest

from nvcfplan.emulator.rules import Fault, QuotaRule, Trouble
from tests.emulator.account import NOBODY, Account, spec, world

FRONT = "/v2/orgs/demo/nvcf"


def status_of(account: Account, method: str, path: str, body: object = None) -> dict[str, object]:
    answer = account.call(method, path, body)
    assert answer.media_type == "application/json"
    assert set(answer.json) == {"requestStatus"}
    found = answer.json["requestStatus"]
    assert isinstance(found, dict)
    assert str(uuid.UUID(str(found["requestId"]))) == found["requestId"]
    return {"http": answer.status, **found}


@pytest.mark.parametrize(
    ("method", "path", "body", "http", "word"),
    [
        ("POST", f"{FRONT}/functions", {}, 400, "INVALID_REQUEST"),
        ("GET", f"{FRONT}/functions/{NOBODY}/versions", None, 404, "NOT_FOUND"),
        ("GET", f"{FRONT}/nothing", None, 404, "NOT_FOUND"),
        ("GET", "/v2/orgs/other/nvcf/functions", None, 404, "NOT_FOUND"),
        ("GET", "/v3/orgs/demo/nothing", None, 404, "NOT_FOUND"),
        ("PATCH", f"{FRONT}/functions", {}, 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_front_speaks_of_request_status(
    method: str, path: str, body: object, http: int, word: str
) -> None:
    found = status_of(Account.of(world()), method, path, body)
    assert (found["http"], found["statusCode"]) == (http, word)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (403, "FORBIDDEN"),
        (409, "CONFLICT"),
        (429, "TOO_MANY_REQUESTS"),
        (500, "INTERNAL_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
        (599, "UNKNOWN"),
    ],
)
def test_front_has_a_word_for_each_status(status: int, word: str) -> None:
    fault = Fault(kind=Trouble.ANSWER, route="list-functions", status=status)
    found = status_of(Account.of(world(faults=(fault,))), "GET", f"{FRONT}/functions")
    assert (found["http"], found["statusCode"]) == (status, word)


def test_function_that_is_gone_is_told_from_a_wrong_org() -> None:
    """Clients take `Not found` for a function that is gone."""
    account = Account.of(world())
    gone = status_of(account, "GET", f"{FRONT}/functions/{NOBODY}/versions/{NOBODY}")
    wrong = status_of(account, "GET", f"/v2/orgs/x/nvcf/functions/{NOBODY}/versions/{NOBODY}")
    assert "Not found" in str(gone["statusDescription"])
    assert "Not found" not in str(wrong["statusDescription"])


def test_quota_is_refused_in_the_words_of_the_front() -> None:
    quota = QuotaRule(gpu="H100", names=("lab",), limit=1)
    account = Account.of(world(quotas=(quota,)))
    target = account.create()
    path = target.deployment.replace("/v2/nvcf", FRONT)
    body = {"deploymentSpecifications": [spec(2, 2)]}
    found = status_of(account, "POST", path, body)
    del found["requestId"]
    assert found == {
        "http": 400,
        "statusCode": "INVALID_REQUEST",
        "statusDescription": "Validation failed -"
        " [All allocated GPU instances in use - contact your support team]",
    }


def test_ids_of_requests_differ_as_the_world_moves_on() -> None:
    account = Account.of(world())
    path = f"{FRONT}/functions/{NOBODY}/versions"
    first = status_of(account, "GET", path)["requestId"]
    account.emulator.advance(1)
    assert status_of(account, "GET", path)["requestId"] != first


def test_short_layout_is_the_services_own_unless_the_gateway_stands_before_it() -> None:
    path = "/v2/nvcf/nothing"
    assert Account.of(world()).get(path).media_type == "application/problem+json"
    assert status_of(Account.of(world(gateway=True)), "GET", path)["http"] == 404


def test_allocator_has_a_body_of_its_own() -> None:
    account = Account.of(world(gateway=True))
    for path in (
        "/v1/si/accounts/nca-other/clusters",
        "/v1/accounts/nca-other/clusters",
        "/v1/si/nothing",
        "/v1/si",
    ):
        answer = account.get(path)
        assert (answer.status, set(answer.json)) == (404, {"error"})
