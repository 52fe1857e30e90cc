"""The emulated API as an OpenAPI 3.1 document, made of the routes and the wire models.

Source: nvcf-api.md 1.1, 1.2, 2.1, 4.1.
"""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from nvcfplan.emulator.catalogue import ROUTES
from nvcfplan.emulator.layouts import UUIDS, Layout, Query, QueryKind, Route, templates
from nvcfplan.emulator.messages import JSON
from nvcfplan.emulator.openapi_bounds import bounded
from nvcfplan.emulator.openapi_links import links, operation_names
from nvcfplan.emulator.refusals import PROBLEM
from nvcfplan.emulator.styles import Style, style_of
from nvcfplan.wire.protocol import AllocatorError, AnswerModel, GatewayError, ProblemDetail
from nvcfplan.wire.schemas import Schema, reference, schemas_of

if TYPE_CHECKING:
    from nvcfplan.emulator.turns import Turn

REFS = "#/components/schemas/"
_BEARER = "bearer"
_PARAMETER = re.compile(r"\{(\w+)\}")
_DESCRIPTION = (
    "What nvcfplan's emulator of NVIDIA Cloud Functions answers. It is not NVIDIA's document."
    " Bodies may carry more than is said here, and words are read in any case. A fault scripted"
    " in the world can put any status in the place of an answer."
)

_ALSO_REFUSED = {
    "inventory": (502,),
    "caller-info": (401,),
    "token": (401,),
    "deploy": (402, 409, 502),
    "add-authorization": (409,),
    "add-credential": (409,),
}
"""Statuses that only this route answers, by its name. Source: nvcf-api.md 2.1, 2.4, 2.6, 6.1."""


def openapi(turn: Turn) -> Schema:
    """GET `/v3/openapi`: the same for every caller."""
    assert turn.target.route.is_open
    return document()


@cache
def document() -> Schema:
    """Shared by all who ask: not to be changed."""
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        for template in templates(route):
            paths.setdefault(template, {})[route.method.lower()] = _operation(route, template)
    return {
        "openapi": "3.1.0",
        "info": {"title": "NVCF emulator", "version": "2", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{_BEARER: []}],
        "paths": paths,
        "components": {
            "schemas": bounded(schemas_of(_models(), refs=REFS)),
            "responses": _error_responses(),
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


def _models() -> list[AnswerModel]:
    errors = [kind for _, kind in _STYLES.values()]
    requests = [route.request for route in ROUTES if route.request is not None]
    answers = [route.answer for route in ROUTES if route.answer is not None]
    return [*errors, *requests, *answers]


def _operation(route: Route, template: str) -> Schema:
    operation: Schema = {
        "operationId": operation_names()[route.method, template],
        "summary": route.name.replace("-", " "),
        "tags": [_tag(route)],
        "parameters": [
            *(_path_parameter(one) for one in _PARAMETER.findall(template)),
            *(_query_parameter(one) for one in route.queries),
        ],
        "responses": _responses(route, template),
    }
    if route.request is not None:
        content = {JSON: {"schema": reference(route.request, refs=REFS)}}
        operation["requestBody"] = {"required": True, "content": content}
    operation["security"] = [] if route.is_open else [{_BEARER: _scopes(route, template)}]
    return operation


def _scopes(route: Route, template: str) -> list[str]:
    """The super-admin's mirror has its own. Source: nvcf-api.md 1.1, 1.2."""
    is_mirror = route.layout is Layout.SERVICE and template.startswith("/v2/nvcf/accounts/")
    return [f"admin:{one}" if is_mirror else one for one in route.scopes]


def _tag(route: Route) -> str:
    """The section of the contract that has the route."""
    return route.row.split("#")[0]


def _path_parameter(name: str) -> Schema:
    schema: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]{1,64}$"}
    if name in UUIDS:
        schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(query: Query) -> Schema:
    text: Schema = {"type": "string"}
    if query.choices:
        text["enum"] = list(query.choices)
    found: Schema = {"name": query.name, "in": "query", "required": False}
    match query.kind:
        case QueryKind.FLAG:
            return {**found, "schema": {"type": "boolean"}}
        case QueryKind.WORDS:
            many = {"type": "array", "items": text}
            return {**found, "style": "form", "explode": False, "schema": many}
        case QueryKind.TEXT:
            return {**found, "schema": text}


def _responses(route: Route, template: str) -> Schema:
    """Sorted by status."""
    status = HTTPStatus.NO_CONTENT if route.answer is None else HTTPStatus.OK
    success: Schema = {"description": status.phrase}
    if route.answer is not None:
        success["content"] = {JSON: {"schema": reference(route.answer, refs=REFS)}}
    if also := links(route, template):
        success["links"] = also
    refused = {str(one): _refusal(one, template) for one in _refusals(route, template)}
    return dict(sorted({str(status.value): success, **refused}.items()))


def _refusals(route: Route, template: str) -> set[int]:
    """What can be answered without a fault being scripted."""
    named = set(_PARAMETER.findall(template))
    found = set(_ALSO_REFUSED.get(route.name, ()))
    if not route.is_open:
        found |= {401, 403, 422}
    if named:
        found.add(404)
    if named & UUIDS or any(one.choices or one.kind is QueryKind.FLAG for one in route.queries):
        found.add(400)
    if route.request is not None:
        found |= {400, 413, 415}
    return found


def _refusal(status: int, template: str) -> Schema:
    return {"$ref": f"#/components/responses/{_style(template)}-{status}"}


def _style(template: str) -> Style:
    return style_of(template, is_gateway=False)


_STYLES: dict[Style, tuple[str, AnswerModel]] = {
    Style.ALLOCATOR: (JSON, AllocatorError),
    Style.GATEWAY: (JSON, GatewayError),
    Style.SERVICE: (PROBLEM, ProblemDetail),
}


def _error_responses() -> Schema:
    """Every status of every style that a path has."""
    asked = {
        (_style(template), status)
        for route in ROUTES
        for template in templates(route)
        for status in _refusals(route, template)
    }
    return {f"{style}-{status}": _error(style, status) for style, status in sorted(asked)}


def _error(style: Style, status: int) -> Schema:
    """The service says nothing where it does not know who asks. Source: nvcf-api.md 1.2."""
    described: Schema = {"description": HTTPStatus(status).phrase}
    if status == 401 and style is Style.SERVICE:
        return described
    media_type, kind = _STYLES[style]
    return {**described, "content": {media_type: {"schema": reference(kind, refs=REFS)}}}
