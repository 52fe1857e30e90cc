"""The steps of a plan as a graph, each edge with its reason: for Mermaid, Graphviz, programs."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, assert_never

from nvcfplan.plans import After, Funded, Order
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import charged, described, lasting, units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.plans import Charge, Edge
    from nvcfplan.reports import PlanReport, StepEntry

GRAPH_FORMAT_VERSION = "1.0"


class GraphForm(StrEnum):
    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


def render_graph(report: PlanReport, form: GraphForm) -> str:
    """Ends without a newline. The same plan gives the same bytes."""
    match form:
        case GraphForm.MERMAID:
            return "\n".join(_mermaid(report))
        case GraphForm.DOT:
            return "\n".join(_dot(report))
        case GraphForm.JSON:
            return _json(report)
        case _:
            assert_never(form)


def _mermaid(report: PlanReport) -> Iterator[str]:
    yield "flowchart TD"
    for address, entries in _by_function(report):
        yield f'  subgraph {_identifier(address)}["{_entities(address)}"]'
        for entry in entries:
            yield f'    n{entry.number}["{"<br/>".join(map(_entities, _label(entry)))}"]'
        yield "  end"
    for entry in report.steps:
        for number, reason in _reasons(entry):
            arrow = f'-- "{_entities(reason)}" -->' if reason else "-->"
            yield f"  n{number} {arrow} n{entry.number}"


def _dot(report: PlanReport) -> Iterator[str]:
    yield f"digraph {_quoted(report.stack)} {{"
    yield "  rankdir=TB; node [shape=box];"
    for place, (address, entries) in enumerate(_by_function(report)):
        yield f"  subgraph cluster_{place} {{ label={_quoted(address)};"
        for entry in entries:
            yield f"    n{entry.number} [label={_quoted(*_label(entry))}];"
        yield "  }"
    for entry in report.steps:
        for number, reason in _reasons(entry):
            label = f" [label={_quoted(reason)}]" if reason else ""
            yield f"  n{number} -> n{entry.number}{label};"
    yield "}"


def _json(report: PlanReport) -> str:
    nodes = [
        {
            "number": entry.number,
            "id": entry.step.id,
            "address": entry.step.address,
            "title": described(entry.step.task),
            "acquire": _charges(entry.step.acquire),
            "release": _charges(entry.step.release),
            "expected_seconds": entry.step.expected_seconds,
            "limit_seconds": entry.step.limit_seconds,
            "reversible": entry.undoing.value,
        }
        for entry in report.steps
    ]
    edges = [
        {"from": edge.step, "to": entry.step.id, **_reason(edge)}
        for entry in report.steps
        for edge in entry.step.depends_on
    ]
    document = {
        "format_version": GRAPH_FORMAT_VERSION,
        "stack": report.stack,
        "nodes": nodes,
        "edges": edges,
    }
    return json.dumps(document, indent=2, sort_keys=True)


def _reason(edge: Edge) -> dict[str, object]:
    match edge:
        case After(order=order):
            return {"reason": order.value}
        case Funded(resource=resource, units=number):
            return {"reason": "funds", "resource": resource, "units": number}


def _charges(charges: Sequence[Charge]) -> list[dict[str, object]]:
    return [{"resource": one.resource, "units": one.units} for one in charges]


def _by_function(report: PlanReport) -> Iterator[tuple[str, list[StepEntry]]]:
    ordered = sorted(report.steps, key=lambda entry: (entry.step.address, entry.number))
    for address, entries in groupby(ordered, key=lambda entry: entry.step.address):
        yield address, list(entries)


def _label(entry: StepEntry) -> list[str]:
    step = entry.step
    effects = [f"takes {charged(step.acquire)}"] if step.acquire else []
    effects += [f"gives {charged(step.release)}"] if step.release else []
    head, _, rest = described(step.task).partition(": ")
    return [f"{entry.number}. {head}", *([rest] if rest else []), *effects, _time(entry)]


def _time(entry: StepEntry) -> str:
    return f"about {lasting(entry.step.expected_seconds)}"


def _reasons(entry: StepEntry) -> Iterator[tuple[int, str]]:
    """By step waited for: what is said of it; of what is a matter of course nothing."""
    for number, waits in groupby(entry.waits, key=itemgetter(0)):
        words: list[str] = []
        for _, edge in waits:
            match edge:
                case After(order=Order.REQUIRES):
                    continue
                case After(order=order):
                    words.append(order.value)
                case Funded(resource=resource, units=several):
                    words.append(units(several, resource))
        yield number, ", ".join(words)


def _identifier(text: str) -> str:
    return "f_" + re.sub(r"\W", "_", text, flags=re.ASCII)


def _entities(text: str) -> str:
    """Mermaid's own escapes for all that it, or the HTML it becomes, could act upon."""
    return re.sub(r"[^\w .,:()/@+=-]", lambda one: f"#{ord(one[0])};", safe(text))


def _quoted(*lines: str) -> str:
    """A string of Graphviz', its lines on top of each other."""
    escaped = (safe(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
