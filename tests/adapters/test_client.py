"""How requests travel: once or again, for how long, and what is never sent or shown."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx2
import pytest

from nvcfplan.adapters.nvcf import client as client_module
from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.raw import Lost, NotSent, RawAnswer
from nvcfplan.adapters.nvcf.target import Patience, Target
from nvcfplan.errors import (
    Forbidden,
    RateLimited,
    RemoteError,
    RemoteGarbled,
    RemoteMissing,
    RemoteUnavailable,
    SettingsError,
    Unauthorized,
    Unreachable,
)
from nvcfplan.model import FunctionId, Secret, SecretOrigin, SecretReference, VersionId
from nvcfplan.wire.functions import FunctionList
from tests.adapters.fakes import (
    CANARY,
    FakeClock,
    Script,
    answer,
    client_of,
    next_turn,
    payload,
    problem,
    run,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

LIST = "GET /v2/nvcf/functions"
DELETE = requests.delete_version(FunctionId("f"), VersionId("v"))


def read_with(
    answers: Sequence[httpx2.Response | Exception], clock: FakeClock | None = None
) -> tuple[FunctionList | RemoteError, Script]:
    script = Script({LIST: answers})

    async def read() -> FunctionList | RemoteError:
        async with client_of(script, clock=clock) as client:
            try:
                return await client.read(reads.list_functions(), FunctionList)
            except RemoteError as error:
                return error

    return run(read()), script


def failed_read(*answers: httpx2.Response | Exception) -> RemoteError:
    found, _ = read_with(answers)
    assert isinstance(found, RemoteError)
    return found


def send_with(*answers: httpx2.Response | Exception) -> tuple[object, Script]:
    script = Script({"DELETE /v2/nvcf/functions/f/versions/v": answers})

    async def send() -> object:
        async with client_of(script) as client:
            return await client.send(DELETE)

    return run(send()), script


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_are_repeated_until_they_succeed(status: int) -> None:
    clock = FakeClock()
    found, script = read_with(
        [problem(status, "busy"), problem(status, "busy"), answer(payload("functions-list.json"))],
        clock,
    )
    assert isinstance(found, FunctionList)
    assert len(script.sent) == 3
    assert 0.5 <= clock.pauses[0] < clock.pauses[1] <= 2


def test_retry_after_is_honoured_in_both_its_forms() -> None:
    clock = FakeClock()
    slow = [
        httpx2.Response(429, headers={"Retry-After": "7"}),
        httpx2.Response(429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:17 GMT"}),
        httpx2.Response(429, headers={"Retry-After": "90"}),
        answer({"functions": []}),
    ]
    found, _ = read_with(slow, clock)
    assert isinstance(found, FunctionList)
    assert clock.pauses == [7, 10, 90]


def test_a_service_that_asks_for_more_than_anybody_waits_is_given_up_at_once() -> None:
    clock = FakeClock()
    found, script = read_with([httpx2.Response(429, headers={"Retry-After": "86400"})], clock)
    assert isinstance(found, RateLimited)
    assert found.retry_after_seconds == 3600
    assert "asks to wait" in found.detail
    assert len(script.sent) == 1
    assert clock.pauses == []


def test_a_read_with_all_its_repetitions_has_one_limit() -> None:
    clock = FakeClock()
    found, script = read_with([httpx2.Response(503, headers={"Retry-After": "100"})], clock)
    assert isinstance(found, RemoteUnavailable)
    assert clock.seconds == 200
    assert len(script.sent) == 3
    assert "asked 3 times in 200 s" in found.detail


def test_waits_that_can_be_felt_are_told_now_and_then_however_many_reads_wait() -> None:
    told: list[str] = []
    clock = FakeClock()
    script = Script(
        {"GET /v2/nvcf/functions": [httpx2.Response(429, headers={"Retry-After": "8"})]}
    )

    async def read_all() -> None:
        async with client_of(script, clock=clock, listener=told.append) as client:
            several = (client.read(reads.list_functions(), FunctionList) for _ in range(9))
            await asyncio.gather(*several, return_exceptions=True)

    run(read_all())
    assert told[0] == "waiting for the service: GET /v2/nvcf/functions: 429; asking again in 8 s"
    assert len(script.sent) > 45
    assert len(told) <= 1 + clock.seconds / 10


def test_a_short_stumble_is_not_told() -> None:
    told: list[str] = []
    script = Script({"GET /v2/nvcf/functions": [problem(503, "busy"), answer({"functions": []})]})

    async def read() -> None:
        async with client_of(script, listener=told.append) as client:
            await client.read(reads.list_functions(), FunctionList)

    run(read())
    assert told == []


def test_nonsense_in_retry_after_is_as_if_it_were_not_there() -> None:
    clock = FakeClock()
    read_with(
        [httpx2.Response(429, headers={"Retry-After": "soon"}), answer({"functions": []})], clock
    )
    assert len(clock.pauses) == 1
    assert clock.pauses[0] < 1


@pytest.mark.parametrize(
    "error",
    [httpx2.ReadTimeout("slow"), httpx2.ReadError("reset"), httpx2.RemoteProtocolError("cut")],
)
def test_reads_are_repeated_after_a_broken_connection(error: Exception) -> None:
    found, script = read_with([error, answer({"functions": []})])
    assert isinstance(found, FunctionList)
    assert len(script.sent) == 2


def test_a_read_gives_up_after_five_attempts() -> None:
    found, script = read_with([problem(503, "down")])
    assert isinstance(found, RemoteUnavailable)
    assert found.status == 503
    assert len(script.sent) == 5


def test_an_address_that_nobody_answers_at_is_told_after_three_attempts() -> None:
    found, script = read_with([httpx2.ConnectError("[Errno -2] Name or service not known")])
    assert isinstance(found, Unreachable)
    assert "http://nvcf.test" in found.summary
    assert "Name or service not known" in found.summary
    assert "NGC_ENDPOINT" in found.remedy
    assert len(script.sent) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_reads_are_not_repeated_after_a_definite_answer(status: int) -> None:
    found, script = read_with([problem(status, "no")])
    assert isinstance(found, RemoteError)
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (problem(503, "down"), RawAnswer),
        (problem(429, "slow down"), RawAnswer),
        (httpx2.ConnectError("refused"), NotSent),
        (httpx2.ConnectTimeout("slow"), NotSent),
        (httpx2.PoolTimeout("full"), NotSent),
        (httpx2.ProxyError("403 Forbidden"), NotSent),
        (httpx2.ReadTimeout("slow"), Lost),
        (httpx2.WriteTimeout("slow"), Lost),
        (httpx2.ReadError("reset"), Lost),
        (httpx2.WriteError("reset"), Lost),
        (httpx2.CloseError("reset"), Lost),
        (httpx2.RemoteProtocolError("cut"), Lost),
        (httpx2.DecodingError("not gzip"), Lost),
    ],
)
def test_writes_are_sent_exactly_once(outcome: httpx2.Response | Exception, expected: type) -> None:
    found, script = send_with(outcome)
    assert isinstance(found, expected)
    assert len(script.sent) == 1


def test_redirects_are_errors_and_the_key_goes_nowhere_else() -> None:
    found, script = read_with([httpx2.Response(302, headers={"Location": "https://evil.test/"})])
    assert isinstance(found, RemoteGarbled)
    assert "redirects are not followed" in found.remedy
    assert [one.url.host for one in script.sent] == ["nvcf.test"]


def test_key_and_agent_travel_in_headers() -> None:
    _, script = read_with([answer({"functions": []})])
    headers = script.sent[0].headers
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert headers["User-Agent"].startswith("nvcfplan/")
    assert headers["Accept"] == "application/json"
    assert script.sent[0].url.query == b"visibility=private"


def test_host_header_can_name_what_the_address_does_not() -> None:
    script = Script({LIST: [answer({"functions": []})]})
    target = Target(base_url="http://127.0.0.1:8080/v2/nvcf", token=None, host="api.nvcf.test")

    async def read() -> None:
        transport = httpx2.MockTransport(script)
        async with Client(target, clock=FakeClock(), transport=transport) as client:
            await client.read(reads.list_functions(), FunctionList)

    run(read())
    assert script.sent[0].headers["Host"] == "api.nvcf.test"
    assert "Authorization" not in script.sent[0].headers


@pytest.mark.parametrize(
    "address",
    ["http://api.ngc.nvidia.com/v2/nvcf", "http://10.0.0.1/v2/nvcf", "http://a.localhost.evil/"],
)
def test_a_key_is_not_sent_over_plain_http(address: str) -> None:
    token = Secret(CANARY, SecretReference("k", SecretOrigin.ENV, "k"))
    with pytest.raises(SettingsError, match="not https"):
        Client(Target(base_url=address, token=token), clock=FakeClock())


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/v2/nvcf",
        "http://localhost:1/v2/nvcf",
        "http://[::1]:1/v2/nvcf",
        "https://x/v2/nvcf",
    ],
)
def test_a_key_may_go_to_this_machine_or_over_https(address: str) -> None:
    async def build() -> str:
        token = Secret(CANARY, SecretReference("k", SecretOrigin.ENV, "k"))
        async with Client(Target(base_url=address, token=token), clock=FakeClock()) as client:
            return repr(client)

    assert run(build()) == f"Client({address!r})"


class _Endless(httpx2.AsyncByteStream):
    def __init__(self) -> None:
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.given += 1
            yield b"[" * 1_048_576


def test_an_endless_answer_is_cut_off_and_not_asked_for_again() -> None:
    stream = _Endless()

    async def read() -> RemoteError | None:
        async with client_of(lambda _: httpx2.Response(200, stream=stream)) as client:
            try:
                await client.read(reads.list_functions(), FunctionList)
            except RemoteError as error:
                return error
        return None

    error = run(read())
    assert error is not None
    assert "larger than 32 MiB" in error.summary
    assert stream.given == client_module.MOST_BYTES // 1_048_576 + 1


def test_an_answer_that_never_ends_is_lost_after_the_whole_time_limit() -> None:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError(request)

    target = Target(base_url="http://nvcf.test", token=None, patience=Patience(whole=0.01))

    async def send() -> object:
        async with Client(target, clock=FakeClock(), transport=Silent()) as client:
            return await client.send(DELETE)

    assert isinstance(run(send()), Lost)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "an empty body"),
        (b"<!DOCTYPE html><title>Sign \n in</title>", "an HTML page titled 'Sign in'"),
        (b'{"functions": [', "15 bytes that are not whole JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"functions": NaN}', "not whole JSON"),
        (b'{"functions": "\\ud800"}', "JSON whose text is not Unicode"),
        (b"\xff\xfe", "not"),
        (b'{"functions": [{"id": 5}]}', "functions.0.id must be a string"),
        (b"[]", "the whole must be an object"),
    ],
)
def test_an_answer_that_is_not_the_api_is_told_without_its_values(body: bytes, named: str) -> None:
    error = failed_read(httpx2.Response(200, content=body))
    assert isinstance(error, RemoteGarbled)
    assert named in error.summary
    assert error.route == "GET /v2/nvcf/functions"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b"", Unauthorized, "the answer gives no reason"),
        (403, b'{"error":"no"}', Forbidden, "403: no"),
        (404, b'{"detail":"Not found in account"}', RemoteMissing, "Not found in account"),
        (404, b"<html><title>nginx</title>", RemoteGarbled, "an HTML page titled 'nginx'"),
        (404, b"", RemoteGarbled, "no reason"),
        (429, b"slow down", RateLimited, "slow down"),
        (500, b'{"title":"Oops"}', RemoteUnavailable, "Oops"),
        (400, b'{"message":"bad"}', RemoteError, "bad"),
    ],
)
def test_each_error_body_is_read_and_each_status_has_its_kind(
    status: int, body: bytes, kind: type[RemoteError], words: str
) -> None:
    error = failed_read(httpx2.Response(status, content=body))
    assert type(error) is kind
    assert words in error.summary
    assert error.status == status
    assert error.remedy


def test_gateway_style_gives_code_words_and_request_id() -> None:
    error = failed_read(answer(payload("error-quota-requestStatus.json"), 400))
    assert "INVALID_REQUEST: Validation failed - [All allocated GPU instances" in error.summary
    assert error.request_id == "6f0d9c1e-3a44-4f55-9a3c-0b1c2d3e4f60"


def test_a_refused_key_is_named_by_its_source_and_a_missing_scope_by_its_name() -> None:
    refused = failed_read(httpx2.Response(401))
    assert "the key from NGC_API_KEY" in refused.remedy
    assert "NVCF_TOKEN, NGC_API_KEY" in refused.remedy
    assert "list_functions" in failed_read(httpx2.Response(403)).remedy


def test_foreign_text_is_one_bounded_line_with_nothing_hidden_in_it() -> None:
    hostile = "a\x1b[2J\nb\u202ec\u200b" + "x" * 2000
    error = failed_read(problem(400, hostile))
    assert "\\u001b[2J b\\u202ec\\u200b" in error.summary
    assert error.summary.isprintable()
    assert len(error.summary) < 600


def test_the_key_never_comes_back_in_an_error() -> None:
    for echoed in (CANARY, f"Bearer {CANARY}", CANARY.encode().hex()):
        error = failed_read(problem(400, f"bad header {echoed}"))
        assert echoed not in f"{error} {error.detail} {error.remedy} {error!r}"
    lost = failed_read(httpx2.ConnectError(f"cannot use {CANARY}"))
    assert CANARY not in str(lost)


def test_the_library_does_not_log_addresses_or_headers() -> None:
    logging.getLogger("httpx2").setLevel(logging.DEBUG)
    read_with([answer({"functions": []})])
    assert logging.getLogger("httpx2").level == logging.WARNING
    assert logging.getLogger("httpcore2").level >= logging.WARNING


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    running: list[int] = [0, 0]

    async def slow(__: httpx2.Request) -> httpx2.Response:
        running[0] += 1
        running[1] = max(running)
        for _ in range(3):
            await next_turn()
        running[0] -= 1
        return answer({"functions": []})

    target = Target(base_url="http://nvcf.test", token=None, concurrency=3)

    async def all_at_once() -> None:
        transport = httpx2.MockTransport(slow)
        async with Client(target, clock=FakeClock(), transport=transport) as client:
            sending = (client.send(reads.list_functions()) for _ in range(20))
            await asyncio.gather(*sending)

    run(all_at_once())
    assert running[1] == 3
