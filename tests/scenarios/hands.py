"""Somebody else at work on the account, through the same API; and a provider who reorganises."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.codec import from_text, to_text
from nvcfplan.emulator.rules import WorldFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scenarios.conftest import Workshop

Row = dict[str, object]


class Hands:
    """Does to the function `key` what a person with the account's key could."""

    def __init__(self, workshop: Workshop, key: str = "chat") -> None:
        self.workshop = workshop
        self.key = key

    def version(self) -> Row:
        """The newest of the function's."""
        return [one for one in self.workshop.account() if one["name"] == self.key][-1]

    def deployment(self) -> Row:
        found = self.version()["deployment"]
        assert isinstance(found, dict)
        return found

    def specification(self) -> Row:
        found = self.deployment()["deploymentSpecifications"]
        assert isinstance(found, list)
        first: Row = found[0]
        return first

    def path(self, kind: str = "functions") -> str:
        version = self.version()
        return f"{kind}/{version['id']}/versions/{version['versionId']}"

    def metadata(self, **fields: object) -> None:
        self.workshop.ask(self.path("metadata/functions"), method="PUT", body=fields)

    def tags(self) -> list[str]:
        found = self.version()["tags"]
        assert isinstance(found, list)
        return [str(one) for one in found]

    def tag(self, *tags: str) -> None:
        self.metadata(tags=[*self.tags(), *tags])

    def untag(self, *starts: str) -> None:
        self.metadata(tags=[one for one in self.tags() if not one.startswith(starts)])

    def patch(self, **fields: object) -> None:
        """One specification."""
        deployment, specification = self.deployment(), self.specification()
        self.workshop.ask(
            f"deployments/{deployment['deploymentId']}"
            f"/gpu-specifications/{specification['gpuSpecificationId']}",
            method="PATCH",
            body=fields,
        )

    def put(self, **fields: object) -> None:
        """The whole deployment, with these fields of its one specification."""
        kept = ("gpu", "instanceType", "minInstances", "maxInstances", "backend", "clusters")
        row = self.specification()
        entry = {name: row[name] for name in kept if row.get(name) is not None}
        entry["maxRequestConcurrency"] = row.get("maxRequestConcurrency", 1)
        entry["gpuSpecificationId"] = row["gpuSpecificationId"]
        self.workshop.ask(
            self.path("deployments/functions"),
            method="PUT",
            body={"deploymentSpecifications": [entry | fields]},
        )

    def undeploy(self, *, waits: bool = True) -> None:
        self.workshop.ask(self.path("deployments/functions"), method="DELETE")
        if waits:
            self.workshop.emulator().advance(1200)

    def deploy(self, **fields: object) -> None:
        entry: Row = {
            "gpu": "H100",
            "instanceType": "a3-highgpu-8g_2x",
            "backend": "GCP-ASIASE1-A",
            "minInstances": 1,
            "maxInstances": 2,
        }
        self.workshop.ask(
            self.path("deployments/functions"),
            method="POST",
            body={"deploymentSpecifications": [entry | fields]},
        )
        self.workshop.emulator().advance(900)

    def delete(self) -> None:
        self.undeploy()
        self.workshop.ask(self.path(), method="DELETE")

    def publish(self, *, deploys: bool = True, **fields: object) -> None:
        """Another version, not by us: without our tags."""
        function = self.version()["id"]
        body: Row = {
            "name": self.key,
            "inferenceUrl": "/run",
            "inferencePort": 8000,
            "containerImage": f"nvcr.io/acme/{self.key}:theirs",
        }
        self.workshop.ask(f"functions/{function}/versions", method="POST", body=body | fields)
        if deploys:
            self.deploy()

    def share(self, *parties: str) -> None:
        body = {"authorizedParties": [{"ncaId": one} for one in parties]}
        function = self.version()["id"]
        self.workshop.ask(f"authorizations/functions/{function}", method="POST", body=body)

    def unshare(self) -> None:
        self.workshop.ask(f"authorizations/functions/{self.version()['id']}", method="DELETE")

    def secret(self, name: str, value: str) -> None:
        body = {"secrets": [{"name": name, "value": value}]}
        self.workshop.ask(self.path("secrets/functions"), method="PUT", body=body)


def reorganise(workshop: Workshop, change: Callable[[WorldFile], WorldFile]) -> None:
    """The provider changes what there is, in the file that the world is kept in."""
    with closing(sqlite3.connect(workshop.emulator_file)) as database, database:
        (text,) = database.execute("SELECT rules FROM world").fetchone()
        changed = to_text(change(from_text(WorldFile, text)))
        database.execute("UPDATE world SET rules = ?", (changed,))


def without_cluster(name: str) -> Callable[[WorldFile], WorldFile]:
    def change(world: WorldFile) -> WorldFile:
        return replace(world, clusters=tuple(one for one in world.clusters if one.name != name))

    return change
