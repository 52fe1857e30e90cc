"""Files for drift on a schedule, ready to be copied: as those who read them document them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from typing import TYPE_CHECKING, Final

import click
import jsonschema
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from promql_parser import parse

from nvcfplan.drifting import Oversubscription
from nvcfplan.frontends.cli import GROUP
from nvcfplan.reports import LookOutcome
from nvcfplan.views.metrics import LookCount, render_metrics
from tests.documents.drifts import REPORTS
from tests.scenarios.conftest import ROOT
from tests.scenarios.test_ready_files import read, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES: Final = ROOT / "examples" / "drift"
CI: Final = ROOT / "examples" / "ci"
KUBERNETES: Final = ROOT / "tests" / "schemas-of-others" / "kubernetes" / "batch-1.34.json"
METRIC: Final = re.compile(r"\bnvcfplan_\w+")


def manifests() -> list[dict[str, object]]:
    return list(yaml.safe_load_all((FILES / "cronjob.yaml").read_text(encoding="utf-8")))


def rules() -> list[dict[str, object]]:
    document = yaml.safe_load((FILES / "alerts.yml").read_text(encoding="utf-8"))
    (group,) = document["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def board() -> dict[str, object]:
    found: dict[str, object] = json.loads((FILES / "grafana-board.json").read_text("utf-8"))
    return found


def panels() -> list[dict[str, object]]:
    found = board()["panels"]
    assert isinstance(found, list)
    return found


def expressions() -> Iterator[str]:
    for rule in rules():
        yield str(rule["expr"])
    for panel in panels():
        targets = panel["targets"]
        assert isinstance(targets, list)
        for target in targets:
            yield str(target["expr"])


def labels_by_name() -> dict[str, set[str]]:
    """Of each metric that we write: the labels that it has."""
    count = LookCount(stack="a@b", account="c", outcome=LookOutcome.DRIFTED, number=1)
    report = REPORTS["drifted"]
    assert report.drift is not None
    assert report.drift.pools == (Oversubscription(pool="gcp-1/H100", promised=12, limit=8),)
    text = render_metrics((report,), at=report.looked_at, looks=(count,))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every `nvcfplan drift` that a file types, as words."""
    for workflow in [CI / "github" / "drift.yml"]:
        for step in steps(read(workflow)):
            if "nvcfplan drift" in str(step.get("run", "")):
                yield workflow.name, shlex.split(str(step["run"]).replace("\\\n", " "))
    script = read(CI / "gitlab" / "drift.gitlab-ci.yml")["nvcfplan:drift"]
    assert isinstance(script, dict)
    yield "gitlab", shlex.split(script["script"][0])
    job = manifests()[1]
    yield "cronjob", ["nvcfplan", *_container(job)["args"]]
    yield "service", shlex.split(_unit("nvcfplan-drift.service")["Service"]["ExecStart"])


def _container(job: dict[str, object]) -> dict[str, list[str]]:
    found = json.loads(json.dumps(job))
    (container,) = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def _unit(name: str) -> configparser.ConfigParser:
    """systemd's form: a line that ends in a backslash goes on."""
    text = (FILES / name).read_text(encoding="utf-8").replace("\\\n", " ")
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its documented way to keep case
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("place", range(2))
def test_manifests_are_as_kubernetes_documents_them(place: int) -> None:
    manifest = manifests()[place]
    schema = json.loads(KUBERNETES.read_text(encoding="utf-8"))
    schema["$ref"] = f"#/$defs/{manifest['kind']}"
    jsonschema.Draft202012Validator(schema).validate(manifest)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(manifest | {"specification": {}})


def test_two_looks_never_run_at_once_and_what_was_found_is_kept() -> None:
    claim, job = json.loads(json.dumps(manifests()))
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (memory,) = [one["name"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    (volume,) = [one for one in pod["volumes"] if one["name"] == memory]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (mount,) = [one for one in _container(job)["volumeMounts"] if one["name"] == memory]  # type: ignore[index]  # of JSON
    assert f"-state-dir={mount['mountPath']}" in _container(job)["args"]  # type: ignore[index]  # of JSON


def test_every_command_is_one_that_we_take() -> None:
    context = click.Context(GROUP)
    drift = GROUP.get_command(context, "drift")
    assert drift is not None
    known = {spelling for one in drift.get_params(context) for spelling in one.opts}
    seen = dict(commands())
    assert len(seen) == 4
    for name, words in seen.items():
        typed = [one for one in words if one != "exec"]
        assert typed[0].rpartition("/")[2] == "nvcfplan"
        assert typed[1] == "drift"
        options = {one.partition("=")[0] for one in typed[2:] if one.startswith("-")}
        assert options <= known, name
        assert "-state-dir" in options, name


def test_the_workflow_keeps_what_was_found_from_run_to_run() -> None:
    document = read(CI / "github" / "drift.yml")
    used = {str(one.get("uses", "")).partition("@")[0]: one for one in steps(document)}
    restored, saved = used["actions/cache/restore"], used["actions/cache/save"]
    for step in (restored, saved):
        options = step["with"]
        assert isinstance(options, dict)
        assert options["path"] == ".nvcfplan-drift"
    assert str(saved["if"]).startswith("always()")
    (words,) = [words for name, words in commands() if name == "drift.yml"]
    assert "-state-dir=.nvcfplan-drift" in words


def test_a_look_waits_for_an_apply_and_an_apply_for_a_look() -> None:
    looking, applying = (read(CI / "github" / one) for one in ("drift.yml", "apply-on-merge.yml"))
    assert looking["concurrency"] == applying["concurrency"]
    pipeline = read(CI / "gitlab" / "nvcfplan.gitlab-ci.yml")["nvcfplan:apply"]
    schedule = read(CI / "gitlab" / "drift.gitlab-ci.yml")["nvcfplan:drift"]
    assert isinstance(pipeline, dict)
    assert isinstance(schedule, dict)
    assert pipeline["resource_group"] == schedule["resource_group"]


def test_schedules_are_off_the_hour() -> None:
    on = read(CI / "github" / "drift.yml")["on"]
    assert isinstance(on, dict)
    job = json.loads(json.dumps(manifests()[1]))
    timer = _unit("nvcfplan-drift.timer")["Timer"]["OnCalendar"]
    for schedule in (on["schedule"][0]["cron"], job["spec"]["schedule"], timer.replace("*:", "")):
        minute = re.match(r"\d+", schedule)
        assert minute is not None
        assert int(minute[0]) % 15 not in (0,), schedule


def test_the_timer_starts_the_service() -> None:
    timer = _unit("nvcfplan-drift.timer")
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert _unit("nvcfplan-drift.service")["Service"]["Type"] == "oneshot"


def test_every_expression_is_promql() -> None:
    found = [one.replace("$stack", "s").replace("$environment", "e") for one in expressions()]
    assert len(found) >= 12
    for one in found:
        parse(one)


def test_every_expression_uses_metrics_and_labels_that_we_write() -> None:
    known = labels_by_name()
    used: set[str] = set()
    for expression in expressions():
        names = METRIC.findall(expression)
        assert names, expression
        used.update(names)
        assert set(names) <= known.keys(), expression
        labels = re.findall(r"(\w+)\s*=~?\s*\"", expression)
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            labels += [one.strip() for one in grouped.split(",")]
        assert set(labels) <= set.union(*(known[name] for name in names)), expression
    assert used == known.keys(), "a metric that nobody looks at"


def test_each_alert_says_what_it_is_about() -> None:
    known = set.union(*labels_by_name().values())
    for rule in rules():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        assert annotations["summary"]
        assert set(re.findall(r"\$labels\.(\w+)", str(annotations))) <= known


def test_the_board_asks_the_source_that_its_reader_picks() -> None:
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    templating = board()["templating"]
    assert isinstance(templating, dict)
    names = {one["name"] for one in templating["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels()))) - {"__rate_interval"}
    assert used <= names
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
