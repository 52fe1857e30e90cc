"""Which forge a CI job belongs to, as whom, and for which request: by what the forge itself says.

Nothing of it comes from an artifact: who could write the number of a request into a file could have
a comment put anywhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.forges import github, gitlab
from nvcfplan.adapters.forges.target import ForgeTarget
from nvcfplan.errors import SettingsError
from nvcfplan.model import Secret, SecretOrigin, SecretReference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_EVENT_BYTES: Final = 8 * 1024 * 1024
_GITHUB_TOKENS: Final = ("NVCFPLAN_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
_GITLAB_TOKENS: Final = ("NVCFPLAN_FORGE_TOKEN", "GITLAB_TOKEN")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_-]+/(?!\.+$)[A-Za-z0-9._-]+")
_PUBLIC_GITHUB: Final = "https://api.github.com"


class ForgeKind(StrEnum):
    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`project`: `OWNER/NAME`, or what GitLab calls it. `request` None: the event names none; then
    `commit` and `source` tell it. `branch`: that it runs on; empty: it runs on a request, or is not
    known. `run_url`: where this job can be looked at.
    """

    kind: ForgeKind
    target: ForgeTarget
    project: str
    request: int | None
    commit: str
    source: str
    branch: str
    run_url: str


def kind_of(environment: Mapping[str, str]) -> ForgeKind | None:
    """None: this is no job of either."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return ForgeKind.GITHUB
    return ForgeKind.GITLAB if environment.get("GITLAB_CI") == "true" else None


def read_job(kind: ForgeKind, environment: Mapping[str, str]) -> Job:
    """Raises: SettingsError, naming the variable that is missing."""
    return _github(environment) if kind is ForgeKind.GITHUB else _gitlab(environment)


def _github(environment: Mapping[str, str]) -> Job:
    base = environment.get("GITHUB_API_URL", "").rstrip("/") or _PUBLIC_GITHUB
    token, source = _token(environment, _GITHUB_TOKENS)
    project = _required(environment, "GITHUB_REPOSITORY", "OWNER/NAME of the repository")
    if not _REPOSITORY.fullmatch(project):
        raise SettingsError(
            "GITHUB_REPOSITORY does not name a repository",
            remedy="it is OWNER/NAME, as the forge writes it",
        )
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    number, commit, proposed = _proposal(event)
    server, run = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_RUN_ID", "")
    return Job(
        kind=ForgeKind.GITHUB,
        target=ForgeTarget(
            base_url=base,
            token=token,
            token_source=source,
            header=("Authorization", "Bearer"),
            headers=github.HEADERS,
        ),
        project=project,
        request=number,
        commit=commit or environment.get("GITHUB_SHA", ""),
        source=proposed,
        branch=_branch(environment.get("GITHUB_REF", "")),
        run_url=f"{server}/{project}/actions/runs/{run}" if server and run else "",
    )


def _gitlab(environment: Mapping[str, str]) -> Job:
    base = _required(environment, "CI_API_V4_URL", "address of the API, ending in /api/v4")
    token, source = _token(environment, _GITLAB_TOKENS)
    number = environment.get("CI_MERGE_REQUEST_IID", "")
    head = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")
    project = _required(environment, "CI_PROJECT_ID", "number or path of the project")
    return Job(
        kind=ForgeKind.GITLAB,
        target=ForgeTarget(
            base_url=base.rstrip("/"),
            token=token,
            token_source=source,
            header=("PRIVATE-TOKEN", ""),
            headers=gitlab.HEADERS,
        ),
        project=project,
        request=int(number) if number.isdecimal() else None,
        commit=head or environment.get("CI_COMMIT_SHA", ""),
        source="",
        branch=environment.get("CI_COMMIT_BRANCH", ""),
        run_url=environment.get("CI_JOB_URL", ""),
    )


def _branch(reference: str) -> str:
    """Of a request it is `refs/pull/7/merge`."""
    name = reference.removeprefix("refs/heads/")
    return "" if name == reference else name


def _proposal(event: Mapping[str, object]) -> tuple[int | None, str, str]:
    """Number, commit and source of the request that an event is about.

    Of a run that another run set off the numbers are missing for forks, so it is told by commit and
    branch. Source: docs.github.com, "Events that trigger workflows", `workflow_run`.
    """
    pull = event.get("pull_request")
    if isinstance(pull, dict):
        head = pull.get("head")
        return _number(pull), _text(head, "sha"), ""
    run = event.get("workflow_run")
    if isinstance(run, dict):
        repository = _text(run.get("head_repository"), "full_name")
        return None, _text(run, "head_sha"), f"{repository}:{_text(run, 'head_branch')}"
    issue = event.get("issue")
    if isinstance(issue, dict) and "pull_request" in issue:
        return _number(issue), "", ""
    return None, "", ""


def _event(path: str) -> Mapping[str, object]:
    """Empty without one. Raises: SettingsError."""
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_EVENT_BYTES + 1)
        found: object = json.loads(content) if len(content) <= _MOST_EVENT_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise _no_event(path) from error
    if not isinstance(found, dict):
        raise _no_event(path)
    return found


def _no_event(path: str) -> SettingsError:
    return SettingsError(
        f"the event in {path} cannot be read",
        detail="GITHUB_EVENT_PATH names it; it tells which request this is about",
        remedy="run this in a job of the forge, or name the request with -request",
    )


def _number(row: Mapping[str, object]) -> int | None:
    value = row.get("number")
    return value if type(value) is int and value > 0 else None


def _text(row: object, name: str) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def _token(environment: Mapping[str, str], names: Sequence[str]) -> tuple[Secret, str]:
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            return Secret(value, SecretReference(name, SecretOrigin.ENV, name)), name
    raise SettingsError(
        "there is no token for the forge",
        detail=f"looked at {', '.join(names)}",
        remedy=f"set {names[-2] if len(names) > 2 else names[-1]} in the environment of this step",
    )


def _required(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(
            f"{name} is not set: the {what}",
            remedy="run this in a job of the forge, or set it yourself",
        )
    return value
