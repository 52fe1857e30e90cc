"""One request being served: the world, what it is aimed at, what it carries, what befalls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.emulator.faults import Met
from nvcfplan.emulator.keys import KeyRule
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.targets import Target
from nvcfplan.emulator.world import Deployment, Version, World

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`key`: whose request it is. `speed`: of the clock over HTTP.

    `content`: the body's JSON object, empty where none is read.
    """

    world: World
    target: Target
    key: KeyRule
    incoming: Incoming
    speed: float | None = None
    content: dict[str, object] = field(default_factory=dict)
    met: Met = field(default_factory=Met)

    @property
    def is_admin(self) -> bool:
        """Called by the super-admin's mirror of the account. Source: nvcf-api.md 1.1."""
        return "account" in self.target.named

    def version(self) -> Version:
        """The version that the path names. Raises Refusal. Source: nvcf-api.md 4.3 #1."""
        found = self.world.versions.get(self.target.version or "")
        if found is None or found.function_id != self.target.function:
            account = self.world.rules.nca_id
            where = subject(self.target.function, self.target.version)
            raise not_found(f"{where}: Not found in account '{account}'")
        return found

    def deployment(self) -> tuple[Version, Deployment]:
        """The deployment of the version that the path names. Raises Refusal."""
        version = self.version()
        if version.deployment is None:
            where = subject(version.function_id, version.id)
            raise not_found(f"{where}: Deployment not found")
        return version, version.deployment

    @property
    def query(self) -> Mapping[str, str]:
        return self.incoming.query

    def family(self) -> list[Version]:
        """All versions of the function that the path names, oldest first. Raises Refusal."""
        function = self.target.function or ""
        found = self.world.versions.of("function_id", function)
        if not found:
            account = self.world.rules.nca_id
            raise not_found(f"Function id '{function}': Not found in account '{account}'")
        return found

    def words(self, name: str) -> list[str]:
        """Of a query parameter of several values; empty where it is not there."""
        return [word.strip() for word in self.query.get(name, "").split(",") if word.strip()]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean query parameter. Raises Refusal."""
        value = self.query.get(name, str(default)).lower()
        if value not in ("true", "false"):
            raise bad_request(f"Failed to convert '{name}' to a boolean")
        return value == "true"


def subject(function: str | None, version: str | None) -> str:
    return f"Function id '{function}', version '{version}'"
