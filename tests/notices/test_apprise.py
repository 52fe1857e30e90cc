"""The real library passes notices on, to a receiver on this machine."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.notices.apprise import NoticeWords, apprise_channels
from nvcfplan.diagnostics import Severity
from nvcfplan.errors import NoticeUndelivered, SettingsError
from nvcfplan.model import Secret, SecretOrigin, SecretReference
from nvcfplan.views.notice_markdown import draw_notice, notice_title
from tests.drifting.findings import finding
from tests.notices.notices import looked, noticed
from tests.notices.receiver import Receiver, receiving

if TYPE_CHECKING:
    from nvcfplan.adapters.notices.apprise import AppriseChannel
    from nvcfplan.drifting import Notice

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""The library loads a module that Python 3.13 lacks, and brings its own from there on."""

NAME = "NVCFPLAN_APPRISE_URLS"
GRAVE = finding("deployment", severity=Severity.ERROR)


class Words(NoticeWords):
    def title(self, notice: Notice) -> str:
        return notice_title(notice)

    def body(self, notice: Notice) -> str:
        return draw_notice(notice)


def channels(urls: str) -> tuple[AppriseChannel, ...]:
    return apprise_channels(Secret(urls, SecretReference(NAME, SecretOrigin.ENV, NAME)), Words())


def url_of(address: str, path: str = "canary-path") -> str:
    return f"json://user:canary-word@{address.removeprefix('http://')}/{path}"


def told(channel: AppriseChannel) -> None:
    """First of a grave finding, then that it has gone."""
    report, memory = looked(GRAVE)
    notice, memory = noticed(report, memory)
    asyncio.run(channel.tell(notice, report))
    report, memory = looked(memory=memory, minutes=60)
    asyncio.run(channel.tell(noticed(report, memory)[0], report))


def test_what_changes_is_passed_on_with_how_grave_it_is() -> None:
    receiver = Receiver()
    with receiving(receiver) as address:
        (channel,) = channels(url_of(address))
        told(channel)
    first, last = (one.document for one in receiver.received)
    assert (first["type"], last["type"]) == ("failure", "success")
    assert (first["title"], last["title"]) == ("Drift of shop@prod", "No more drift of shop@prod")
    assert "function.chat" in str(first["message"])


def test_each_address_is_a_channel_of_its_own() -> None:
    names = [one.name for one in channels("json://127.0.0.1:9/a\n  xml://127.0.0.1:9/canary ")]
    assert names == ["apprise:1:json", "apprise:2:xml"]


def test_a_quiet_notice_is_nothing_to_say() -> None:
    receiver = Receiver()
    with receiving(receiver) as address:
        (channel,) = channels(url_of(address))
        report, memory = looked()
        asyncio.run(channel.tell(noticed(report, memory)[0], report))
    assert receiver.received == []


@pytest.mark.parametrize("status", [400, 500, 0])
def test_what_is_not_taken_says_why_without_the_address(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = Receiver([(status, {})] * 2)
    with receiving(receiver) as address:
        (channel,) = channels(url_of(address))
        with pytest.raises(NoticeUndelivered, match="apprise:1:json") as error:
            told(channel)
    assert error.value.detail
    shown = "".join((error.value.summary, error.value.detail, error.value.remedy, caplog.text))
    assert "canary" not in shown + repr(channel)


def test_an_address_that_nobody_knows_is_named_by_its_place() -> None:
    with pytest.raises(SettingsError, match="address 2 in NVCFPLAN_APPRISE_URLS") as error:
        channels("json://127.0.0.1:9/a nosuch://canary")
    assert "canary" not in error.value.summary + error.value.detail + error.value.remedy


def test_without_the_library_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsError, match="not installed") as error:
        channels("json://127.0.0.1:9/a")
    assert "nvcfplan[notify]" in error.value.remedy


def test_the_library_is_loaded_by_nobody_who_does_not_ask_for_it() -> None:
    code = "import sys, nvcfplan.frontends.notifying as _; print('apprise' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
