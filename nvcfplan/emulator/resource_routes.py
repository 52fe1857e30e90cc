"""The routes of what an account has beside functions and deployments: rows 16 to 22.

Source: nvcf-api.md 1.2, 2.1, 2.4 to 2.7.
"""

from __future__ import annotations

from nvcfplan.emulator.layouts import Query, QueryKind, Route
from nvcfplan.emulator.resources import ARTIFACT_TYPES, PROVISIONERS
from nvcfplan.wire.accounts import SupportedGpus
from nvcfplan.wire.authorizations import (
    AuthorizationRequest,
    AuthorizationsList,
    AuthorizationsRequest,
    OneAuthorizations,
)
from nvcfplan.wire.functions import UpdateFunctionRequest
from nvcfplan.wire.queues import QueuePosition, QueuesAnswer
from nvcfplan.wire.registries import (
    AddCredentialRequest,
    CredentialList,
    OneCredential,
    RecognizedRegistries,
    UpdateCredentialRequest,
)
from nvcfplan.wire.telemetries import (
    CreateTelemetryRequest,
    OneTelemetry,
    TelemetryList,
    TelemetrySecretRequest,
)

_FUNCTION = "functions/{function}"
_VERSION = "functions/{function}/versions/{version}"


def _authorizations(path: str) -> tuple[Route, ...]:
    """The same five calls for a function and for a version of it."""
    row, scopes = "2.1#18", ("authorize_clients",)
    place = f"authorizations/{path}"
    return (
        Route(
            name="read-authorizations",
            method="GET",
            path=place,
            row=row,
            scopes=scopes,
            answer=AuthorizationsList if path == _FUNCTION else OneAuthorizations,
        ),
        Route(
            name="authorize",
            method="POST",
            path=place,
            row=row,
            scopes=scopes,
            request=AuthorizationsRequest,
            answer=OneAuthorizations,
        ),
        Route(
            name="clear-authorizations",
            method="DELETE",
            path=place,
            row=row,
            scopes=scopes,
            answer=OneAuthorizations,
        ),
        Route(
            name="add-authorization",
            method="PATCH",
            path=f"{place}/add",
            row=row,
            scopes=scopes,
            request=AuthorizationRequest,
            answer=OneAuthorizations,
        ),
        Route(
            name="remove-authorization",
            method="PATCH",
            path=f"{place}/remove",
            row=row,
            scopes=scopes,
            request=AuthorizationRequest,
            answer=OneAuthorizations,
        ),
    )


_TELEMETRIES = (
    Route(
        name="telemetry-secret",
        method="PUT",
        path="secrets/telemetries/{telemetry}",
        row="2.1#17",
        scopes=("update_secrets",),
        request=TelemetrySecretRequest,
    ),
    Route(
        name="create-telemetry",
        method="POST",
        path="telemetries",
        row="2.1#19",
        scopes=("manage_telemetries",),
        request=CreateTelemetryRequest,
        answer=OneTelemetry,
    ),
    Route(
        name="list-telemetries",
        method="GET",
        path="telemetries",
        row="2.1#19",
        scopes=("manage_telemetries",),
        answer=TelemetryList,
    ),
    Route(
        name="read-telemetry",
        method="GET",
        path="telemetries/{telemetry}",
        row="2.1#19",
        scopes=("manage_telemetries",),
        answer=OneTelemetry,
    ),
    Route(
        name="delete-telemetry",
        method="DELETE",
        path="telemetries/{telemetry}",
        row="2.1#19",
        scopes=("manage_telemetries",),
    ),
)

_REGISTRIES = (
    Route(
        name="add-credential",
        method="POST",
        path="registry-credentials",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
        request=AddCredentialRequest,
        answer=OneCredential,
    ),
    Route(
        name="list-credentials",
        method="GET",
        path="registry-credentials",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
        queries=(
            Query(name="artifactType", kind=QueryKind.WORDS, choices=ARTIFACT_TYPES),
            Query(name="provisionedBy", kind=QueryKind.WORDS, choices=PROVISIONERS),
        ),
        answer=CredentialList,
    ),
    Route(
        name="read-credential",
        method="GET",
        path="registry-credentials/{credential}",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
        answer=OneCredential,
    ),
    Route(
        name="update-credential",
        method="PATCH",
        path="registry-credentials/{credential}",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
        request=UpdateCredentialRequest,
        answer=OneCredential,
    ),
    Route(
        name="delete-credential",
        method="DELETE",
        path="registry-credentials/{credential}",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
    ),
    Route(
        name="recognized-registries",
        method="GET",
        path="recognized-registries",
        row="2.1#20",
        scopes=("manage_registry_credentials",),
        answer=RecognizedRegistries,
    ),
)

_OTHERS = (
    Route(
        name="queues",
        method="GET",
        path=f"queues/{_FUNCTION}",
        row="2.1#21",
        scopes=("queue_details",),
        answer=QueuesAnswer,
    ),
    Route(
        name="queues",
        method="GET",
        path=f"queues/{_VERSION}",
        row="2.1#21",
        scopes=("queue_details",),
        answer=QueuesAnswer,
    ),
    Route(
        name="queue-position",
        method="GET",
        path="queues/{invocation}/position",
        row="2.7",
        scopes=("queue_details",),
        answer=QueuePosition,
    ),
    Route(
        name="supported-gpus",
        method="GET",
        path="supportedGpus",
        row="2.1#22",
        scopes=("register_function",),
        answer=SupportedGpus,
    ),
    Route(
        name="rate-limit",
        method="PUT",
        path=f"ratelimit/{_VERSION}",
        row="1.3",
        scopes=("update_function",),
        request=UpdateFunctionRequest,
    ),
    Route(
        name="delete-rate-limit",
        method="DELETE",
        path=f"ratelimit/{_VERSION}",
        row="1.3",
        scopes=("update_function",),
    ),
)

RESOURCE_ROUTES = (
    *_TELEMETRIES,
    *_authorizations(_FUNCTION),
    *_authorizations(_VERSION),
    *_REGISTRIES,
    *_OTHERS,
)
