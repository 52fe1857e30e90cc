"""Who is to be told of drift is told once of each change, and the look ends as it would without."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.forges.github_issues import ROOT as GITHUB_ROOT
from tests.forges.kinds import GITHUB, KINDS, Kind
from tests.forges.server import FakeForge, Filed, Reply, serving
from tests.notices.receiver import SECRET, Receiver, receiving
from tests.scenarios.conftest import Said, Workshop, function, stack
from tests.scenarios.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)


@pytest.fixture
def applied(workshop: Workshop) -> Workshop:
    workshop.write("stack.yaml", stack(function("chat", more="tags: [blue]")))
    assert workshop.apply().code == 0
    return workshop


@dataclass(slots=True)
class Watch:
    """Looks at a quarter of an hour's distance, with the channels that are set up."""

    workshop: Workshop
    environment: dict[str, str]
    words: tuple[str, ...]
    forge: FakeForge

    def look(self, *words: str) -> Said:
        self.workshop.emulator().advance(900)
        said = self.workshop.type(
            "drift", "--emulator", *self.words, *words, environment=self.environment
        )
        assert self.forge.breaches == []
        return said

    @property
    def issue(self) -> Filed:
        (found,) = (self.forge.issues or {}).values()
        return found

    def said(self) -> list[str]:
        """The first words of each comment."""
        assert self.forge.issues is not None
        bodies = (one.body for one in self.forge.notes)
        return [next(filter(None, body.splitlines()[1:])) for body in bodies]


@contextmanager
def watching(workshop: Workshop, kind: Kind, *words: str) -> Iterator[Watch]:
    forge = kind.served()
    with serving(forge) as address:
        environment = (
            {
                "GITHUB_API_URL": address + GITHUB_ROOT,
                "GITHUB_REPOSITORY": "acme/stacks",
                "GITHUB_TOKEN": "token-of-bot",
            }
            if kind is GITHUB
            else {
                "CI_API_V4_URL": f"{address}/api/v4",
                "CI_PROJECT_ID": "42",
                "GITLAB_TOKEN": "token-of-bot",
            }
        )
        yield Watch(workshop, environment, (f"-{kind.name}-issue", *words), forge)


def edit(workshop: Workshop, most: int) -> None:
    Hands(workshop).patch(minInstances=1, maxInstances=most)


@KIND
def test_the_issue_has_one_life_over_ten_looks_with_reminders_cleared_and_back(
    applied: Workshop, kind: Kind
) -> None:
    with watching(applied, kind, "-label=drift", "-remind-every=1h") as watch:
        assert watch.look().code == 0
        assert watch.forge.issues == {}
        edit(applied, 3)
        assert "created" in watch.look().err
        assert (watch.issue.is_open, watch.issue.labels) == (True, ["drift"])
        assert "maxInstances" in watch.issue.body
        for _ in range(9):
            watch.look()
        assert [one.split(",")[0] for one in watch.said()] == ["**Still 1 finding**"] * 2
        edit(applied, 2)
        assert "closed" in watch.look().err
        assert not watch.issue.is_open
        assert watch.look().err == ""
        edit(applied, 3)
        assert "reopened" in watch.look().err
        assert watch.issue.is_open
        assert [one.partition(":")[0] for one in watch.said()[2:]] == [
            "**No more drift",
            "**New",
        ]


@KIND
def test_a_look_that_finds_nothing_new_writes_nothing(applied: Workshop, kind: Kind) -> None:
    edit(applied, 3)
    with watching(applied, kind) as watch:
        watch.look()
        watch.forge.seen.clear()
        assert watch.look().err == ""
        assert {one.method for one in watch.forge.seen} == {"GET"}


@KIND
def test_what_worsens_stands_in_the_issue_and_is_no_news(applied: Workshop, kind: Kind) -> None:
    edit(applied, 3)
    with watching(applied, kind) as watch:
        watch.look()
        edit(applied, 4)
        assert "edited" in watch.look().err
        assert "+ 4" in watch.issue.body
        assert watch.said() == []


@KIND
def test_without_memory_of_earlier_looks_nothing_is_said_twice(
    applied: Workshop, kind: Kind
) -> None:
    edit(applied, 3)
    with watching(applied, kind) as watch:
        for _ in range(3):
            watch.look()
            (applied.state_directory / "memory.json").unlink()
        assert watch.said() == []
        assert watch.issue.is_open


@KIND
def test_without_memory_of_earlier_looks_the_issue_is_closed_all_the_same(
    applied: Workshop, kind: Kind
) -> None:
    edit(applied, 3)
    with watching(applied, kind) as watch:
        watch.look()
        edit(applied, 2)
        (applied.state_directory / "memory.json").unlink()
        assert "closed" in watch.look().err
        assert not watch.issue.is_open


def test_a_forge_that_refuses_spoils_nothing_and_is_told_later(applied: Workshop) -> None:
    edit(applied, 3)
    with watching(applied, GITHUB) as watch:
        watch.forge.issues = None
        said = watch.look("-detailed-exitcode")
        assert said.code == 2
        assert "maxInstances" in said.out
        assert "notice-undelivered" in said.err
        assert "turn issues on" in said.err
        watch.forge.issues = {}
        assert "created" in watch.look().err


def test_an_address_is_masked_wherever_it_comes_back(applied: Workshop) -> None:
    """As in the name of a file, say, that somebody has made of it."""
    path = "/services/T0123456/canary-0123456789"
    words = ("drift", "--emulator", f"-metrics-file=no{path}")
    assert "canary" in applied.type(*words).err
    environment = {
        "NVCFPLAN_WEBHOOK_URL": f"https://hooks.invalid{path}",
        "NVCFPLAN_WEBHOOK_SECRET": SECRET,
    }
    said = applied.type(*words, "-webhook", environment=environment)
    assert "no(sensitive value)" in said.err
    assert "canary" not in said.err + said.out


@contextmanager
def hooked(receiver: Receiver) -> Iterator[dict[str, str]]:
    with receiving(receiver) as address:
        yield {
            "NVCFPLAN_WEBHOOK_URL": f"{address}/canary-path",
            "NVCFPLAN_WEBHOOK_SECRET": SECRET,
        }


def test_a_webhook_is_told_what_changes_and_what_it_missed(applied: Workshop) -> None:
    receiver = Receiver()
    with hooked(receiver) as environment:

        def look() -> Said:
            applied.emulator().advance(900)
            return applied.type("drift", "--emulator", "-webhook", environment=environment)

        look()
        edit(applied, 3)
        receiver.answers = [(400, {})]
        assert "did not take the notice" in look().err
        Hands(applied).untag("blue")
        said = look()
        look()
    assert "told of 2 new, 0 gone" in said.err
    assert "canary" not in said.err + said.out
    missed, told = receiver.received
    assert (missed.is_signed(), told.is_signed()) == (True, True)
    assert told.document["counts"] == {
        "appeared": 2, "cleared": 0, "standing": 2, "acknowledged": 0,
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_is_told_too_and_several_channels_do_not_wait_for_each_other(
    applied: Workshop,
) -> None:
    edit(applied, 3)
    receiver = Receiver()
    with receiving(receiver) as address:
        urls = f"json://127.0.0.1:9/canary json://{address.removeprefix('http://')}/canary"
        said = applied.type(
            "drift", "--emulator", "-apprise", environment={"NVCFPLAN_APPRISE_URLS": urls}
        )
    assert said.code == 0
    assert "apprise:1:json was not told" in said.err
    assert "apprise:2:json: told of 1 new, 0 gone" in said.err
    assert "canary" not in said.err
    assert len(receiver.received) == 1


def test_metrics_are_written_whole_and_for_others_to_read(applied: Workshop) -> None:
    edit(applied, 3)
    path = applied.directory / "shop.prom"
    for _ in range(2):
        applied.emulator().advance(900)
        assert applied.type("drift", "--emulator", f"-metrics-file={path}").code == 0
    assert path.stat().st_mode & 0o777 == 0o644
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    found = {one.name: one for one in families}
    (age,) = found["nvcfplan_drift_age_seconds"].samples
    assert age.value == 900
    assert age.labels["class"] == "configuration"
    assert [one.name for one in applied.directory.glob(".shop.prom*")] == []


def test_metrics_of_a_look_that_was_skipped_stay_as_they_were(applied: Workshop) -> None:
    path = applied.directory / "shop.prom"
    applied.type("drift", "--emulator", f"-metrics-file={path}")
    before = path.read_bytes()
    with applied.run_under_way():
        assert applied.type("drift", "--emulator", f"-metrics-file={path}").code == 0
    assert path.read_bytes() == before


def test_metrics_that_cannot_be_written_are_a_warning(applied: Workshop) -> None:
    said = applied.type("drift", "--emulator", f"-metrics-file={applied.directory}/no/shop.prom")
    assert said.code == 0
    assert "the metrics were not written" in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-label=x",), "give -github-issue or -gitlab-issue too"),
        (("-remind-every=1h",), "nobody to remind"),
        (("-webhook", "-remind-every=soon"), "no duration"),
        (("-webhook", "-remind-every=0d"), "no duration"),
        (("-fix", "-webhook"), "with -fix nobody is told"),
        (("-fix", "-metrics-file=x.prom"), "with -fix nobody is told"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    applied: Workshop, words: tuple[str, ...], says: str
) -> None:
    said = applied.type("drift", "--emulator", *words)
    assert said.code == 64
    assert says in " ".join(said.err.split())


@pytest.mark.parametrize(
    ("word", "missing"),
    [
        ("-github-issue", "there is no token for the forge"),
        ("-gitlab-issue", "CI_API_V4_URL is not set"),
        ("-webhook", "NVCFPLAN_WEBHOOK_URL is not set"),
        ("-apprise", "NVCFPLAN_APPRISE_URLS is not set"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_looked_at(
    applied: Workshop, word: str, missing: str
) -> None:
    said = applied.type("drift", "--emulator", "-json", word)
    assert said.code == 1
    assert missing in said.err
    assert json.loads(said.out)["exit_code"] == 1


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("status", [204, 400])
def test_no_secret_of_a_channel_is_said_or_kept(applied: Workshop, status: int) -> None:
    """Whether it takes the notice or refuses it, with all that is logged."""
    edit(applied, 3)
    word = "canary-0123456789abcdef0123456789"
    signing = base64.b64encode(word.encode()).decode()
    receiver = Receiver([(status, {})] * 4)
    with receiving(receiver) as address, watching(applied, GITHUB) as watch:
        watch.forge.tokens = {word: "plan-bot"}
        watch.forge.scripted = [None, Reply(403, {"message": word})] if status == 400 else []
        watch.environment |= {
            "GITHUB_TOKEN": word,
            "NVCFPLAN_WEBHOOK_URL": f"{address}/{word}?key={word}",
            "NVCFPLAN_WEBHOOK_SECRET": signing,
            "NVCFPLAN_APPRISE_URLS": address.replace("http://", f"json://user:{word}@")
            + f"/{word}",
            "NVCFPLAN_LOG": "debug",
        }
        said = watch.look("-webhook", "-apprise", "-metrics-file=shop.prom", "-json")
    assert len(receiver.received) == 2
    assert said.err.count("was not told") == (3 if status == 400 else 0)
    texts = [said.out, said.err]
    files = [one for one in applied.directory.rglob("*") if one.is_file()]
    assert "memory.json" in {one.name for one in files}
    texts += [one.read_bytes().decode("utf-8", "replace") for one in files]
    assert [one for one in texts if word in one or signing in one] == []


@KIND
def test_drift_that_is_acknowledged_closes_the_issue_and_is_said_there(
    applied: Workshop, kind: Kind
) -> None:
    edit(applied, 3)
    with watching(applied, kind) as watch:
        found = watch.look("-json").document["findings"]
        assert isinstance(found, list)
        words = ("drift", "ack", found[0]["fingerprint"], "-why=known to us", "--emulator")
        assert applied.type(*words).code == 0
        assert "closed" in watch.look().err
        assert "known to us" in watch.issue.body
        assert watch.said() == []
        Hands(applied).untag("blue")
        assert "reopened" in watch.look().err
        assert "known to us" in watch.issue.body
