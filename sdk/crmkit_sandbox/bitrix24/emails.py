"""Records of one table by their e-mails, kept up to date as rows change."""

from collections.abc import Iterator

from crmkit_sandbox.store import Table
from crmkit_sandbox.wire import Row


class Emails:
    """Ids of live rows with an e-mail, whatever its case."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ids: dict[str, set[int]] = {}
        self._is_built = False
        table.on_put(self._follow)
        table.on_load(self._forget)

    def ids(self, email: str) -> list[int]:
        """Ids of the live rows with `email`, ascending."""
        if not self._is_built:
            self._is_built = True
            for row in self._table.rows():
                self._add(row)
        found = self._ids.get(email.casefold(), ())
        return sorted(row_id for row_id in found if self._table.live(row_id) is not None)

    def _follow(self, before: Row | None, after: Row) -> None:
        if not self._is_built:
            return
        for email in _emails(before or {}):
            self._ids.get(email, set()).discard(after["id"])
        self._add(after)

    def _add(self, row: Row) -> None:
        for email in _emails(row):
            self._ids.setdefault(email, set()).add(row["id"])

    def _forget(self) -> None:
        self._is_built = False
        self._ids.clear()


def _emails(row: Row) -> Iterator[str]:
    return (value["VALUE"].casefold() for value in row.get("EMAIL", ()))
