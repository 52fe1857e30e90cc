"""What all of the API's JSON has in common: case, absence, and both styles of error body.

Source: nvcf-api.md 1.3 and 4.1.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, JsonValue, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

AnswerModel = type[BaseModel]
"""What a body that we read may be a model of; not always an object."""


SENT_AS_NULL: dict[str, JsonValue] = {"x-sent-as-null": True}
"""`json_schema_extra` of an answer's field that is null rather than absent."""


def _stamped(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Instant = Annotated[
    datetime,
    PlainSerializer(_stamped, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""ISO-8601 in UTC, always with a fraction. Source: nvcf-api.md 1.3."""


class Answer(BaseModel):
    """A body we read: unknown fields are kept, absent and null are the same."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True
    )

    def to_json(self) -> dict[str, object]:
        """As the service sends it: absent and null fields are omitted."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Request(BaseModel):
    """A body we send. A server that reads one ignores unknown fields; omitted is not null."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )

    def to_json(self) -> dict[str, object]:
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ProblemDetail(Answer):
    """Service style, `application/problem+json`."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


class RequestStatus(Answer):
    status_code: str | None = None
    status_description: str | None = None
    request_id: str | None = None


class GatewayError(Answer):
    """NGC front style."""

    request_status: RequestStatus


class AllocatorError(Answer):
    """The allocator's own. Source: nvcf-api.md 2.3."""

    error: str
