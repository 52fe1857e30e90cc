"""Images, charts, models and resources: whether they are there, and may be fetched and deployed.

Source: nvcf-api.md 4.2, 4.3 #14, #15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nvcfplan.emulator.refusals import Refusal, bad_request
from nvcfplan.emulator.rules import ArtifactCheck
from nvcfplan.emulator.turns import subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.emulator.world import Version, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """`kind`: CONTAINER, HELM, MODEL or RESOURCE."""

    kind: str
    url: str


def artifacts_of(answer: Mapping[str, object]) -> Iterator[Artifact]:
    """Of a version as the API shows it."""
    for key, kind in (("containerImage", "CONTAINER"), ("helmChart", "HELM")):
        url = answer.get(key)
        if isinstance(url, str) and url:
            yield Artifact(kind=kind, url=url)
    for key, kind in (("models", "MODEL"), ("resources", "RESOURCE")):
        rows = answer.get(key)
        for row in rows if isinstance(rows, list) else ():
            if row.get("uri"):
                yield Artifact(kind=kind, url=str(row["uri"]))


def hostname_of(url: str) -> str:
    """Empty where there is none, as in a path. Images have no scheme."""
    try:
        host = urlsplit(url if "://" in url else f"https://{url}").hostname
    except ValueError:
        return ""
    return host or ""


def check_artifacts(world: World, version: Version) -> None:
    """Raises Refusal where one is missing or lacks a credential, or only tells, by the world."""
    if world.rules.artifact_check is ArtifactCheck.OFF:
        return
    try:
        _refuse_without_credential(world, version)
        _refuse_missing(world, version)
    except Refusal as refusal:
        if world.rules.artifact_check is ArtifactCheck.THROW:
            raise
        world.tell("artifact-unchecked", refusal.detail, version)


def _refuse_without_credential(world: World, version: Version) -> None:
    held = {(one.hostname, kind) for one in world.credentials.values() for kind in one.types}
    for one in artifacts_of(version.answer):
        host = hostname_of(one.url)
        if host and (host, one.kind) not in held:
            raise bad_request(f"Missing {one.kind} registry credential for hostname '{host}'")


def _refuse_missing(world: World, version: Version) -> None:
    gone = {url for url, at in world.rules.vanishing_artifacts if world.time >= at}
    for one in artifacts_of(version.answer):
        if one.url in gone.union(world.rules.missing_artifacts):
            account = world.rules.nca_id
            where = subject(version.function_id, version.id)
            raise bad_request(
                f"Account '{account}', {where}: Artifact '{one.url}' not found in {one.kind}"
                " registry"
            )


def refuse_chart(world: World, version: Version) -> None:
    """What the render-validate service says of the chart. Raises Refusal."""
    chart = version.answer.get("helmChart")
    for url, text in world.rules.refused_charts:
        if url == chart:
            raise bad_request(text)
