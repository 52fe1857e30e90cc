"""Each case runs twice: over the emulator's transport and over HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.houses import Houses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.remote import Remote


@pytest.fixture(scope="session")
def houses() -> Iterator[Houses]:
    standing = Houses()
    yield standing
    standing.close()


@pytest.fixture(params=["in process", "over http"])
def remote(request: pytest.FixtureRequest, houses: Houses) -> Remote:
    """Of the world `lab`, unless the case is marked with another `world`."""
    mark = request.node.get_closest_marker("world")
    name, knobs = (mark.args[0], mark.kwargs) if mark else ("lab", {})
    return houses.remote(name, knobs, request.param)
