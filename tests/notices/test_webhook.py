"""A notice arrives as signed JSON, once more while its receiver is not well, and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvcfplan.adapters.notices.signing import signature_headers, signing_keys
from nvcfplan.adapters.notices.webhook import Webhook
from nvcfplan.documents import encode_notice, notice_json_schema
from nvcfplan.documents.notice import MOST_ROWS
from nvcfplan.errors import NoticeUndelivered, SettingsError
from nvcfplan.model import Json, Secret, SecretOrigin, SecretReference
from tests.adapters.fakes import FakeClock
from tests.drifting.findings import acknowledged, finding
from tests.notices.notices import looked, noticed
from tests.notices.receiver import SECRET, Receiver, receiving

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice

PATH = "/hooks/canary-path?key=canary-query"


def secret(value: str, name: str = "NVCFPLAN_WEBHOOK_SECRET") -> Secret:
    return Secret(value, SecretReference(name, SecretOrigin.ENV, name))


def notice() -> Notice:
    report, memory = looked(finding("tags"), finding("limit"))
    return noticed(report, memory)[0]


def told(receiver: Receiver, *, clock: FakeClock | None = None) -> Notice:
    sent = notice()
    report, _ = looked()
    with receiving(receiver) as address:
        hook = Webhook(secret(address + PATH), secret(SECRET), clock or FakeClock())
        asyncio.run(hook.tell(sent, report))
    return sent


def test_it_is_signed_as_the_specification_has_it() -> None:
    keys = signing_keys(secret(SECRET), "X")
    headers = signature_headers(
        keys, b'{"test": 2432232314}', notice="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1_614_265_330
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_both_sign() -> None:
    other = "whsec_" + base64.b64encode(b"another secret, of 28 bytes.").decode()
    receiver = Receiver()
    with receiving(receiver) as address:
        hook = Webhook(secret(address), secret(f"{SECRET} {other}"), FakeClock())
        asyncio.run(hook.post("a1", b"{}"))
    (found,) = receiver.received
    assert found.is_signed(SECRET)
    assert found.is_signed(other)


def test_it_arrives_once_signed_with_its_id_and_time() -> None:
    receiver, clock = Receiver(), FakeClock()
    sent = told(receiver, clock=clock)
    (found,) = receiver.received
    assert found.is_signed()
    assert found.headers["webhook-id"] == sent.id == found.document["id"]
    assert found.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    assert found.headers["content-type"] == "application/json"
    assert found.path == PATH


def test_a_receiver_that_is_not_well_is_asked_again_with_the_same_id() -> None:
    receiver, clock = Receiver([(503, {}), (429, {"Retry-After": "7"}), (0, {})]), FakeClock()
    told(receiver, clock=clock)
    assert len(receiver.received) == 4
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert all(one.is_signed() for one in receiver.received)
    assert clock.pauses == [1.0, 7.0, 4.0]


@pytest.mark.parametrize(
    ("answers", "maybe_received"),
    [
        ([(0, {})] * 4, True),
        ([(500, {})] * 4, True),
        ([(502, {}), (404, {})], True),
        ([(429, {})] * 4, False),
        ([(429, {"Retry-After": "3600"})], False),
        ([(400, {})], False),
        ([(401, {})], False),
        ([(410, {})], False),
        ([(302, {"Location": "http://127.0.0.1:9/elsewhere"})], False),
    ],
)
def test_what_does_not_get_through_says_why_and_whether_it_may_have_arrived(
    answers: list[tuple[int, dict[str, str]]], maybe_received: bool
) -> None:
    receiver = Receiver(list(answers))
    with pytest.raises(NoticeUndelivered) as error:
        told(receiver)
    assert error.value.maybe_received is maybe_received
    assert len(receiver.received) == len(answers)
    assert error.value.remedy
    assert "canary" not in "".join((error.value.summary, error.value.detail, error.value.remedy))


def test_a_receiver_that_is_not_there_has_not_received_it() -> None:
    hook = Webhook(secret("http://127.0.0.1:9/canary"), secret(SECRET), FakeClock())
    with pytest.raises(NoticeUndelivered, match=r"127\.0\.0\.1:9 cannot be reached") as error:
        asyncio.run(hook.post("a1", b"{}"))
    assert not error.value.maybe_received


def test_a_quiet_notice_is_nothing_to_post() -> None:
    report, memory = looked()
    receiver = Receiver()
    with receiving(receiver) as address:
        hook = Webhook(secret(address), secret(SECRET), FakeClock())
        asyncio.run(hook.tell(noticed(report, memory)[0], report))
    assert receiver.received == []


@pytest.mark.parametrize(
    "url", ["http://hooks.example/canary", "ftp://x/canary", "canary", "https://", "http://[::x/"]
)
def test_an_address_that_would_tell_everybody_is_refused_unseen(url: str) -> None:
    with pytest.raises(SettingsError) as error:
        Webhook(secret(url), secret(SECRET), FakeClock())
    assert "NVCFPLAN_WEBHOOK_URL" in error.value.summary
    assert "canary" not in error.value.summary + error.value.detail + error.value.remedy


@pytest.mark.parametrize("value", ["canary", "whsec_canary!", "Y2FuYXJ5", "whsec_" + "QUFB" * 40])
def test_a_secret_that_is_none_is_refused_unseen(value: str) -> None:
    with pytest.raises(SettingsError, match="NVCFPLAN_WEBHOOK_SECRET") as error:
        Webhook(secret("https://hooks.example/"), secret(value), FakeClock())
    assert value not in error.value.summary + error.value.detail + error.value.remedy


def test_no_secret_at_all_is_said_to_be_none() -> None:
    with pytest.raises(SettingsError, match="no secret to sign with"):
        signing_keys(secret("  "), "NVCFPLAN_WEBHOOK_SECRET")


def test_its_name_tells_receivers_apart_and_no_secret() -> None:
    hook = Webhook(
        secret("https://user:canary@hooks.example:8443/canary?x=canary"),
        secret(SECRET),
        FakeClock(),
    )
    assert hook.name == "webhook:hooks.example:8443"
    assert "canary" not in repr(hook)


def test_the_committed_schema_is_current_and_every_notice_fits_it() -> None:
    """Rewrite it with `nvcfplan schema notice > schemas/notice.schema.json`."""
    schema = notice_json_schema()
    with open("schemas/notice.schema.json", encoding="utf-8") as file:
        assert json.load(file) == schema
    jsonschema.Draft7Validator.check_schema(schema)
    check = jsonschema.Draft7Validator(schema).validate
    known = acknowledged(finding("limit"), minutes=0, until=600)
    hidden = replace(finding("env"), before=Json('"canary"'), after=None, is_sensitive=True)
    report, memory = looked(finding(), finding("limit"), hidden, acknowledgements=(known,))
    first, memory = noticed(report, memory)
    last, _ = noticed(*looked(memory=memory, minutes=60))
    bodies = [encode_notice(one, tool_version="1") for one in (first, last)]
    for body in bodies:
        check(json.loads(body))
    changed, clean = map(json.loads, bodies)
    assert (changed["type"], clean["type"]) == ("drift.changed", "drift.clean")
    assert changed["counts"] == {"appeared": 2, "cleared": 0, "standing": 2, "acknowledged": 1}
    assert b"canary" not in bodies[0]
    assert changed["standing"][1]["acknowledgement"]["why"] == "known"


def test_a_reminder_says_so() -> None:
    report, memory = looked(finding())
    _, memory = noticed(report, memory)
    later = looked(finding(), memory=memory, minutes=90)
    sent, _ = noticed(*later, remind_every=timedelta(hours=1))
    body = json.loads(encode_notice(sent, tool_version="1"))
    assert (body["type"], body["appeared"]) == ("drift.reminder", [])


def test_of_very_many_findings_the_first_are_named_and_all_are_counted() -> None:
    report, memory = looked(*(finding(f"tag-{number:04}") for number in range(MOST_ROWS + 50)))
    body = json.loads(encode_notice(noticed(report, memory)[0], tool_version="1"))
    assert len(body["appeared"]) == len(body["standing"]) == MOST_ROWS
    assert body["counts"]["appeared"] == body["counts"]["standing"] == MOST_ROWS + 50
