"""Contract: files keep their bytes, stand on cards, and can be taken away; or are refused in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmkit.adapter import Capability, Level
from crmkit.crm import Crm
from crmkit.errors import NotFound, Rejected, Unsupported
from crmkit.models import Contact, Deal, File
from crmkit.testing.contract.bed import Bed, ContractPart, need
from crmkit.values import Kind, Ref

CONTENT = bytes(range(256)) * 3
"""Every byte there is: nothing may take a file for text."""


class FileContract(ContractPart):
    """create, find, download, update, delete of files (capability FILES)."""

    def test_a_file_comes_back_byte_by_byte(self, crm: Crm) -> None:
        """Its name, size and content are those sent; reading it brings no content along."""
        need(crm, Capability.FILES)
        ref = crm.files.create(File(name="Договор № 5 «Окна».pdf", content=CONTENT))
        found = crm.files.get(ref)
        assert (found.name, found.size, found.cards, found.content) == ("Договор № 5 «Окна».pdf", 768, (), None)
        assert crm.files.download(ref) == CONTENT

    def test_a_file_stands_on_its_cards(self, crm: Crm) -> None:
        """It is found from each of its cards, and from no other."""
        need(crm, Capability.FILES)
        deal, other = crm.deals.create(Deal(title="Окна")), crm.deals.create(Deal(title="Двери"))
        person = crm.contacts.create(Contact(name="Иван"))
        ref = crm.files.create(File(name="Смета.xlsx", content=CONTENT, cards=(deal, person)))
        assert set(crm.files.get(ref).cards) == {deal, person}
        found = {card: [file.ref for file in crm.files.find(about=card)] for card in (deal, person, other)}
        assert found == {deal: [ref], person: [ref], other: []}

    def test_a_file_is_renamed_and_moved(self, crm: Crm) -> None:
        """An update touches what it names; its cards are the whole new list; the content stays."""
        need(crm, Capability.FILES)
        deal, other = crm.deals.create(Deal(title="Окна")), crm.deals.create(Deal(title="Двери"))
        ref = crm.files.create(File(name="a.txt", content=CONTENT, cards=(deal,)))
        crm.files.update(ref, {"name": "b.txt"})
        renamed = crm.files.get(ref)
        crm.files.update(ref, {"cards": (other,)})
        moved = crm.files.get(ref)
        assert (renamed.name, renamed.cards) == ("b.txt", (deal,))
        assert (moved.name, moved.cards) == ("b.txt", (other,))
        assert crm.files.download(ref) == CONTENT

    def test_a_deleted_file_is_gone(self, crm: Crm) -> None:
        """Neither it nor its content is found any more."""
        need(crm, Capability.FILES)
        ref = crm.files.create(File(name="a.txt", content=CONTENT))
        crm.files.delete(ref)
        assert list(crm.files.iterate()) == []
        for read in (crm.files.get, crm.files.download):
            with pytest.raises(NotFound):
                read(ref)

    def test_a_walk_gives_every_file_once(self, crm: Crm) -> None:
        """As many as there are, in any order."""
        need(crm, Capability.FILES)
        refs = {crm.files.create(File(name=f"{number}.txt", content=b"1")) for number in range(3)}
        walked = [file.ref for file in crm.files.iterate()]
        assert (len(walked), set(walked)) == (3, refs)

    def test_a_file_that_cannot_be_is_refused(self, bed: Bed, crm: Crm) -> None:
        """Without a content, or on a card that nobody has: an error, and no file is left."""
        need(crm, Capability.FILES)
        with pytest.raises(Rejected) as empty:
            crm.files.create(File(name="a.txt"))
        assert set(empty.value.fields) == {"content"}
        nowhere = Ref(bed.settings.key, Kind.DEAL, "999999999")
        with pytest.raises((Rejected, NotFound)):
            crm.files.create(File(name="a.txt", content=CONTENT, cards=(nowhere,)))
        assert list(crm.files.iterate()) == []

    def test_files_work_or_are_unsupported(self, crm: Crm) -> None:
        """Never silence: where there are no files, every call says so."""
        if crm.supports(Capability.FILES) is not Level.ABSENT:
            return
        deal, ref = crm.deals.create(Deal(title="Окна")), crm.ref(Kind.FILE, 1)
        calls: list[Callable[[], object]] = [
            lambda: crm.files.create(File(name="a.txt", content=CONTENT, cards=(deal,))),
            lambda: crm.files.find(about=deal),
            lambda: list(crm.files.iterate()),
            lambda: crm.files.download(ref),
        ]
        for call in calls:
            with pytest.raises(Unsupported):
                call()
