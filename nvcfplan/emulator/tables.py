"""Rows by id, found by what they belong to, that know which of them may have been changed.

A row that is handed out may be changed by whoever took it, nested parts and all, without a word;
so what was handed out is what has to be looked at again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, MutableMapping
from typing import Protocol, TypeVar

Share = tuple[Hashable, int]
"""What a row counts towards, and for how much."""


class Row(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)


class Table(MutableMapping[str, R]):
    """In the order of insertion. `by`: attributes, never changed, by which rows are grouped.

    `counting`: totals kept over rows; what it looks at never changes either. `taken` and
    `unsettled`: ids handed out, put in or taken out since somebody cleared them: to store, and to
    index by what may change.
    """

    def __init__(
        self, *, by: Collection[str] = (), counting: Callable[[R], Share] | None = None
    ) -> None:
        self._rows: dict[str, R] = {}
        self._groups: dict[str, dict[str, dict[str, R]]] = {name: {} for name in by}
        self._counting = counting
        self._totals: dict[Hashable, int] = {}
        self._places: dict[str, int] = {}
        self._next_place = 0
        self.taken: dict[str, None] = {}
        self.unsettled: dict[str, None] = {}

    def __getitem__(self, id_: str) -> R:
        row = self._rows[id_]
        self._mark(id_)
        return row

    def __setitem__(self, id_: str, row: R) -> None:
        """A row of the same id is replaced in its place."""
        former = self._rows.get(id_)
        if former is None:
            self._places[id_] = self._next_place
            self._next_place += 1
        else:
            self._count(former, sign=-1)
        self._rows[id_] = row
        for name, groups in self._groups.items():
            groups.setdefault(getattr(row, name), {})[id_] = row
        self._count(row, sign=1)
        self._mark(id_)

    def __delitem__(self, id_: str) -> None:
        row = self._rows.pop(id_)
        del self._places[id_]
        for name, groups in self._groups.items():
            value: str = getattr(row, name)
            del groups[value][id_]
            if not groups[value]:
                del groups[value]
        self._count(row, sign=-1)
        self._mark(id_)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rows

    def add(self, row: R) -> None:
        self[row.id] = row

    def look(self, id_: str) -> R | None:
        """To look at only: what is changed in it is not stored."""
        return self._rows.get(id_)

    def shown(self) -> Collection[R]:
        """All, to look at only."""
        return self._rows.values()

    def of(self, name: str, value: str) -> list[R]:
        """Those whose attribute `name` is `value`, oldest first."""
        found = self._groups[name].get(value, {})
        for id_ in found:
            self._mark(id_)
        return list(found.values())

    def shown_of(self, name: str, value: str) -> Collection[R]:
        """As `of`, to look at only."""
        return self._groups[name].get(value, {}).values()

    def total(self, of: Hashable) -> int:
        return self._totals.get(of, 0)

    def in_order(self, ids: Iterable[str]) -> list[R]:
        """Those of the ids that are here, oldest first."""
        here = sorted((one for one in ids if one in self._rows), key=self._places.__getitem__)
        return [self[one] for one in here]

    def _mark(self, id_: str) -> None:
        self.taken[id_] = None
        self.unsettled[id_] = None

    def _count(self, row: R, *, sign: int) -> None:
        if self._counting is not None:
            of, amount = self._counting(row)
            self._totals[of] = self._totals.get(of, 0) + sign * amount
