"""Telemetry endpoints of an account. Source: nvcf-api.md 2.5."""

from __future__ import annotations

from nvcfplan.wire.functions import SecretEntry
from nvcfplan.wire.protocol import Answer, Instant, Request


class CreateTelemetryRequest(Request):
    """The secret's name is the telemetry's name."""

    endpoint: str
    protocol: str
    provider: str
    types: list[str]
    secret: SecretEntry


class TelemetrySecretRequest(Request):
    secret: SecretEntry


class TelemetryAnswer(Answer):
    telemetry_id: str
    name: str
    endpoint: str
    protocol: str
    provider: str
    types: list[str]
    created_at: Instant


class OneTelemetry(Answer):
    telemetry: TelemetryAnswer


class TelemetryList(Answer):
    telemetries: list[TelemetryAnswer]
