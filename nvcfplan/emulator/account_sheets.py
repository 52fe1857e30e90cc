"""The part of a world file on what the account has beside GPUs: functions of others, registries.

The keys are explained in `examples/worlds/account.yaml`.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from nvcfplan.emulator.function_bounds import FUNCTION_TYPES
from nvcfplan.emulator.inventory import lasting_id
from nvcfplan.emulator.resources import ARTIFACT_TYPES
from nvcfplan.emulator.rules import RegistryRule, SharedFunctionRule, Visibility
from nvcfplan.emulator.world import Status

if TYPE_CHECKING:
    from nvcfplan.emulator.sheets import Sheet


def shared_function(sheet: Sheet) -> SharedFunctionRule:
    """Ids that are not given follow from the name, so that they are the same in every run."""
    name = sheet.required_text("name")
    rule = SharedFunctionRule(
        name=name,
        function_id=_id(sheet, "functionId", f"function {name}"),
        version_id=_id(sheet, "versionId", f"version {name}"),
        nca_id=sheet.text("ncaId", "nca-other-0001"),
        visibility=sheet.choice("visibility", Visibility, Visibility.AUTHORIZED),
        status=sheet.choice("status", Status, Status.ACTIVE),
        function_type=_word(sheet, "functionType", FUNCTION_TYPES),
        tags=sheet.texts("tags"),
        description=sheet.optional_text("description"),
        queue_depth=sheet.whole("queueDepth", 0),
    )
    sheet.finish()
    return rule


def _id(sheet: Sheet, key: str, name: str) -> str:
    text = sheet.text(key, lasting_id(name))
    try:
        return str(uuid.UUID(text))
    except ValueError:
        sheet.fault("world-wrong-type", key, f"{key}: not a UUID", remedy="write one, or none")
        return lasting_id(name)


def _word(sheet: Sheet, key: str, words: tuple[str, ...]) -> str:
    """The first one by default."""
    text = sheet.text(key, words[0])
    if text not in words:
        remedy = f"one of: {', '.join(words)}"
        sheet.fault("world-unknown-word", key, f"`{text}` is not known here", remedy=remedy)
    return text


def registry(hostname: str, sheet: Sheet) -> RegistryRule:
    types = sheet.texts("artifactTypes", ARTIFACT_TYPES)
    for one in types:
        if one not in ARTIFACT_TYPES:
            remedy = f"one of: {', '.join(ARTIFACT_TYPES)}"
            summary = f"`{one}` is no artifact type"
            sheet.fault("world-unknown-word", "artifactTypes", summary, remedy=remedy)
    rule = RegistryRule(
        hostname=hostname,
        name=sheet.text("name", hostname),
        types=types,
        has_credential=sheet.flag("credential", default=False),
    )
    sheet.finish()
    return rule


def refused_charts(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """A text: what is wrong with the chart. A number: the status by which the check fails."""
    found: list[tuple[str, str]] = []
    for chart, why in sheet.pairs("refusedCharts"):
        if isinstance(why, str) and why.strip():
            found.append((chart, f"Helm chart validation error(s) from NVCF ReVal service: {why}"))
        elif isinstance(why, int) and 400 <= why <= 599:
            found.append((chart, f"Internal error during validation. Reval Status {why}"))
        else:
            summary = f"{chart}: a text is expected, or a status from 400 to 599"
            remedy = "write what the chart is refused for"
            sheet.fault("world-wrong-type", "refusedCharts", summary, remedy=remedy)
    return tuple(found)


def vanishing_artifacts(sheet: Sheet) -> tuple[tuple[str, float], ...]:
    """By artifact, when it goes."""
    found: list[tuple[str, float]] = []
    for artifact, one in sheet.named("vanishingArtifacts"):
        found.append((artifact, one.seconds("at", 0.0)))
        one.finish()
    return tuple(found)
