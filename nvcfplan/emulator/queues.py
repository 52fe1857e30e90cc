"""How many requests wait for a function's deployed versions. Source: nvcf-api.md 2.7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.refusals import not_found
from nvcfplan.emulator.sharing import refuse_public, shared_by
from nvcfplan.emulator.world import Status
from nvcfplan.wire.queues import QueueAnswer, QueuesAnswer

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import SharedFunctionRule
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import Version

_WITH_QUEUE = frozenset({Status.ACTIVE, Status.DEPLOYING})


def read_queues(turn: Turn) -> dict[str, object]:
    """Those of one version or of all, as the path says; 404 where none is ACTIVE or DEPLOYING."""
    refuse_public(turn, verb="check queue depth of a")
    function, version = turn.target.function or "", turn.target.version
    shared = [one for one in shared_by(turn.world, function) if version in (None, one.version_id)]
    if shared:
        found = [_shared_queue(one) for one in shared if one.status in _WITH_QUEUE]
    else:
        own = [turn.version()] if version else turn.family()
        found = [_queue(turn, one) for one in own if one.status in _WITH_QUEUE]
    if not found:
        raise not_found(
            f"Function id '{function}': Queue not found - Function is likely not deployed"
        )
    return QueuesAnswer(function_id=function, queues=found).to_json()


def read_position(turn: Turn) -> dict[str, object]:
    """Never found: nobody invokes a function here, callers are only counted."""
    id_ = turn.target.named["invocation"]
    raise not_found(
        f"Function invocation request id '{id_}': Invocation request message is not in pending or"
        " in progress state"
    )


def _queue(turn: Turn, version: Version) -> QueueAnswer:
    return QueueAnswer(
        function_version_id=version.id,
        function_name=version.name,
        function_status=str(version.status),
        queue_depth=version.queue.at(turn.world.time),
    )


def _shared_queue(rule: SharedFunctionRule) -> QueueAnswer:
    return QueueAnswer(
        function_version_id=rule.version_id,
        function_name=rule.name,
        function_status=rule.status,
        queue_depth=rule.queue_depth,
    )
