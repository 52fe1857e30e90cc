"""Jinja2 for what is drawn from templates: whatever is put in is made harmless for its medium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template


def load_template(name: str, *, draw: Callable[[str], Markup], **filters: object) -> Template:
    """`draw` is asked for every value that is not yet of the medium, so that none is forgotten."""

    def finalize(value: object) -> Markup:
        return value if isinstance(value, Markup) else draw(str(value))

    environment = Environment(
        loader=PackageLoader("nvcfplan.views"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)


def html_text(text: str) -> Markup:
    """For HTML: nothing acts and nothing hides."""
    return Markup("{}").format(safe(text))
