"""Making one record out of several: amoCRM's API has no merge, so all moves over and the losers stay, marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmkit.errors import Rejected
from crmkit.values import Json, Kind, Ref
from crmkit.write import Write
from crmkit_amocrm.client.directory import Directory
from crmkit_amocrm.client.line import API, Line
from crmkit_amocrm.errors.refusals import VENDOR, gone, unsupported
from crmkit_amocrm.translate import MARK, copied, copy_mark, missing_fields, missing_tags, tags_of
from crmkit_amocrm.wire import BATCH, PATHS, Item

_WITH: Mapping[Kind, str] = {
    Kind.CONTACT: "leads,customers,catalog_elements",
    Kind.COMPANY: "leads,contacts,customers,catalog_elements",
    Kind.DEAL: "contacts",
}


class Merger:
    """Merges records of one account, each step only where it is not done yet: a broken merge can be done again.

    Args:
        line: the way to the account.
        names: what the account has by name.
    """

    def __init__(self, line: Line, names: Directory) -> None:
        self._line = line
        self._names = names

    def merge(self, write: Write) -> Ref | None:
        """The survivor, with what the losers had: missing values, tags, deals, companies, tasks, remarks as copies.

        The losers stay, tagged, with a remark that leads to the survivor. What the survivor has already stays as it is.
        Source: amoCRM API v4 has neither a merge nor a deletion.
        """
        survivor = write.ref
        if survivor is None or survivor.kind not in _WITH:
            kind = write.kind.value
            raise unsupported(self._names.account().key, f"merge records of kind {kind}", "Merge cards only.")
        losers = [ref for ref in write.others if ref.id != survivor.id]
        if any(ref.kind is not survivor.kind for ref in losers):
            raise Rejected(
                f"{survivor} can only be merged with other records of its kind",
                account=survivor.account,
                vendor=VENDOR,
                ref=str(survivor),
                remedy="Name losers of the survivor's kind.",
            )
        cards = self._cards(survivor.kind, [survivor.id, *(ref.id for ref in losers)])
        kept = cards.get(survivor.id)
        lost = [cards[ref.id] for ref in losers if ref.id in cards]
        if kept is None:
            raise gone(survivor.account, str(survivor))
        if lost:
            self._fill(survivor, kept, lost)
        for card in lost:
            # What the survivor got from an earlier loser is its own by now.
            kept = self._cards(survivor.kind, [survivor.id])[survivor.id]
            self._move_links(survivor.kind, kept, card)
            self._move_tasks(survivor, str(card["id"]))
            self._copy_notes(survivor, str(card["id"]))
            self._mark(survivor, kept, card)
        return survivor

    def _cards(self, kind: Kind, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        path = PATHS[kind]
        wanted = [("filter[id][]", one) for one in dict.fromkeys(ids)]
        found = self._line.items(path, path, [("with", _WITH[kind]), *wanted, ("limit", "250")])
        return {str(card["id"]): card for card in found if str(card["id"]) in ids and not card.get("is_deleted")}

    def _fill(self, survivor: Ref, kept: Item, lost: Sequence[Item]) -> None:
        item: dict[str, Json] = {}
        if fields := missing_fields(kept, lost, self._names.account().country):
            item["custom_fields_values"] = fields
        if tags := missing_tags(kept, lost):
            item["tags_to_add"] = [{"name": tag} for tag in dict.fromkeys(tags)]
        if item:
            self._patch(survivor.kind, [{"id": int(survivor.id), **item}])

    def _move_links(self, kind: Kind, kept: Item, lost: Item) -> None:
        """Every link of the loser to the survivor; of two companies the survivor's own stays, the loser keeps its.

        Customers and elements of lists stay with the loser too: who takes the merge back finds them there.
        """
        path, winner, loser = PATHS[kind], int(kept["id"]), int(lost["id"])
        for deal in _embedded(lost, "leads") if kind is not Kind.DEAL else ():
            self._move_deal(path, int(deal["id"]), winner, loser)
        if kind is Kind.COMPANY:
            for person in _embedded(lost, "contacts"):
                self._link("contacts", int(person["id"]), "unlink", loser, path)
                self._link("contacts", int(person["id"]), "link", winner, path)
        if kind is Kind.DEAL:
            has_people = bool(_embedded(kept, "contacts"))
            for person in _embedded(lost, "contacts"):
                if int(person["id"]) not in {int(one["id"]) for one in _embedded(kept, "contacts")}:
                    is_main = bool(person.get("is_main")) and not has_people
                    self._link(path, winner, "link", int(person["id"]), "contacts", {"is_main": is_main})
        own, other = _embedded(kept, "companies"), _embedded(lost, "companies")
        if other and (not own or own[0]["id"] == other[0]["id"]):
            if not own:
                self._link(path, winner, "link", int(other[0]["id"]), "companies")
            self._link(path, loser, "unlink", int(other[0]["id"]), "companies")
        for customer in _embedded(lost, "customers"):
            self._link(path, winner, "link", int(customer["id"]), "customers")
        for element in _embedded(lost, "catalog_elements") if kind is not Kind.DEAL else ():
            data = {name: element["metadata"][name] for name in ("catalog_id", "quantity") if element.get("metadata")}
            self._link(path, winner, "link", int(element["id"]), "catalog_elements", data)

    def _move_deal(self, path: str, deal: int, winner: int, loser: int) -> None:
        if path == "companies":
            self._link("leads", deal, "link", winner, path)
            self._link("leads", deal, "unlink", loser, path)
            return
        found = self._cards(Kind.DEAL, [str(deal)]).get(str(deal))
        people = {int(one["id"]): bool(one.get("is_main")) for one in _embedded(found or {}, "contacts")}
        is_main = people.get(loser, False) or people.get(winner, False)
        if winner not in people or is_main != people[winner]:
            self._link("leads", deal, "link", winner, path, {"is_main": is_main})
        self._link("leads", deal, "unlink", loser, path)

    def _link(
        self, path: str, own: int, verb: str, other: int, other_path: str, data: Mapping[str, Json] | None = None
    ) -> None:
        item: dict[str, Json] = {"to_entity_id": other, "to_entity_type": other_path}
        if data:
            item["metadata"] = dict(data)
        self._line.send("POST", f"{API}{path}/{own}/{verb}", body=[item], is_repeatable=True)

    def _move_tasks(self, survivor: Ref, loser: str) -> None:
        path = PATHS[survivor.kind]
        query = [("filter[entity_type]", path), ("filter[entity_id][]", loser), ("order[id]", "asc")]
        found = [task["id"] for task in self._line.every("tasks", "tasks", query) if str(task["entity_id"]) == loser]
        self._patch(Kind.TASK, [{"id": task, "entity_id": int(survivor.id), "entity_type": path} for task in found])

    def _copy_notes(self, survivor: Ref, loser: str) -> None:
        path = PATHS[survivor.kind]
        notes = list(self._line.every(f"{path}/{loser}/notes", "notes"))
        if not notes:
            return
        texts = self._texts(path, survivor.id)
        zone, authors = self._names.account().timezone, self._authors() if notes else {}
        fresh = [
            copied(note, loser, zone, authors)
            for note in sorted(notes, key=lambda note: (note.get("created_at") or 0, note["id"]))
            if not _has(texts, copy_mark(note, loser)) and not _is_ours(note)
        ]
        self._write_notes(path, survivor.id, fresh)

    def _mark(self, survivor: Ref, kept: Item, lost: Item) -> None:
        """Tag the loser, hand it to the survivor's owner, and let each lead to the other."""
        path, loser = PATHS[survivor.kind], str(lost["id"])
        owner = kept.get("responsible_user_id")
        item: dict[str, Json] = {"id": int(loser)}
        if MARK not in tags_of(lost):
            item["tags_to_add"] = [{"name": MARK}]
        if owner and owner != lost.get("responsible_user_id"):
            item["responsible_user_id"] = owner
        if len(item) > 1:
            self._patch(survivor.kind, [item])
        for card, text in (
            (survivor.id, f"{_OURS}: сюда перенесён дубль #{loser}, {self._url(path, loser)}"),
            (loser, f"{_OURS}: это дубль, всё перенесено в #{survivor.id}, {self._url(path, survivor.id)}"),
        ):
            if not _has(self._texts(path, card), text):
                self._write_notes(path, card, [text])

    def _texts(self, path: str, card: str) -> list[str]:
        query = [("filter[note_type][]", "common")]
        found = self._line.every(f"{path}/{card}/notes", "notes", query)
        return [str((note.get("params") or {}).get("text") or "") for note in found]

    def _write_notes(self, path: str, card: str, texts: Sequence[str]) -> None:
        for start in range(0, len(texts), BATCH):
            body: list[Json] = [
                {"entity_id": int(card), "note_type": "common", "params": {"text": text}}
                for text in texts[start : start + BATCH]
            ]
            self._line.send("POST", f"{API}{path}/notes", body=body)

    def _patch(self, kind: Kind, items: Sequence[Mapping[str, Json]]) -> None:
        for start in range(0, len(items), BATCH):
            body: list[Json] = list(items[start : start + BATCH])
            self._line.send("PATCH", API + PATHS[kind], body=body, is_repeatable=True)

    def _authors(self) -> dict[int, str]:
        return {int(user["id"]): str(user.get("name") or "") for user in self._line.every("users", "users")}

    def _url(self, path: str, card: str) -> str:
        return f"{self._names.account().url}/{path}/detail/{card}"


_OURS = "Объединение"
"""How our own remarks about a merge begin."""


def _embedded(card: Item, name: str) -> Sequence[Item]:
    found = (card.get("_embedded") or {}).get(name) or ()
    return list(found)


def _has(texts: Iterable[str], beginning: str) -> bool:
    return any(text.startswith(beginning) for text in texts)


def _is_ours(note: Item) -> bool:
    return str((note.get("params") or {}).get("text") or "").startswith(f"{_OURS}: это дубль")
