"""What types alone cannot say about one function: which keys go together, and which bounds meet.

Source: nvcf-api.md 3.1 and 3.3.
"""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.loading.findings import Finding
from nvcfplan.loading.ladder import ladder_findings
from nvcfplan.loading.sharing import party_findings
from nvcfplan.model import PREFIX, is_sensitive_key, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvcfplan.loading.stackfile import FunctionFile, SpecificationFile
    from nvcfplan.located import Path

_LONGEST_STICKINESS_SECONDS: Final = 3600
_LONGEST_KEPT: Final = timedelta(days=366)
_IMAGE = re.compile(
    r"(localhost|[^/\s@]+[.:][^/\s@]*)/[^\s@:]*[^\s@:/]"
    r"(:\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})"
)


def findings_of(key: str, function: FunctionFile) -> tuple[Finding, ...]:
    base: Path = ("functions", key)
    return tuple(finding for rule in _RULES for finding in rule(base, function))


def _what_runs(base: Path, function: FunctionFile) -> Iterator[Finding]:
    if not function.container_image and not function.helm_chart and not function.models:
        yield Finding(
            code="nothing-to-run",
            path=base,
            summary=f"`{base[-1]}` has neither image nor helm chart nor models",
            remedy="add `containerImage`, `helmChart` or `models`",
            at_key=True,
        )


def _helm(base: Path, function: FunctionFile) -> Iterator[Finding]:
    if function.helm_chart and not function.helm_chart_service_name:
        yield Finding(
            code="helm-service-missing",
            path=(*base, "helmChart"),
            summary="a helm chart needs `helmChartServiceName`",
            detail="the service of the chart that takes the requests",
            remedy="add `helmChartServiceName`",
            at_key=True,
        )
    if function.helm_chart_service_name and not function.helm_chart:
        yield Finding(
            code="helm-chart-missing",
            path=(*base, "helmChartServiceName"),
            summary="`helmChartServiceName` has no meaning without `helmChart`",
            remedy="add `helmChart`, or remove the service name",
            at_key=True,
        )
    container = {
        "containerImage": function.container_image,
        "containerArgs": function.container_args,
        "containerEnvironment": function.container_environment,
    }
    for name in (name for name, value in container.items() if value and function.helm_chart):
        yield Finding(
            code="helm-excludes-container",
            path=(*base, name),
            summary=f"`{name}` cannot stand beside `helmChart`",
            detail="a function is a container or a helm chart",
            remedy=f"remove `{name}`; values of the chart stand under `configuration`",
            at_key=True,
            related=(("the chart", (*base, "helmChart")),),
        )


def _image(base: Path, function: FunctionFile) -> Iterator[Finding]:
    image = function.container_image
    if image and not _IMAGE.fullmatch(image):
        yield Finding(
            code="image-reference",
            path=(*base, "containerImage"),
            summary=f"`{image}` is not a full image reference",
            detail="the service takes no default registry and no default tag",
            remedy="write registry, path and tag or digest, such as `nvcr.io/acme/chat:2.1.0`",
        )


def _arguments(base: Path, function: FunctionFile) -> Iterator[Finding]:
    try:
        shlex.split(function.container_args or "")
    except ValueError:
        yield Finding(
            code="args-quoting",
            path=(*base, "containerArgs"),
            summary="`containerArgs` has a quote that is never closed",
            detail="the service finds that only when an instance starts",
            remedy="close the quote, or escape it",
        )


def _environment(base: Path, function: FunctionFile) -> Iterator[Finding]:
    for name, value in (function.container_environment or {}).items():
        if is_sensitive_key(name) and isinstance(value, str):
            yield Finding(
                code="literal-secret",
                path=(*base, "containerEnvironment", name),
                severity=Severity.WARNING,
                summary=f"the value of `{name}` looks like a secret and stands in the file",
                detail="it is masked in everything nvcfplan writes, but not in version control",
                remedy=f"move it to `secrets`, or say that you mean it: `{name}: {{ value: ..., "
                "sensitive: true }`",
                at_key=True,
            )


def _artifacts(base: Path, function: FunctionFile) -> Iterator[Finding]:
    for kind, artifacts in (("models", function.models), ("resources", function.resources)):
        first: dict[str, int] = {}
        for index, artifact in enumerate(artifacts or ()):
            if first.setdefault(artifact.name, index) != index:
                yield Finding(
                    code="duplicate-name",
                    path=(*base, kind, index, "name"),
                    summary=f"`{kind}` has two entries named `{artifact.name}`",
                    remedy="give each a name of its own",
                    related=(("the first", (*base, kind, first[artifact.name], "name")),),
                )


def _tags(base: Path, function: FunctionFile) -> Iterator[Finding]:
    for index, tag in enumerate(function.tags or ()):
        if tag.startswith(PREFIX):
            yield Finding(
                code="reserved-tag",
                path=(*base, "tags", index),
                summary=f"tags that begin with `{PREFIX}` are nvcfplan's own",
                detail="they say to which stack a version belongs",
                remedy="remove it",
            )


def _rate_limit(base: Path, function: FunctionFile) -> Iterator[Finding]:
    if function.rate_limit is None:
        return
    units = re.findall(r"-([SMHD])", function.rate_limit.rate_limit)
    if len(units) != len(set(units)):
        yield Finding(
            code="rate-limit-units",
            path=(*base, "rateLimit", "rateLimit"),
            summary="`rateLimit` names a unit of time twice",
            remedy="give one rate a unit (S, M, H, D)",
        )


def _telemetries(base: Path, function: FunctionFile) -> Iterator[Finding]:
    found = function.telemetries
    if found and not any((found.logs_telemetry_id, found.metrics_telemetry_id,
                          found.traces_telemetry_id)):  # fmt: skip
        yield Finding(
            code="empty-value",
            path=(*base, "telemetries"),
            summary="`telemetries` names none",
            remedy="name one at least, or write `telemetries: null`",
            at_key=True,
        )


def _secrets(base: Path, function: FunctionFile) -> Iterator[Finding]:
    for name, secret in (function.secrets or {}).items():
        if (secret.from_env is None) == (secret.from_file is None):
            yield Finding(
                code="secret-reference",
                path=(*base, "secrets", name),
                summary=f"the secret `{name}` needs exactly one source",
                remedy=f"write `{name}: {{ fromEnv: NAME }}` or `{name}: {{ fromFile: PATH }}`",
                at_key=True,
            )


def _update(base: Path, function: FunctionFile) -> Iterator[Finding]:
    update, path = function.update, (*base, "update")
    if not parse_duration(update.drain_timeout):
        yield _no_time((*path, "drainTimeout"))
    if update.max_downtime is not None and not parse_duration(update.max_downtime):
        yield _no_time((*path, "maxDowntime"))
    yield from _bounce(path, function)
    if not update.coexist and update.downtime == "never" and update.order != "delete-first":
        yield Finding(
            code="coexist-needs-downtime",
            path=(*path, "coexist"),
            summary="versions that may not serve at once cannot be replaced without downtime",
            detail="with `coexist: false` the old version goes before the new one serves, and "
            "`downtime` is `never`",
            remedy="write `downtime: allowed`, or leave `coexist` out",
            at_key=True,
        )


def _bounce(path: Path, function: FunctionFile) -> Iterator[Finding]:
    bounce = function.update.bounce
    if bounce and function.deployment is None:
        yield Finding(
            code="bounce-without-deployment",
            path=(*path, "bounce"),
            summary="`bounce` needs a deployment of the function to begin from",
            detail="what a bounce placement leaves out is as in the first specification",
            remedy="write the function's `deployment`, or leave `bounce` out",
            at_key=True,
        )
    for number, one in enumerate(bounce):
        least, most = one.min_instances, one.max_instances
        if least is not None and most is not None and least > most:
            yield Finding(
                code="min-above-max",
                path=(*path, "bounce", number, "minInstances"),
                summary=f"minInstances ({least}) is above maxInstances ({most})",
                remedy=f"lower minInstances to {most}, or raise maxInstances to {least}",
            )
        if one.backend and one.clusters:
            yield Finding(
                code="backend-with-clusters",
                path=(*path, "bounce", number, "clusters"),
                summary="`backend` and `clusters` exclude each other",
                remedy="remove one of the two",
                at_key=True,
            )


def _health(base: Path, function: FunctionFile) -> Iterator[Finding]:
    if function.health is not None and not parse_duration(function.health.timeout):
        yield _no_time((*base, "health", "timeout"))


def _lifecycle(base: Path, function: FunctionFile) -> Iterator[Finding]:
    text = function.lifecycle.keep_failed
    if text is None:
        return
    duration = parse_duration(text)
    if not duration or duration > _LONGEST_KEPT:
        yield Finding(
            code="out-of-range",
            path=(*base, "lifecycle", "keepFailed"),
            summary="`keepFailed` must be more than nothing and at most a year",
            remedy="write a duration such as `24h`, or leave it out to keep nothing",
        )


def _no_time(path: Path) -> Finding:
    """Also where it is longer than any date can be away."""
    return Finding(
        code="out-of-range",
        path=path,
        summary=f"`{path[-1]}` must be more than nothing and less than a million years",
        remedy="write a duration such as `10s`",
    )


def _specifications(base: Path, function: FunctionFile) -> Iterator[Finding]:
    specifications = function.deployment.specifications if function.deployment else {}
    first: dict[object, str] = {}
    for key, one in sorted(specifications.items()):
        path: Path = (*base, "deployment", "specifications", key)
        yield from _specification(path, one, is_helm=bool(function.helm_chart))
        before = first.setdefault(_placement(one), key)
        if before != key:
            yield Finding(
                code="same-placement",
                path=path,
                severity=Severity.WARNING,
                summary=f"`{key}` and `{before}` have the same placement",
                detail="the service does not keep their order, so it cannot tell them apart",
                remedy="join them into one, and add up their instances",
                at_key=True,
                related=((f"`{before}`", (*path[:-1], before)),),
            )


def _placement(one: SpecificationFile) -> object:
    """What the service tells specifications apart by."""
    sets = (one.clusters, one.regions, one.attributes)
    places = tuple(frozenset(names or ()) for names in sets)
    return (one.gpu.lower(), one.instance_type, one.backend, *places)


def _specification(path: Path, one: SpecificationFile, *, is_helm: bool) -> Iterator[Finding]:
    if one.min_instances > one.max_instances:
        yield Finding(
            code="min-above-max",
            path=(*path, "minInstances"),
            summary=f"minInstances ({one.min_instances}) is above maxInstances "
            f"({one.max_instances})",
            remedy=f"lower minInstances to {one.max_instances}, or raise maxInstances to "
            f"{one.min_instances}",
            related=(("maxInstances", (*path, "maxInstances")),),
        )
    if one.backend and one.clusters:
        yield Finding(
            code="backend-with-clusters",
            path=(*path, "clusters"),
            summary="`backend` and `clusters` exclude each other",
            detail="`backend` lets the service pick a cluster of the group; `clusters` names them",
            remedy="remove one of the two",
            at_key=True,
            related=(("backend", (*path, "backend")),),
        )
    if one.configuration and not is_helm:
        yield Finding(
            code="configuration-without-helm",
            path=(*path, "configuration"),
            summary="`configuration` holds values of a helm chart, and the function has none",
            remedy="remove it, or use `containerEnvironment`",
            at_key=True,
        )
    yield from _autoscaling((*path, "autoscalingConfiguration"), one)


def _autoscaling(path: Path, one: SpecificationFile) -> Iterator[Finding]:
    found = one.autoscaling_configuration
    if found is None:
        return
    up, down = found.scale_up_details, found.scale_down_details
    if up and up.factor <= 1:
        yield _factor((*path, "scaleUpDetails", "factor"), "more than 1", "adds")
    if down and down.factor >= 1:
        yield _factor((*path, "scaleDownDetails", "factor"), "less than 1", "removes")
    for name, details in (("scaleUpDetails", up), ("scaleDownDetails", down)):
        if details is None or details.stickiness is None:
            continue
        size = parse_duration(details.stickiness.size)
        threshold = parse_duration(details.stickiness.threshold)
        if size is None or threshold is None or threshold >= size:
            yield _stickiness((*path, name, "stickiness", "threshold"), "must be below `size`")
        elif size.total_seconds() > _LONGEST_STICKINESS_SECONDS:
            yield _stickiness((*path, name, "stickiness", "size"), "must be 1 hour at most")


def _factor(path: Path, bound: str, verb: str) -> Finding:
    return Finding(
        code="out-of-range", path=path, summary=f"`factor` must be {bound}",
        detail=f"the number of instances is multiplied by it, which {verb} instances",
        remedy=f"write a factor of {bound}",
    )  # fmt: skip


def _stickiness(path: Path, what: str) -> Finding:
    return Finding(
        code="out-of-range", path=path, summary=f"`{path[-1]}` {what}", remedy="change it"
    )


_RULES: Final[tuple[Callable[[Path, FunctionFile], Iterator[Finding]], ...]] = (
    _what_runs,
    _helm,
    _image,
    _arguments,
    _environment,
    _artifacts,
    _tags,
    party_findings,
    _rate_limit,
    _telemetries,
    _secrets,
    _update,
    _lifecycle,
    _health,
    _specifications,
    ladder_findings,
)
