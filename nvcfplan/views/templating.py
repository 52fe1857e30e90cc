"""Jinja2 for what is drawn from templates: whatever is put in is made harmless for its medium."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from jinja2 import Template

_QUOTED: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Medium:
    """`draw` is asked for every value that is not yet of the medium, so that none is forgotten."""

    draw: Callable[[str], Markup]
    filters: Mapping[str, Callable[..., object]]

    def finalize(self, value: object) -> Markup:
        return value if isinstance(value, Markup) else self.draw(str(value))


def compiled(name: str, medium: Medium) -> Template:
    """Takes a while: a module does it once, when it first draws."""
    environment = Environment(
        loader=PackageLoader("nvcfplan.views"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=medium.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(medium.filters)
    return environment.get_template(name)


def html_quoting(text: str) -> Markup:
    """As `html_text`, what stands in backticks as code. Not for within a tag."""
    parts = _QUOTED.split(safe(text))
    drawn = (
        Markup("<code>{}</code>" if at % 2 else "{}").format(one) for at, one in enumerate(parts)
    )
    return Markup("").join(drawn)


def html_text(text: str) -> Markup:
    """For HTML: nothing acts and nothing hides."""
    return Markup("{}").format(safe(text))
