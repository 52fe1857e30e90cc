"""One request being served: the world, what it is aimed at, what it carries, what befalls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nvcfplan.emulator.faults import Met
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.targets import Target
from nvcfplan.emulator.world import Deployment, Version, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`content`: the body's JSON object, empty where the call has none."""

    world: World
    target: Target
    query: Mapping[str, str] = field(default_factory=dict)
    content: dict[str, object] = field(default_factory=dict)
    met: Met = field(default_factory=Met)

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

    def flag(self, name: str) -> bool:
        """A boolean query parameter, false by default. Raises Refusal."""
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false"):
            raise bad_request(f"Failed to convert '{name}' to a boolean")
        return value == "true"


def subject(function: str | None, version: str | None) -> str:
    return f"Function id '{function}', version '{version}'"
