"""A world file, YAML: read strictly, all faults at once, each at its place.

The keys are explained in `examples/worlds/`.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Checked, Diagnostic, Severity, has_errors
from nvcfplan.emulator.account_sheets import (
    refused_charts,
    registry,
    shared_function,
    vanishing_artifacts,
)
from nvcfplan.emulator.catalogue import scopes as known_scopes
from nvcfplan.emulator.faults import fault_of, schedule_of
from nvcfplan.emulator.keys import EVERYTHING, KeyKind, KeyRule
from nvcfplan.emulator.readings import READINGS
from nvcfplan.emulator.rules import (
    STATUSES,
    ArtifactCheck,
    ClusterRule,
    EmptyInventory,
    GpuRule,
    GroupRule,
    Happening,
    InstanceTypeRule,
    Landing,
    LoadRule,
    QuotaRule,
    QuotaUnit,
    ScheduleRule,
    TenantRule,
    TrafficRule,
    Usage,
    WorldFile,
)
from nvcfplan.emulator.sheets import Fault, Sheet
from nvcfplan.located import Located, decode_source, parse_source

if TYPE_CHECKING:
    from pathlib import Path

_MOST_GPUS = 1_000_000


def load_worldfile(path: Path) -> Checked[WorldFile]:
    """An unreadable file is a diagnostic like any other."""
    try:
        content = path.read_bytes()
    except OSError as error:
        fault = Diagnostic(
            code="world-unreadable",
            severity=Severity.ERROR,
            summary=f"{path} cannot be read: {error.strerror or error}",
            remedy="name a world file that exists and may be read",
        )
        return Checked(None, (fault,))
    source = decode_source(content, str(path))
    if source.value is None:
        return Checked(None, source.diagnostics)
    parsed = parse_source(source.value)
    if has_errors(parsed.diagnostics):
        return Checked(None, parsed.diagnostics)
    return _read(str(path), parsed.documents)


def _read(file: str, documents: tuple[Located, ...]) -> Checked[WorldFile]:
    if len(documents) != 1 or not isinstance(documents[0].to_plain(), dict):
        fault = Diagnostic(
            code="world-wrong-type",
            severity=Severity.ERROR,
            summary=f"{file} does not hold one mapping",
            detail=f"{len(documents)} documents were found",
            remedy="write one document of keys and values, such as those of examples/worlds",
        )
        return Checked(None, (fault,))
    (document,) = documents
    content = document.to_plain()
    assert isinstance(content, dict)
    faults: list[Fault] = []
    world = world_of(Sheet(content, faults=faults))
    diagnostics = tuple(_diagnostic(document, one) for one in faults)
    return Checked(None if faults else world, diagnostics)


def _diagnostic(document: Located, fault: Fault) -> Diagnostic:
    is_key = fault.code in ("world-unknown-word", "world-missing")
    has_value = is_key and document.node(fault.path) is not None
    span = document.key_span(fault.path) if has_value else document.span(fault.path)
    return Diagnostic(
        code=fault.code,
        severity=Severity.ERROR,
        summary=fault.summary,
        remedy=fault.remedy,
        span=span,
    )


def world_of(sheet: Sheet) -> WorldFile:
    """What the sheet says, defaults where it is silent or at fault."""
    base = WorldFile()
    nca_id = sheet.text("ncaId", base.nca_id)
    clusters = tuple(_cluster(name, one) for name, one in sheet.named("clusters"))
    groups = tuple(_group(name, one, nca_id) for name, one in sheet.named("groups"))
    is_instant = sheet.flag("instant", default=False)
    if is_instant:
        base = replace(base, instant=True, boot_time=0.0, release_lag=0.0, tick=0.0)
    world = WorldFile(
        instant=is_instant,
        starts_at=_moment(sheet, base.starts_at),
        nca_id=nca_id,
        org=sheet.text("org", base.org),
        clusters=clusters,
        groups=groups,
        tenants=tuple(_tenant(one, clusters) for one in sheet.rows("tenants")),
        quotas=tuple(_quota(one, clusters, groups) for one in sheet.rows("quotas")),
        traffic=tuple(_traffic(name, one) for name, one in sheet.named("traffic")),
        function_limit=sheet.whole("functionLimit", base.function_limit),
        landing=sheet.choice("landing", Landing, base.landing),
        seed=sheet.whole("seed", base.seed),
        batch_size=sheet.whole("batchSize", base.batch_size, least=1),
        boot_time=sheet.seconds("bootTime", base.boot_time),
        boot_spread=sheet.seconds("bootSpread", base.boot_spread),
        release_lag=sheet.seconds("releaseLag", base.release_lag),
        queue_timeout=sheet.seconds("queueTimeout", base.queue_timeout, least=1),
        tick=sheet.seconds("tick", base.tick),
        inventory_cache=sheet.seconds("inventoryCache", base.inventory_cache),
        heartbeat=sheet.seconds("heartbeat", base.heartbeat),
        stuck_instead_of_error=sheet.flag("stuckInsteadOfError", default=False),
        patch_unsupported=_patch_unsupported(sheet),
        unreadable=_unreadable(sheet),
        hide_gpu_count=sheet.flag("hideGpuCount", default=False),
        api_keys=tuple(_key(one) for one in sheet.entries("apiKeys")),
        gateway=sheet.flag("gateway", default=False),
        quota_as_yaml=sheet.flag("quotaAsYaml", default=False),
        empty_inventory=sheet.choice("emptyInventory", EmptyInventory, base.empty_inventory),
        faults=tuple(one for row in sheet.rows("faults") if (one := fault_of(row))),
        schedule=tuple(_entry(one, clusters) for one in sheet.rows("schedule")),
        shared_functions=tuple(shared_function(one) for one in sheet.rows("sharedFunctions")),
        accounts=sheet.texts("accounts"),
        registries=tuple(registry(name, one) for name, one in sheet.named("registries")),
        artifact_check=sheet.choice("artifactCheck", ArtifactCheck, base.artifact_check),
        missing_artifacts=sheet.texts("missingArtifacts"),
        vanishing_artifacts=vanishing_artifacts(sheet),
        refused_charts=refused_charts(sheet),
        telemetry_limit=sheet.whole("telemetryLimit", base.telemetry_limit),
        credential_limit=sheet.whole("credentialLimit", base.credential_limit),
    )
    sheet.finish()
    _check_groups(sheet, world)
    return world


def digest_of(api_key: str) -> str:
    """Keys themselves are not kept."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def _key(entry: str | Sheet) -> KeyRule:
    if isinstance(entry, str):
        return KeyRule(digest=digest_of(entry))
    kind = entry.choice("kind", KeyKind, KeyKind.API_KEY)
    scopes = entry.texts("scopes", (EVERYTHING,))
    known = known_scopes()
    for one in scopes:
        if one not in (EVERYTHING, *known):
            near = ", ".join(difflib.get_close_matches(one, known) or known)
            summary = f"`{one}` is no scope of this API"
            entry.fault("world-unknown-word", "scopes", summary, remedy=f"one of: {near}")
    rule = KeyRule(
        digest=digest_of(entry.required_text("key")),
        kind=kind,
        scopes=None if EVERYTHING in scopes else scopes,
        functions=entry.texts("functions", (EVERYTHING,)),
    )
    entry.finish()
    return rule


def _moment(sheet: Sheet, default: str) -> str:
    text, remedy = sheet.text("startsAt", default), f"write it as {default}"
    try:
        year = datetime.fromisoformat(text).year
    except ValueError:
        summary = "startsAt: not a moment in ISO-8601"
        sheet.fault("world-wrong-type", "startsAt", summary, remedy=remedy)
        return default
    if not 1970 <= year <= 9900:
        summary = f"startsAt: the year {year} is not within 1970..9900"
        sheet.fault("world-out-of-range", "startsAt", summary, remedy=remedy)
        return default
    return text


def _cluster(name: str, sheet: Sheet) -> ClusterRule:
    status = sheet.text("status", "READY")
    if status not in STATUSES:
        remedy = f"one of: {', '.join(STATUSES)}"
        sheet.fault("world-unknown-word", "status", f"`{status}` is no status", remedy=remedy)
    cluster = ClusterRule(
        name=name,
        groups=sheet.texts("groups"),
        region=sheet.text("region", "us-east-1"),
        provider=sheet.text("provider", "ON-PREM"),
        attributes=sheet.texts("attributes"),
        status=status,
        k8s_version=sheet.text("k8sVersion", "v1.30.4"),
        gpus=tuple(_gpu(gpu, one) for gpu, one in sheet.named("gpus")),
    )
    sheet.finish()
    return cluster


def _gpu(name: str, sheet: Sheet) -> GpuRule:
    gpu = GpuRule(
        name=name,
        capacity=sheet.required_whole("capacity"),
        instance_types=tuple(_type(kind, one) for kind, one in sheet.named("instanceTypes")),
        misreported=sheet.whole("misreported", 0, least=-_MOST_GPUS),
    )
    sheet.finish()
    return gpu


def _type(name: str, sheet: Sheet) -> InstanceTypeRule:
    rule = InstanceTypeRule(
        name=name,
        gpu_count=sheet.required_whole("gpuCount", least=1),
        is_default=sheet.flag("default", default=False),
        is_phantom=sheet.flag("phantom", default=False),
        usage=sheet.choice("usage", Usage, Usage.ANY),
    )
    sheet.finish()
    return rule


def _group(name: str, sheet: Sheet, nca_id: str) -> GroupRule:
    group = GroupRule(
        name=name,
        nca_id=sheet.text("ncaId", nca_id),
        authorized=sheet.texts("authorized", ("*",)),
    )
    sheet.finish()
    return group


def _tenant(sheet: Sheet, clusters: tuple[ClusterRule, ...]) -> TenantRule:
    tenant = TenantRule(
        tenant=sheet.text("tenant", "other"),
        cluster=sheet.required_text("cluster"),
        gpu=sheet.required_text("gpu"),
        gpus=sheet.required_whole("gpus", least=1),
    )
    pools = {(one.name, gpu.name): gpu.capacity for one in clusters for gpu in one.gpus}
    room = pools.get((tenant.cluster, tenant.gpu))
    if room is None:
        summary = f"there is no {tenant.gpu} in `{tenant.cluster}`"
        sheet.fault("world-unknown-name", "cluster", summary, remedy="name a pool of this file")
    elif tenant.gpus > room:
        summary = f"{tenant.cluster} has {room} {tenant.gpu}, {tenant.gpus} cannot be held"
        sheet.fault("world-out-of-range", "gpus", summary, remedy=f"write at most {room}")
    sheet.finish()
    return tenant


def _quota(
    sheet: Sheet, clusters: tuple[ClusterRule, ...], groups: tuple[GroupRule, ...]
) -> QuotaRule:
    rule = QuotaRule(
        gpu=sheet.required_text("gpu"),
        names=sheet.texts("names"),
        limit=sheet.required_whole("limit"),
        unit=sheet.choice("unit", QuotaUnit, QuotaUnit.GPUS),
        instance_type=sheet.optional_text("instanceType"),
    )
    known = {one.name for one in clusters} | {one.name for one in groups}
    for name in rule.names:
        if name not in known:
            summary = f"`{name}` is neither a cluster nor a group here"
            sheet.fault("world-unknown-name", "names", summary, remedy="name one of this file")
    sheet.finish()
    return rule


def _traffic(function: str, sheet: Sheet) -> TrafficRule:
    rule = TrafficRule(
        function=function,
        running=sheet.whole("running", 0),
        load=tuple(sorted(map(_load, sheet.rows("load")), key=lambda one: one.at)),
        idle_after=sheet.optional_seconds("idleAfter"),
        queue_depth=sheet.whole("queueDepth", 0),
        drained_per_minute=sheet.number("drainedPerMinute", 60.0),
    )
    sheet.finish()
    return rule


def _load(sheet: Sheet) -> LoadRule:
    rule = LoadRule(at=sheet.seconds("at", 0.0), running=sheet.required_whole("running"))
    sheet.finish()
    return rule


def _entry(sheet: Sheet, clusters: tuple[ClusterRule, ...]) -> ScheduleRule:
    rule = schedule_of(sheet)
    if rule is None:
        return ScheduleRule(at=0.0, what=Happening.LOSE)
    pools = {one.name: {gpu.name.casefold() for gpu in one.gpus} for one in clusters}
    if rule.cluster is not None and rule.cluster not in pools:
        summary = f"`{rule.cluster}` is no cluster of this file"
        sheet.fault("world-unknown-name", "cluster", summary, remedy="name one of this file")
    elif rule.cluster and rule.gpu and rule.gpu.casefold() not in pools[rule.cluster]:
        summary = f"there is no {rule.gpu} in `{rule.cluster}`"
        sheet.fault("world-unknown-name", "gpu", summary, remedy="name a pool of this file")
    return rule


def _patch_unsupported(sheet: Sheet) -> int:
    status = sheet.whole("patchUnsupported", 0)
    if status in (0, 404, 405):
        return status
    summary = f"patchUnsupported: {status} is not how a service without PATCH answers"
    sheet.fault("world-out-of-range", "patchUnsupported", summary, remedy="404 or 405")
    return 0


def _unreadable(sheet: Sheet) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for name, status in sheet.pairs("unreadable"):
        if name not in READINGS:
            summary = f"`{name}` is no reading"
            remedy = f"one of: {', '.join(READINGS)}"
            sheet.fault("world-unknown-word", "unreadable", summary, remedy=remedy)
        elif not isinstance(status, int) or not 400 <= status <= 599:
            summary = f"{name}: not an HTTP status from 400 to 599"
            sheet.fault("world-out-of-range", "unreadable", summary, remedy="such as 403")
        else:
            found.append((name, status))
    return tuple(found)


def _check_groups(sheet: Sheet, world: WorldFile) -> None:
    known = {one.name for one in world.groups}
    for cluster in world.clusters:
        for group in cluster.groups:
            if group not in known:
                where = Sheet({}, faults=sheet.faults, path=("clusters", cluster.name))
                summary = f"{cluster.name}: `{group}` is no group of this file"
                remedy = f"add `{group}` under groups"
                where.fault("world-unknown-name", "groups", summary, remedy=remedy)
