"""Registry credentials, and the registries that may have one. Source: nvcf-api.md 2.6."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from nvcfplan.wire.functions import SecretEntry
from nvcfplan.wire.protocol import Answer, Instant, Request


class AddCredentialRequest(Request):
    """The secret's value: `user:password` in base64."""

    registry_hostname: str
    secret: SecretEntry
    artifact_types: list[str]
    tags: list[str] | None = None
    description: str | None = None


class UpdateCredentialRequest(Request):
    """A new secret, artifact types to add, or both. The service calls them `artifactTypeEnums`."""

    secret: SecretEntry | None = None
    artifact_types: list[str] | None = Field(
        default=None,
        validation_alias=AliasChoices("artifactTypeEnums", "artifactTypes"),
        serialization_alias="artifactTypeEnums",
    )


class CredentialAnswer(Answer):
    registry_credential_id: str
    nca_id: str
    registry_credential_name: str
    registry_name: str
    registry_hostname: str
    artifact_types: list[str]
    tags: list[str] | None = None
    description: str | None = None
    provisioned_by: str
    key_type: str | None = None
    last_updated_at: Instant
    created_at: Instant


class OneCredential(Answer):
    registry_credential: CredentialAnswer


class CredentialList(Answer):
    registry_credentials: list[CredentialAnswer]


class RegistryAnswer(Answer):
    name: str
    hostname: str


class RecognizedRegistries(Answer):
    """Keyed by artifact type."""

    recognized_registries: dict[str, list[RegistryAnswer]]
