"""The clients of both forges, over real sockets, against servers that refuse the undocumented."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from nvcfplan.adapters.forges.session import Pace, Session
from nvcfplan.adapters.forges.target import ForgeTarget
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
from nvcfplan.model import Secret, SecretOrigin, SecretReference
from nvcfplan.reports import CommitState, CommitStatus
from tests.forges.kinds import GITHUB, GITLAB, KINDS, START, Kind, Time, run
from tests.forges.server import FakeForge, Reply, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvcfplan.reports import Forge

T = TypeVar("T")
KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)


def _asked(
    kind: Kind,
    forge: FakeForge,
    work: Callable[[Forge], Awaitable[T]],
    *,
    token: str = "token-of-bot",
    time: Time | None = None,
) -> T:
    async def scenario(address: str) -> T:
        async with kind.client(address, token=token, time=time) as client:
            return await work(client)

    with serving(forge) as address:
        found = run(scenario(address))
    assert forge.breaches == []
    return found


@KIND
def test_a_comment_is_made_read_edited_and_deleted(kind: Kind) -> None:
    async def work(client: Forge) -> None:
        made = await client.create(7, "one")
        assert made.author == await client.author() == kind.me
        edited = await client.edit(7, made.id, "two")
        assert edited is not None
        assert [one.body for one in await client.comments(7)] == ["two"]
        await client.delete(7, made.id)
        await client.delete(7, made.id)
        assert await client.edit(7, made.id, "three") is None
        assert await client.comments(7) == ()

    _asked(kind, kind.served(), work)


@KIND
def test_all_pages_are_read_oldest_first(kind: Kind) -> None:
    forge = kind.served()
    written = [forge.write(kind.other, f"note {number}").id for number in range(230)]
    found = _asked(kind, forge, lambda client: client.comments(7))
    assert [one.id for one in found] == written
    assert len(forge.seen) == 3


@KIND
def test_open_requests_are_read_and_no_more_than_are_worth_it(kind: Kind) -> None:
    forge = kind.served()
    forge.open = {number: (f"{number:040x}", "main") for number in range(1, 120)}
    found = _asked(kind, forge, lambda client: client.open_requests())
    assert [one.number for one in found] == list(range(1, 51))
    assert found[0].head == f"{1:040x}"
    assert found[0].base == "main"
    assert len(forge.seen) == 1


@KIND
def test_more_open_requests_are_read_page_by_page_when_they_are_wanted(kind: Kind) -> None:
    forge = kind.served()
    forge.open = {number: (f"{number:040x}", "main") for number in range(1, 252)}
    found = _asked(kind, forge, lambda client: client.open_requests(1_000))
    assert [one.number for one in found] == list(range(1, 252))


@KIND
def test_a_request_whose_fork_is_deleted_is_one_all_the_same(kind: Kind) -> None:
    forge = kind.served()
    head = {"sha": "a" * 40, "ref": "change", "repo": None}
    row: dict[str, object] = {"number": 7, "head": head, "base": {"ref": "main"}}
    if kind is GITLAB:
        row = {"iid": 7, "sha": None, "source_project_id": None}
        row |= {"source_branch": "change", "target_branch": "main"}
    forge.scripted = [Reply(200, [row])]
    (found,) = _asked(kind, forge, lambda client: client.open_requests())
    assert (found.number, found.source, found.base) == (7, ":change", "main")


@KIND
def test_a_status_is_set_on_the_commit(kind: Kind) -> None:
    forge = kind.served()
    status = CommitStatus(
        context="nvcfplan/shop@default",
        state=CommitState.BAD,
        description="x" * 139 + "yz" if kind is GITHUB else "x",
        url="https://forge.test/run/1",
    )
    _asked(kind, forge, lambda client: client.set_status("b" * 40, status))
    (found,) = forge.statuses
    assert found["commit"] == "b" * 40
    assert found["state"] == {"github": "failure", "gitlab": "failed"}[kind.name]
    assert found["target_url"] == "https://forge.test/run/1"


@KIND
def test_a_body_beyond_the_limit_is_refused_with_the_forges_own_words(kind: Kind) -> None:
    with pytest.raises(RemoteError, match="refused") as refused:
        _asked(kind, kind.served(), lambda client: client.create(7, "x" * (kind.limit + 1)))
    assert refused.value.status == {"github": 422, "gitlab": 400}[kind.name]
    assert "too long" in refused.value.detail


@KIND
def test_a_body_at_the_limit_is_taken(kind: Kind) -> None:
    found = _asked(kind, kind.served(), lambda client: client.create(7, "x" * kind.limit))
    assert len(found.body) == kind.limit


@KIND
@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Unauthorized), (403, Forbidden), (404, RemoteMissing), (500, RemoteUnavailable)],
)
def test_what_a_forge_refuses_is_said_with_the_permission_it_takes(
    kind: Kind, status: int, error: type[RemoteError]
) -> None:
    forge, far = kind.served(), "x" * 269 + "token-of-bot"
    forge.scripted = [Reply(status, {"message": f"no\u202e\nway, token-of-bot {far}"})] * 5
    with pytest.raises(error) as refused:
        _asked(kind, forge, lambda client: client.comments(7))
    assert refused.value.status == status
    assert refused.value.remedy
    assert "\u202e" not in refused.value.detail
    assert "token-of-" not in str(refused.value) + refused.value.detail


@KIND
def test_a_stranger_is_told_so(kind: Kind) -> None:
    with pytest.raises(Unauthorized) as refused:
        _asked(kind, kind.served(), lambda client: client.comments(7), token="unknown-token")
    assert "FORGE_TOKEN" in refused.value.remedy
    assert "unknown-token" not in repr(refused.value) + refused.value.remedy


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(START) + 90)}, 91.0),
        ({"X-RateLimit-Remaining": "0"}, 60.0),
    ],
)
def test_a_rate_limit_is_waited_for_as_long_as_the_forge_says(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    forge, time = GITHUB.served(), Time()
    forge.scripted = [Reply(status, {"message": "rate limit exceeded"}, headers)]
    _asked(GITHUB, forge, lambda client: client.create(7, "one"), time=time)
    assert time.slept == [seconds]
    assert forge.bodies() == ["one"]


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_is_told_in_words_alone_is_waited_for_longer_each_time(status: int) -> None:
    """As GitHub's secondary limits: the window of the other limit, told as ever, is no matter."""
    forge, time = GITHUB.served(), Time()
    said = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    headers = {"X-RateLimit-Remaining": "4321", "X-RateLimit-Reset": str(int(START) + 3_000)}
    forge.scripted = [None, Reply(status, said, headers), Reply(status, said, headers)]
    for number in range(150):
        forge.write("plan-bot", f"note {number}")
    found = _asked(GITHUB, forge, lambda client: client.comments(7), time=time)
    assert len(found) == 150
    assert time.slept == [60.0, 120.0]


def test_a_limit_that_never_ends_is_given_up_and_says_how_long_it_wanted() -> None:
    forge, time = GITHUB.served(), Time()
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(START) + 90)}
    forge.scripted = [Reply(403, {"message": "rate limit exceeded"}, limit)] * 5
    with pytest.raises(RateLimited) as limited:
        _asked(GITHUB, forge, lambda client: client.comments(7), time=time)
    assert limited.value.retry_after_seconds is not None
    assert limited.value.retry_after_seconds <= 91


def test_gitlabs_own_header_of_the_limit_is_heeded() -> None:
    forge, time = GITLAB.served(), Time()
    forge.scripted = [Reply(429, None, {"RateLimit-Reset": str(int(START) + 12)})]
    _asked(GITLAB, forge, lambda client: client.comments(7), time=time)
    assert time.slept == [13.0]


@KIND
def test_a_limit_that_lasts_too_long_is_given_up(kind: Kind) -> None:
    forge, time = kind.served(), Time()
    forge.scripted = [Reply(429, None, {"Retry-After": "7200"})]
    with pytest.raises(RateLimited) as limited:
        _asked(kind, forge, lambda client: client.comments(7), time=time)
    assert limited.value.retry_after_seconds == 7200
    assert time.slept == []


@KIND
def test_a_read_and_an_edit_are_repeated_when_the_forge_is_unwell(kind: Kind) -> None:
    forge = kind.served()
    note = forge.write(kind.me, "one")

    async def work(client: Forge) -> None:
        forge.scripted = [Reply(502), Reply(0), None]
        assert len(await client.comments(7)) == 1
        forge.scripted = [Reply(503), None]
        assert await client.edit(7, note.id, "two") is not None

    _asked(kind, forge, work)
    assert forge.bodies() == ["two"]


@KIND
@pytest.mark.parametrize("status", [0, 500, 502])
def test_a_comment_that_may_have_been_made_is_not_made_again(kind: Kind, status: int) -> None:
    forge = kind.served()
    forge.scripted = [Reply(status)]
    with pytest.raises(RemoteUnavailable):
        _asked(kind, forge, lambda client: client.create(7, "one"))
    assert len(forge.seen) == 1


@KIND
@pytest.mark.parametrize(
    "raw", [b"<html>", b"[1]", b"{}", b'[{"id": "x"}]', b'[{"id": true, "body": ""}]', b"\xff"]
)
def test_an_answer_that_is_not_as_documented_is_said_to_be_so(kind: Kind, raw: bytes) -> None:
    forge = kind.served()
    forge.scripted = [Reply(200, raw=raw)]
    with pytest.raises(RemoteGarbled):
        _asked(kind, forge, lambda client: client.comments(7))


@KIND
def test_no_redirect_is_followed_with_the_token(kind: Kind) -> None:
    forge = kind.served()
    forge.scripted = [Reply(302, None, {"Location": "http://127.0.0.1:9/elsewhere"})]
    with pytest.raises(RemoteError) as refused:
        _asked(kind, forge, lambda client: client.comments(7))
    assert refused.value.status == 302
    assert len(forge.seen) == 1


def test_a_token_of_an_installation_is_the_bot_of_actions() -> None:
    forge = GITHUB.served()
    forge.tokens = {"ghs_1234": "github-actions[bot]"}
    found = _asked(GITHUB, forge, lambda client: client.author(), token="ghs_1234")
    assert found == "github-actions[bot]"


def test_a_forge_that_is_not_there_is_named() -> None:
    async def work() -> None:
        async with GITHUB.client("http://127.0.0.1:9") as client:
            await client.comments(7)

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        run(work())


def test_a_token_never_travels_in_the_clear() -> None:
    secret = Secret("canary", SecretReference("TOKEN", SecretOrigin.ENV, "TOKEN"))
    target = ForgeTarget(
        base_url="http://forge.example/api/v3",
        token=secret,
        token_source="GITHUB_TOKEN",
        header=("Authorization", "Bearer"),
    )
    with pytest.raises(SettingsError, match="not https"):
        Session(target, Pace(now=lambda: 0.0, sleep=Time().sleep))
    assert "canary" not in repr(target)


@pytest.mark.parametrize(
    "address",
    [
        "", "https://", "http://[", "https://h:99999/api", "https://u:p4ss@h/api", "https://a b/",
        "h/api", "https://h/api?x=1", "https://h\n/api", "https://\u0445/api",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_and_not_repeated(address: str) -> None:
    target = replace(GITHUB.target("", "canary"), base_url=address)
    with pytest.raises(SettingsError, match="address") as refused:
        Session(target, Pace(now=lambda: 0.0, sleep=Time().sleep))
    assert "p4ss" not in str(refused.value) + refused.value.detail


@pytest.mark.parametrize(
    "token", ["canary\nX: y", "canary canary", "\u043a\u043b\u044e\u0447", "x\x00"]
)
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(SettingsError, match="FORGE_TOKEN") as refused:
        Session(
            GITHUB.target("http://127.0.0.1:9", token), Pace(now=lambda: 0.0, sleep=Time().sleep)
        )
    said = str(refused.value) + refused.value.detail + refused.value.remedy
    assert token not in said
    assert "canary" not in said
