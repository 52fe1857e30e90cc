"""The ladder of a deployment: what its rungs come to, and which of them make no sense.

A rung is laid over the base specifications; attributes stay hard through every one of them, and so
do regions unless it restates them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.loading.findings import Finding
from nvcfplan.loading.stackfile import (
    ElsewhereFile,
    FewerFile,
    FunctionFile,
    RungFile,
    SpecificationFile,
)
from nvcfplan.loading.wording import nearest
from nvcfplan.model import LastResort, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.located import Path

PLACES: Final = frozenset({"backend", "clusters"})
"""Either says where; one that a rung names takes the place of both."""

_NEVER_NULL: Final = frozenset({"gpu", "instance_type", "min_instances", "max_instances"})


def laid_over(
    base: SpecificationFile, partial: ElsewhereFile | FewerFile | None
) -> SpecificationFile:
    """None: the rung does not speak of it."""
    if partial is None:
        return base
    stated = {
        name: value
        for name in partial.model_fields_set
        if (value := getattr(partial, name)) is not None or name not in _NEVER_NULL
    }
    if PLACES & stated.keys():
        stated = {name: None for name in PLACES & base.model_fields_set} | stated
    laid: SpecificationFile = base.model_copy(update=stated)
    return laid


def overlays(rung: RungFile) -> Mapping[str, ElsewhereFile | FewerFile]:
    return {**(rung.fallback or {}), **(rung.shrink or {})}


def ladder_findings(base: Path, function: FunctionFile) -> Iterator[Finding]:
    deployment = function.deployment
    if deployment is None or deployment.on_no_capacity is None:
        return
    path: Path = (*base, "deployment", "onNoCapacity")
    rungs, specifications = deployment.on_no_capacity, deployment.specifications
    seen: dict[str, int] = {}
    for index, rung in enumerate(rungs):
        if isinstance(rung, str):
            if index + 1 < len(rungs):
                yield _not_last((*path, index), rung)
            continue
        yield from _kind((*path, index), rung)
        yield from _overlaid((*path, index), rung, specifications)
        text = repr(rung)
        if seen.setdefault(text, index) != index:
            yield Finding(
                code="same-rung",
                path=(*path, index),
                summary="this rung is in the ladder twice",
                detail="each is tried once, and the second time would be like the first",
                remedy="remove it",
                related=(("the first", (*path, seen[text])),),
            )


def _not_last(path: Path, word: str) -> Finding:
    return Finding(
        code="rung-after-the-last",
        path=path,
        summary=f"`{word}` ends the ladder, and rungs stand after it",
        remedy=f"write `{word}` last, or remove what follows it",
    )


def _kind(path: Path, rung: RungFile) -> Iterator[Finding]:
    named = sorted(rung.model_fields_set)
    if len(named) != 1 or getattr(rung, named[0]) is None:
        words = ", ".join(f"`{one}`" for one in ("fallback", "wait", "shrink"))
        last = " or ".join(f"`{one}`" for one in LastResort)
        yield Finding(
            code="malformed-rung",
            path=path,
            summary=f"a rung is exactly one of {words}",
            remedy=f"write one of them, or {last} alone at the end",
        )
    if rung.wait is not None and not parse_duration(rung.wait):
        yield Finding(
            code="out-of-range",
            path=(*path, "wait"),
            summary="`wait` must be more than nothing and less than a million years",
            remedy="write a duration such as `20m`",
        )


def _overlaid(
    path: Path, rung: RungFile, specifications: Mapping[str, SpecificationFile]
) -> Iterator[Finding]:
    word = "fallback" if rung.fallback else "shrink"
    for key, partial in sorted(overlays(rung).items()):
        place: Path = (*path, word, key)
        if key not in specifications:
            yield _unknown(place, key, sorted(specifications))
            continue
        base = specifications[key]
        laid = laid_over(base, partial)
        yield from _bounds(place, laid)
        if isinstance(partial, FewerFile):
            yield from _shrinking(place, base, laid)
        else:
            yield from _elsewhere(place, base, partial)


def _unknown(path: Path, key: str, known: Sequence[str]) -> Finding:
    meant = nearest(key, known)
    return Finding(
        code="unknown-specification",
        path=path,
        summary=f"`{key}` is no specification of this deployment"
        + (f"; did you mean `{meant}`?" if meant else ""),
        detail="its specifications are: " + ", ".join(known),
        remedy=f"write `{meant}`" if meant else "write the key of one of them",
        at_key=True,
    )


def _bounds(path: Path, laid: SpecificationFile) -> Iterator[Finding]:
    if laid.min_instances > laid.max_instances:
        yield Finding(
            code="min-above-max",
            path=path,
            summary=f"with this rung minInstances ({laid.min_instances}) is above maxInstances "
            f"({laid.max_instances})",
            remedy="change one of the two in the rung",
            at_key=True,
        )
    if laid.backend and laid.clusters:
        yield Finding(
            code="backend-with-clusters",
            path=(*path, "clusters"),
            summary="`backend` and `clusters` exclude each other",
            remedy="remove one of the two",
            at_key=True,
        )


def _shrinking(path: Path, base: SpecificationFile, laid: SpecificationFile) -> Iterator[Finding]:
    """Only minima are asked for when a function is deployed. Source: nvcf-api.md 8.3."""
    is_grown = laid.max_instances > base.max_instances
    if laid.min_instances >= base.min_instances or is_grown:
        yield Finding(
            code="shrink-not-smaller",
            path=path,
            summary=f"`{path[-1]}` does not shrink: {base.min_instances}..{base.max_instances} "
            f"becomes {laid.min_instances}..{laid.max_instances}",
            detail="only minInstances is asked for when a function is deployed, so that only a "
            "lower one finds room where there is less",
            remedy=f"give it a minInstances below {base.min_instances}, or leave it out"
            if base.min_instances
            else "leave it out: its minInstances is 0 already",
            at_key=True,
        )


def _elsewhere(path: Path, base: SpecificationFile, partial: ElsewhereFile) -> Iterator[Finding]:
    lost = sorted(set(base.attributes or ()) - set(partial.attributes or ()))
    if "attributes" in partial.model_fields_set and lost:
        yield Finding(
            code="attributes-stay-hard",
            path=(*path, "attributes"),
            summary=f"a fallback may not let go of the attributes {', '.join(lost)}",
            detail="what the base asks of a cluster holds wherever the function runs",
            remedy="leave `attributes` out, or name those of the base too",
            at_key=True,
        )
    if partial.gpu and not partial.instance_type:
        yield Finding(
            code="gpu-without-instance-type",
            path=(*path, "gpu"),
            summary=f"`{partial.gpu}` needs an instance type of its own",
            detail=f"the base's is {base.instance_type}, which is one of {base.gpu}",
            remedy="write `instanceType` beside it",
        )
    if laid_over(base, partial) == base:
        yield Finding(
            code="fallback-like-the-base",
            path=path,
            summary=f"`{path[-1]}` is as it is without this rung",
            remedy="say what is different, or use `wait` to try the same again",
            at_key=True,
        )
