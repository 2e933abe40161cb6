"""Making one card out of several: Bitrix24 merges only what does not contradict itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmkit.errors import CrmKitError, NotFound, Rejected
from crmkit.values import Kind, Ref
from crmkit_bitrix24.client.line import Line
from crmkit_bitrix24.errors.refusals import VENDOR, unmergeable, unsupported
from crmkit_bitrix24.wire import ENTITIES, Command, is_empty, mapping, rows

_KEPT = frozenset(
    {
        "ID",
        "DATE_CREATE",
        "DATE_MODIFY",
        "CREATED_BY_ID",
        "MODIFY_BY_ID",
        "MOVED_BY_ID",
        "MOVED_TIME",
        "LAST_ACTIVITY_BY",
        "LAST_ACTIVITY_TIME",
        "LAST_COMMUNICATION_TIME",
        "HAS_PHONE",
        "HAS_EMAIL",
        "HAS_IMOL",
        "PHONE",
        "EMAIL",
        "WEB",
        "IM",
        "LINK",
        "QUOTE_ID",
        "PHOTO",
        "LOGO",
        "STAGE_SEMANTIC_ID",
        "STATUS_SEMANTIC_ID",
        "DATE_CLOSED",
        "CLOSED",
        "IS_NEW",
        "IS_RECURRING",
        "IS_RETURN_CUSTOMER",
        "FACE_ID",
    }
)
"""What the portal sets itself, or unites."""


class Merger:
    """Merges cards of one account.

    Args:
        line: the way to the portal.
        url: the portal's address.
        key: the account's key.
    """

    def __init__(self, line: Line, url: str, key: str) -> None:
        self._line = line
        self._url = url.rstrip("/")
        self._key = key

    def merge(self, survivor: Ref, losers: Sequence[Ref]) -> None:
        """Merge the losers into the survivor; where values contradict, the survivor's are written to the losers first.

        Losers that are gone already are left out, so that a broken merge can be done again. Irreversible. Raises
        Conflict when the portal still will not, Rejected for cards of different kinds, NotFound without the survivor.
        Source: Bitrix24 REST, page "crm.entity.mergeBatch".
        """
        entity = ENTITIES.get(survivor.kind)
        if entity is None:
            raise unsupported(self._key, f"merge records of kind {survivor.kind.value}", "Merge cards only.")
        if not losers or any(loser.kind is not survivor.kind for loser in losers):
            raise Rejected(
                f"{survivor} can only be merged with other cards of its kind",
                account=self._key,
                vendor=VENDOR,
                ref=str(survivor),
                remedy="Name at least one loser, of the survivor's kind.",
            )
        cards = self._cards(entity.name, (survivor, *losers))
        present = [loser for loser in losers if loser in cards]
        if not present or self._is_merged(survivor, present):
            return
        self._make_equal(entity.name, survivor, {ref: cards[ref] for ref in (survivor, *present)})
        if not self._is_merged(survivor, present):
            ids = ",".join(ref.id for ref in (survivor, *present))
            raise unmergeable(self._key, str(survivor), f"{self._url}/crm/{entity.name}/merge/?id={ids}")

    def _is_merged(self, survivor: Ref, losers: Sequence[Ref]) -> bool:
        ids = [int(ref.id) for ref in (survivor, *losers)]
        params = {"params": {"entityTypeId": ENTITIES[survivor.kind].type_id, "entityIds": ids}}
        result = mapping(self._line.call("crm.entity.mergeBatch", params, is_safe=False))
        return str(result.get("STATUS")) == "SUCCESS"

    def _cards(self, name: str, refs: Sequence[Ref]) -> dict[Ref, Mapping[str, Any]]:
        """Those of the cards that exist. Raises NotFound without the first."""
        found: dict[Ref, Mapping[str, Any]] = {}
        answers = self._line.batch([Command(f"crm.{name}.get", {"id": int(ref.id)}) for ref in refs])
        for ref, answer in zip(refs, answers, strict=True):
            if not isinstance(answer, CrmKitError):
                found[ref] = mapping(answer)
            elif ref == refs[0] or not isinstance(answer, NotFound):
                raise answer
        return found

    def _make_equal(self, name: str, survivor: Ref, cards: Mapping[Ref, Mapping[str, Any]]) -> None:
        kept, commands = cards[survivor], []
        for ref, card in cards.items():
            changes = _contradictions(kept, card) if ref != survivor else {}
            if "COMPANY_ID" in changes and survivor.kind is Kind.CONTACT:
                self._join_companies(survivor, ref)
            if changes:
                commands.append(Command(f"crm.{name}.update", {"id": int(ref.id), "fields": changes}))
        self._line.every(commands)

    def _join_companies(self, survivor: Ref, loser: Ref) -> None:
        """A person may belong to several companies: none is lost when the loser's main one is written over."""
        found = self._line.call("crm.contact.company.items.get", {"id": int(loser.id)})
        self._line.every(
            [
                Command(
                    "crm.contact.company.add",
                    {"id": int(survivor.id), "fields": {"COMPANY_ID": int(row["COMPANY_ID"]), "IS_PRIMARY": "N"}},
                )
                for row in rows(found)
            ]
        )


def _contradictions(kept: Mapping[str, Any], lost: Mapping[str, Any]) -> dict[str, Any]:
    """The survivor's values where both cards have one and they differ."""
    return {
        name: value
        for name, value in kept.items()
        if name not in _KEPT and not is_empty(value) and not is_empty(lost.get(name)) and lost.get(name) != value
    }
