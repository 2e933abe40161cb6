"""Files as effects: uploaded once, planned with their bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Deal, File
from crmkit.settings import NoSettings
from crmkit.values import Kind
from crmkit.write import Verb
from crmkit_runtime.plan import apply_plan

House = Callable[..., Any]
Ctx = Context[NoSettings]
CONTENT = b"\x00\xff%PDF"


def writing(run: Callable[[Ctx], None]) -> Extension[NoSettings]:
    """An extension that does `run` for each new deal."""
    extension = Extension("contracts")

    @extension.on(DealCreated)
    def on_deal(event: DealCreated, ctx: Ctx) -> None:
        run(ctx)

    return extension


def happen(house: Any) -> None:
    """A deal appeared."""
    house.publish(DealCreated(ref=house.deal().ref, occurred_at=house.clock.now(), deal=house.deal()))
    house.work()


def test_a_file_is_uploaded_once_under_its_key(house: House) -> None:
    """Two events that ask for the same document make one."""

    def run(ctx: Ctx) -> None:
        ctx.crm.files.create(File(name="Договор.pdf", content=CONTENT), once="contract:5")

    at = house(writing(run))
    happen(at)
    happen(at)
    [file] = at.crm.crm.files.iterate()
    assert (at.world.count(Verb.CREATE, Kind.FILE), file.name) == (1, "Договор.pdf")
    assert at.crm.crm.files.download(file.ref) == CONTENT


def test_a_planned_file_keeps_its_bytes_and_its_card(house: House) -> None:
    """Nothing is sent before; then the deal comes first and the file stands on it."""

    def run(ctx: Ctx) -> None:
        deal = ctx.crm.deals.create(Deal(title="Окна"), once="deal")
        ctx.crm.files.create(File(name="Договор.pdf", content=CONTENT, cards=(deal,)), once="contract")

    at = house(writing(run), mode="plan")
    happen(at)
    before = at.world.count(Verb.CREATE)
    done = apply_plan(at.service, [2, 1])
    [file] = at.crm.crm.files.iterate()
    [deal] = at.crm.crm.deals.iterate()
    assert before == 0
    assert [(one.id, one.state) for one in done] == [(1, "applied"), (2, "applied")]
    assert (file.cards, at.crm.crm.files.download(file.ref)) == ((deal.ref,), CONTENT)
