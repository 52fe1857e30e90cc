"""A world as pages of text, one for each row of a table and one for each of its other fields.

Knows what every page last said, so that only what differs is written again. The fields of `World`
are found by their annotations: a new one is stored without a word here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args, get_origin

from nvcfplan.emulator.codec import fields_of, from_text, to_text
from nvcfplan.emulator.tables import Table
from nvcfplan.emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

Page = tuple[str, str, str | None]
"""The field, the row's id (empty where it is no table), the text; None: there is no such row."""


class Pages:
    """Of a world in which nothing is stored yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._texts: dict[tuple[str, str], str] = {}
        hints = fields_of(World)
        self._tables = {
            name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is Table
        }
        self._plain = {name: hint for name, hint in hints.items() if name not in self._tables}

    def put(self, kind: str, id_: str, content: str | None) -> None:
        """Into the world, as another process stored it. Raises ValueError, TypeError, KeyError."""
        if kind in self._tables:
            self._put_row(kind, id_, content)
        elif content is not None:
            setattr(self._world, kind, from_text(cast("type", self._plain[kind]), content))
        if content is None:
            self._texts.pop((kind, id_), None)
        else:
            self._texts[kind, id_] = content

    def _put_row(self, kind: str, id_: str, content: str | None) -> None:
        table = getattr(self._world, kind)
        if content is not None:
            table[id_] = from_text(self._tables[kind], content)
        elif id_ in table:
            del table[id_]

    def changed(self) -> Iterator[Page]:
        """What has to be written. Each is given once: it counts as stored from then on."""
        for name in self._plain:
            yield from self._differing(name, "", to_text(getattr(self._world, name)))
        for name in self._tables:
            table = getattr(self._world, name)
            for id_ in table.taken:
                row = table.look(id_)
                yield from self._differing(name, id_, None if row is None else to_text(row))

    def _differing(self, kind: str, id_: str, content: str | None) -> Iterator[Page]:
        if content == self._texts.get((kind, id_)):
            return
        if content is None:
            del self._texts[kind, id_]
        else:
            self._texts[kind, id_] = content
        yield kind, id_, content
