"""Requests of callers that wait for a version. Source: nvcf-api.md 2.7."""

from __future__ import annotations

from nvcfplan.wire.protocol import Answer


class QueueAnswer(Answer):
    function_version_id: str
    function_name: str
    function_status: str
    queue_depth: int


class QueuesAnswer(Answer):
    function_id: str
    queues: list[QueueAnswer]


class QueuePosition(Answer):
    """GET `/queues/{requestId}/position`: how many are before a caller's request."""

    function_id: str
    function_version_id: str
    position_in_queue: int
