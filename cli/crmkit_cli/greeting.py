"""The demo's second extension, ten lines long: a new deal becomes a task to get in touch."""

from __future__ import annotations

from datetime import timedelta

from crmkit.adapter import Capability
from crmkit.events import DealCreated
from crmkit.extension import Context, Extension
from crmkit.models import Task
from crmkit.settings import NoSettings
from crmkit_cli.language import tr

greeting = Extension("greeting", requires={Capability.TASKS, Capability.DEALS})


@greeting.on(DealCreated)
def greet(event: DealCreated, ctx: Context[NoSettings]) -> None:
    """One task a deal."""
    text = tr("Связаться с клиентом", "Get in touch with the client")
    ctx.crm.tasks.create(Task(about=event.ref, text=text, due=ctx.now + timedelta(hours=1)), once="greeting")
    ctx.explain(tr("новый заказ, о котором никто не сообщил", "a new order that nobody told of"))
