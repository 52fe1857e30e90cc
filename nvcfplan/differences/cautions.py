"""What a replacement means to callers, and to an image that is not what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.plans import AttributeChange, Means

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.model import DesiredFunction, FunctionConfig


def is_move(attributes: Sequence[AttributeChange]) -> bool:
    """Whether a new version is needed only because of where it runs."""
    return all(
        one.path.startswith("deployment.") for one in attributes if one.means is Means.NEW_VERSION
    )


def caution(
    desired: DesiredFunction, config: FunctionConfig, attributes: Sequence[AttributeChange]
) -> Iterator[Diagnostic]:
    """Of a function that gets a new version. `config`: what that is made with."""
    if desired.update.is_pinned:
        yield Diagnostic(
            code="pinned-callers",
            severity=Severity.WARNING,
            summary=f"{desired.address} gets a new version, and its callers name the old one's id",
            detail="a call with a version id goes to that version alone, so these callers fail "
            "from its undeploy on, in whatever order",
            remedy="give the callers the new id once it is ACTIVE, or let them call by function id",
            subject=Subject(desired.address, "update.pinned"),
        )
    image = config.container_image
    if image is not None and is_move(attributes) and is_mutable(image):
        yield Diagnostic(
            code="mutable-image-tag",
            severity=Severity.WARNING,
            summary=f"{desired.address} only moves, but {image} may be another image by now",
            detail="the tag is looked up again where the new version starts",
            remedy="name the image by digest, or by a tag that never moves",
            subject=Subject(desired.address, "containerImage"),
        )


def is_mutable(image: str) -> bool:
    """By convention: `latest`, or no tag, which means the same. A digest never moves."""
    if "@" in image:
        return False
    _, _, tag = image.rpartition("/")[2].partition(":")
    return tag in ("", "latest")
