"""Brings the outlook up to date with rows that may have changed.

To be called before the outlook is asked; a turn ends with it. What a turn still holds may change
again, so only `let_go` forgets it, where nobody holds anything.
"""

from __future__ import annotations

from nvcfplan.emulator.quota import promise
from nvcfplan.emulator.reconcile import deadline
from nvcfplan.emulator.world import Phase, World


def settle(world: World) -> set[str]:
    """The versions concerned."""
    concerned = set(world.versions.unsettled)
    for id_ in world.versions.unsettled:
        _settle_version(world, id_)
    for id_ in world.instances.unsettled:
        one = world.instances.look(id_)
        is_moving = one is not None and one.phase is not Phase.RUNNING
        world.outlook.expect_move(id_, one.until if one is not None and is_moving else None)
        if one is not None:
            concerned.add(one.version)
    for id_ in world.requests.unsettled:
        request = world.requests.look(id_)
        if request is not None:
            concerned.add(request.version)
    return concerned


def _settle_version(world: World, id_: str) -> None:
    outlook = world.outlook
    version = world.versions.look(id_)
    deployment = version.deployment if version is not None else None
    outlook.set_deployment(id_, deployment.id if deployment is not None else None)
    outlook.set_deadline(id_, deadline(version) if version is not None else None)
    outlook.set_load(id_, version.loads[0].at if version is not None and version.loads else None)
    if world.rules.quotas:
        outlook.set_promised(id_, promise(world.rules, version) if version is not None else None)


def let_go(world: World) -> None:
    """Nothing that was taken from a table before is changed any more."""
    for table in world.tables():
        table.unsettled.clear()


def stir_concerned(world: World) -> None:
    """Settles, lets go, and has the next tick look at every version concerned."""
    world.outlook.restless.update(dict.fromkeys(settle(world)))
    let_go(world)
