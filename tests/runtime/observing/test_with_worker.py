"""Observing and running together: handlers write, their writes come back by hook and feed, and nobody hears an echo."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from crmkit import Context, DealStageChanged, DealUpdated, Extension, Task, TaskCreated
from crmkit.models import CustomField, Deal, StageRef
from crmkit.settings import NoSettings, ServiceConfig
from crmkit.testing.memory import MemoryAdapter, MemoryCrm
from crmkit.testing.world import MemoryWorld
from crmkit.values import Kind
from crmkit.webhook import Origin
from crmkit_runtime.database import Database
from crmkit_runtime.hints import store
from crmkit_runtime.migrations import migrate
from crmkit_runtime.service import Service
from crmkit_runtime.worker import Worker

CHANNEL = CustomField(Deal, str, "Канал")


def test_two_extensions_that_write_hear_each_other_once_and_themselves_never(tmp_path: Path) -> None:
    """A stage move makes a task, a title and the next stage; each of these reaches the other extension once."""
    heard: list[tuple[str, ...]] = []
    writer: Extension[NoSettings] = Extension("writer")
    reader: Extension[NoSettings] = Extension("reader")

    @writer.on(DealStageChanged)
    def moved(event: DealStageChanged, ctx: Context[NoSettings]) -> None:
        """Do three things about it."""
        heard.append(("writer", "moved", event.after.stage_id))
        if event.after.stage_id != "talks":
            return
        ctx.crm.tasks.create(Task(text="Позвонить", about=event.ref))
        ctx.crm.deals.update(event.ref, {"title": "в работе", "custom": [CHANNEL.to("звонок")]})
        ctx.crm.deals.update(event.ref, {"stage": StageRef(pipeline_id="1", stage_id="offer")})

    @writer.on(DealUpdated)
    def changed(event: DealUpdated, ctx: Context[NoSettings]) -> None:
        """Only what others change may come here."""
        heard.append(("writer", "changed", ",".join(sorted(event.changed))))

    @writer.on(TaskCreated)
    def made(event: TaskCreated, ctx: Context[NoSettings]) -> None:
        """Never for its own."""
        heard.append(("writer", "task", event.task.text))

    @reader.on(DealStageChanged)
    def also_moved(event: DealStageChanged, ctx: Context[NoSettings]) -> None:
        """Both moves come here."""
        heard.append(("reader", "moved", event.after.stage_id))

    @reader.on(DealUpdated)
    def also_changed(event: DealUpdated, ctx: Context[NoSettings]) -> None:
        """Everything comes here."""
        heard.append(("reader", "changed", ",".join(sorted(event.changed))))

    @reader.on(TaskCreated)
    def also_made(event: TaskCreated, ctx: Context[NoSettings]) -> None:
        """The other one's task comes here."""
        heard.append(("reader", "task", event.task.text))

    path = str(tmp_path / "crmkit.sqlite3")
    database = Database(path)
    migrate(database)
    database.close()
    world = MemoryWorld()
    crm = MemoryCrm(world=world)
    (deal,) = crm.seed(Deal(title="старая", stage=StageRef(pipeline_id="1", stage_id="new")))
    tables = {"acme": {"vendor": "memory", "base_url": "memory://localhost"}}
    config = ServiceConfig.model_validate({"database": path, "accounts": tables})
    adapters = {"memory": MemoryAdapter(world)}
    service = Service.open(config, environment={}, clock=world.clock, extensions=[writer, reader], adapters=adapters)
    worker = Worker(service)

    def round_trip() -> None:
        for hook in world.take_hooks():
            with service.database.write() as tx:
                store(tx, service, "acme", hook.hints, origin=Origin.HOOK, delivery_id="hook")
        worker.drain()

    worker.drain()
    crm.advance(timedelta(seconds=1))
    crm.person.move_deal(deal, "talks")
    for _ in range(6):
        round_trip()
        crm.advance(timedelta(seconds=61))
    service.close()
    assert sorted(heard) == sorted(
        [
            ("writer", "changed", "stage"),
            ("writer", "moved", "talks"),
            ("reader", "changed", "stage"),
            ("reader", "moved", "talks"),
            ("reader", "task", "Позвонить"),
            ("reader", "changed", "custom,title"),
            ("reader", "changed", "stage"),
            ("reader", "moved", "offer"),
        ]
    )
    record = world.account("acme").records[deal]
    assert isinstance(record, Deal)
    assert record.stage is not None
    assert (record.title, record.stage.stage_id, record[CHANNEL]) == ("в работе", "offer", "звонок")
    assert len([ref for ref in world.account("acme").records if ref.kind is Kind.TASK]) == 1
