"""Types that a consumer sees of a `Crm` and its ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_type

from crmkit import (
    Account,
    BatchResult,
    Call,
    Capability,
    Contact,
    Crm,
    Deal,
    File,
    Kind,
    Level,
    Ref,
    Task,
    User,
    connect,
)


def reading_gives_the_ports_own_record(crm: Crm, ref: Ref) -> None:
    """Each port gives its own kind."""
    assert_type(crm.deals.get(ref), Deal)
    assert_type(crm.deals.get_many([ref]), Mapping[Ref, Deal])
    assert_type(crm.contacts.iterate(), Iterator[Contact])
    assert_type(crm.contacts.find(phone="+79123456789"), Sequence[Contact])
    assert_type(crm.contacts.find_one(email="a@example.com"), Contact | None)
    assert_type(crm.users.find(email="a@example.com"), Sequence[User])
    assert_type(crm.calls.get(ref), Call)
    assert_type(crm.files.find(about=ref), Sequence[File])
    assert_type(crm.files.download(ref), bytes)
    assert_type(crm.account, Account)
    assert_type(crm.supports(Capability.MERGE), Level)
    crm.deals.find(phone="+79123456789")  # type: ignore[call-arg]
    crm.calls.create(Call())  # type: ignore[attr-defined]


def writing_takes_the_ports_own_record(crm: Crm, ref: Ref, deal: Deal) -> None:
    """A port takes its own drafts and the changes of its own kind."""
    assert_type(crm.deals.create(Deal(title="Окна"), once="a"), Ref)
    assert_type(crm.tasks.create_many([Task(text="Раз")]), BatchResult)
    assert_type(crm.ref(Kind.DEAL, 5), Ref)
    crm.deals.update(ref, {"title": "Двери"})
    crm.tasks.complete(ref, "сделано")
    assert_type(crm.files.create(File(name="a.pdf", content=b"%PDF", cards=(ref,))), Ref)
    crm.files.update(ref, {"name": "b.pdf"})
    crm.contacts.create(deal)  # type: ignore[arg-type]
    crm.deals.update(ref, {"titel": "Двери"})  # type: ignore[typeddict-unknown-key]
    crm.deals.update(ref, {"title": 5})  # type: ignore[typeddict-item]
    crm.deals.update(deal, {"title": "Двери"})  # type: ignore[arg-type]
    crm.deals.get("5")  # type: ignore[arg-type]


def a_script_gets_a_crm() -> None:
    """`connect` gives a `Crm`."""
    assert_type(connect("amocrm", base_url="https://example.amocrm.ru", token="t"), Crm)
