"""Is what the stack asks for offered at all? Backend, GPU, instance type, cluster, region,
attribute: the service checks only the first three, the rest fails late or never.

Source: nvcf-api.md 4.3 and the note under its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from nvcfplan.capacity import contains, place
from nvcfplan.diagnostics import Diagnostic, Severity, Subject, Verdict
from nvcfplan.model import Account, Cluster, DesiredFunction, GpuSpecification


def check_offered(function: DesiredFunction, account: Account) -> Iterator[Diagnostic]:
    """Nothing when the inventory could not be read: that is said once, for the account."""
    if account.clusters is None:
        return
    for one in function.specifications:
        subject = Subject(function.address, f"deployment.specifications.{one.key}")
        yield from _check(subject, one.specification, account)
    for elsewhere in function.update.bounce:
        yield from _check(Subject(function.address, "update.bounce"), elsewhere, account)


def _check(subject: Subject, wanted: GpuSpecification, account: Account) -> Iterator[Diagnostic]:
    clusters = account.clusters or ()
    if not clusters or account.groups == ():
        yield _violation(
            subject, "no-clusters", "the account may use no cluster at all", "nothing is offered"
        )
        return
    candidates: Sequence[Cluster] = clusters
    for narrow in (_backend, _clusters, _gpu, _instance_type, _regions, _attributes):
        found = narrow(subject, wanted, candidates)
        if isinstance(found, Diagnostic):
            yield found
            return
        candidates = found
    if not place(wanted, account).pools:
        yield _violation(
            subject,
            "no-cluster-matches",
            f"no cluster offers {wanted.gpu} {wanted.instance_type} with everything it asks for",
            "each word is offered somewhere, but not all on one cluster",
        )


Narrowed = Sequence[Cluster] | Diagnostic


def _backend(subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]) -> Narrowed:
    if wanted.backend is None:
        return clusters
    backend = wanted.backend
    known = [one.groups for one in clusters if one.groups is not None]
    if len(known) != len(clusters):
        return clusters
    found = [one for one in clusters if contains(one.groups or (), backend)]
    names = [group for groups in known for group in groups]
    return found or _unknown(_below(subject, "backend"), "backend", backend, names)


def _clusters(subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]) -> Narrowed:
    names = [one.name for one in clusters]
    for name in wanted.clusters:
        if name not in names:
            return _unknown(_below(subject, "clusters"), "cluster", name, names)
    if not wanted.clusters:
        return clusters
    return [one for one in clusters if one.name in wanted.clusters]


def _gpu(subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]) -> Narrowed:
    found = [one for one in clusters if contains(_gpus(one), wanted.gpu)]
    names = [gpu for one in clusters for gpu in _gpus(one)]
    return found or _unknown(_below(subject, "gpu"), "gpu", wanted.gpu, names)


def _instance_type(
    subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]
) -> Narrowed:
    def types(cluster: Cluster) -> list[str]:
        return [
            one.name
            for pool in cluster.pools
            if pool.id.gpu.casefold() == wanted.gpu.casefold()
            for one in pool.instance_types
        ]

    found = [one for one in clusters if contains(types(one), wanted.instance_type)]
    names = [name for one in clusters for name in types(one)]
    return found or _unknown(
        _below(subject, "instanceType"), "instance-type", wanted.instance_type, names
    )


def _regions(subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]) -> Narrowed:
    """Any of them will do, so each that is offered nowhere is only a slip, and named."""
    known = [one.region for one in clusters if one.region is not None]
    is_judged = len(known) == len(clusters)
    for region in wanted.regions if is_judged else ():
        if region not in known:
            return _unknown(_below(subject, "regions"), "region", region, known)
    if not wanted.regions or not is_judged:
        return clusters
    return [one for one in clusters if one.region in wanted.regions]


def _attributes(
    subject: Subject, wanted: GpuSpecification, clusters: Sequence[Cluster]
) -> Narrowed:
    """All of them are asked of one cluster."""
    known = [one.attributes for one in clusters if one.attributes is not None]
    names = [name for attributes in known for name in attributes]
    if len(known) != len(clusters):
        return clusters
    for attribute in wanted.attributes:
        if attribute not in names:
            return _unknown(_below(subject, "attributes"), "attribute", attribute, names)
    return clusters


def _gpus(cluster: Cluster) -> list[str]:
    return [pool.id.gpu for pool in cluster.pools]


def _below(subject: Subject, field: str) -> Subject:
    return Subject(subject.address, f"{subject.path}.{field}")


def _unknown(subject: Subject, what: str, name: str, offered: Sequence[str]) -> Diagnostic:
    names = sorted(set(offered))
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    word = what.replace("-", " ")
    return Diagnostic(
        code=f"unknown-{what}",
        severity=Severity.ERROR,
        summary=f"{word} {name!r} is not offered to this account here",
        detail=f"offered: {', '.join(names[:12]) or 'none'}{' ...' if len(names) > 12 else ''}",
        remedy=f"did you mean {' or '.join(near)}?" if near else f"choose an offered {word}",
        subject=subject,
        verdict=Verdict.VIOLATION,
    )


def _violation(subject: Subject, code: str, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        summary=summary,
        detail=detail,
        remedy="compare the specification with the inventory",
        subject=subject,
        verdict=Verdict.VIOLATION,
    )
