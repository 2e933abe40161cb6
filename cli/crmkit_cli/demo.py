"""`crmkit demo`: the sales day played on real HTTP in every CRM at once, and the tables of what came of it."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import click
from rich.progress import Progress, SpinnerColumn, TextColumn

from crmkit.errors import VendorDown
from crmkit_cli.day import ACTS, Act, seed
from crmkit_cli.emulated import VENDORS, Entrance, entrance, page, type_triggers
from crmkit_cli.emulated import seed as seed_samples
from crmkit_cli.language import tr
from crmkit_cli.office import PATIENCE_S, Office
from crmkit_cli.screen import console, print_json, print_table
from crmkit_cli.shops import Shop, make_shop
from crmkit_cli.stopping import stopping_signal
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_sandbox import Sandbox


@dataclass(slots=True)
class Outcome:
    """What came of an act in one CRM: the tasks on its client's cards, and what was decided."""

    act: Act
    shop: Shop
    tasks: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """As many tasks as the act deserves."""
        return len(self.tasks) == self.act.tasks


@click.command(
    help=tr(
        "Поднять эмуляторы amoCRM, Битрикс24 и retailCRM и один сервис с расширением call-tasks, сыграть в каждой CRM "
        "один и тот же день отдела продаж и показать, что решено и какие задачи появились. Аккаунты и интернет не "
        "нужны. В retailCRM нет списка звонков: о них сообщает Ringostat.\n\n"
        "Пример: crmkit demo --vendor bitrix24 --keep",
        "Start the emulated amoCRM, Bitrix24 and retailCRM and one service with call-tasks, play the same sales day in "
        "each CRM, and show what was decided and which tasks there are. No accounts, no internet. retailCRM has no "
        "list of calls: Ringostat tells of them.\n\n"
        "Example: crmkit demo --vendor bitrix24 --keep",
    )
)
@click.option(
    "--vendor",
    "vendors",
    multiple=True,
    type=click.Choice(VENDORS),
    help=tr("Только эта CRM; можно повторить", "This CRM only; may be repeated"),
)
@click.option("--keep", is_flag=True, help=tr("Не останавливать в конце", "Stay up afterwards"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(vendors: tuple[str, ...], keep: bool, as_json: bool) -> None:
    """Exit 1 when an act did not end as it must."""
    began = time.monotonic()
    # Asked to stop in the middle of the day, it takes the service's processes down with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [vendor for vendor in VENDORS if vendor in (vendors or VENDORS)]
    with (
        tempfile.TemporaryDirectory(prefix="crmkit-demo-") as folder,
        Sandbox(vendors=chosen) as sandbox,
        _office(Path(folder), sandbox) as (office, shops),
    ):
        outcomes = _play(shops, office, is_quiet=as_json)
        _show(outcomes, time.monotonic() - began, as_json=as_json)
        if keep:
            _stay(sandbox, office)
    if not all(outcome.is_right for outcome in outcomes):
        raise click.exceptions.Exit(1)


@contextmanager
def _office(folder: Path, sandbox: Sandbox) -> Iterator[tuple[Office, Sequence[Shop]]]:
    """The started service, its accounts named by their CRMs, and the CRMs."""
    shops: list[Shop] = []
    # The address is known only once the service is.
    shops += [make_shop(sandbox, vendor, lambda key: office.hook_url(key, "ringostat")) for vendor in sandbox.vendors]
    seed_samples(sandbox, *(_seeding(shop) for shop in shops))
    greeted = [vendor for vendor in sandbox.vendors if vendor == "retailcrm"]
    office = Office(folder, {shop.vendor: _entrance(sandbox, shop) for shop in shops}, greeted)
    try:
        office.start()
        if greeted:
            type_triggers(sandbox, office.hook_url("retailcrm", "retailcrm"))
        yield office, shops
    finally:
        office.stop()


def _entrance(sandbox: Sandbox, shop: Shop) -> Entrance:
    way = entrance(sandbox, shop.vendor)
    return Entrance({**way.table, **shop.settings}, way.secrets)


def _seeding(shop: Shop) -> Callable[[], None]:
    return lambda: seed(shop)


def _play(shops: Sequence[Shop], office: Office, *, is_quiet: bool) -> Sequence[Outcome]:
    outcomes: list[Outcome] = []
    database = office.database()
    url = cache(lambda key: office.hook_url(key, "ringostat"))
    try:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, disable=is_quiet) as progress:
            shown = progress.add_task("")
            for act in ACTS:
                progress.update(shown, description=act.title)
                played = [Outcome(act, shop) for shop in shops]
                _play_one(act, played, office, database, url)
                outcomes += played
                if not is_quiet:
                    progress.print(f"{'  '.join(map(_mark, played))}  {act.title}")
            progress.update(shown, visible=False)
    finally:
        database.close()
    # A second task for one of the calls would come late: only now is it known that there is none.
    for outcome in outcomes:
        outcome.tasks = outcome.shop.tasks_for(outcome.act.phone)
    return outcomes


def _mark(outcome: Outcome) -> str:
    return f"{'✓' if outcome.is_right else '✗'} {outcome.shop.title} {outcome.seconds:4.1f}"


def _play_one(
    act: Act, outcomes: Sequence[Outcome], office: Office, database: Database, url: Callable[[str], str]
) -> None:
    before = {outcome.shop.vendor: _decided(database, outcome.shop.vendor) for outcome in outcomes}
    if act.is_deadly:
        office.die_in_next_call()
    began = time.monotonic()
    for outcome in outcomes:
        act.play(outcome.shop, url)
    if act.is_deadly and not office.revive():
        raise VendorDown("the worker did not die where it was told to", remedy="This is a fault of the demo.")
    awaited = list(outcomes)
    while awaited and time.monotonic() - began < PATIENCE_S:
        for outcome in list(awaited):
            known = before[outcome.shop.vendor]
            decided = _decided(database, outcome.shop.vendor)
            outcome.tasks = outcome.shop.tasks_for(act.phone)
            outcome.decisions = [reason for run, reason in decided.items() if run not in known]
            outcome.seconds = time.monotonic() - began
            if outcome.is_right and outcome.decisions:
                awaited.remove(outcome)
        time.sleep(0.05)


def _decided(database: Database, account: str) -> Mapping[int, str]:
    """What handlers have decided about calls and new deals, by run."""
    found = report.runs(database, account=account)
    return {
        one.id: "; ".join(one.decisions)
        for one in reversed(found)
        if one.event in ("CallFinished", "DealCreated") and one.state in ("done", "skipped")
    }


def _show(outcomes: Sequence[Outcome], seconds: float, *, as_json: bool) -> None:
    right = sum(outcome.is_right for outcome in outcomes)
    if as_json:
        for outcome in outcomes:
            print_json(_plain(outcome))
        total = sum(len(outcome.tasks) for outcome in outcomes)
        print_json({"summary": {"ok": right == len(outcomes), "tasks": total, "seconds": seconds}})
        return
    for title in dict.fromkeys(outcome.shop.title for outcome in outcomes):
        console.print()
        print_table(
            [
                tr("что случилось", "what happened"),
                tr("что решено и почему", "what was decided and why"),
                tr("задачи", "tasks"),
            ],
            [
                (one.act.title, "\n".join(one.decisions), "\n".join(one.tasks) or "—")
                for one in outcomes
                if one.shop.title == title
            ],
            title=title,
        )
    console.print()
    console.print(
        tr(
            f"{right} из {len(outcomes)} как должно быть, {seconds:.0f} с. Дальше: crmkit new my-app",
            f"{right} of {len(outcomes)} as they must be, {seconds:.0f} s. Next: crmkit new my-app",
        )
    )


def _plain(outcome: Outcome) -> Mapping[str, object]:
    return {
        "vendor": outcome.shop.vendor,
        "act": outcome.act.key,
        "title": outcome.act.title,
        "phone": outcome.act.phone,
        "decisions": outcome.decisions,
        "tasks": outcome.tasks,
        "tasks_expected": outcome.act.tasks,
        "ok": outcome.is_right,
        "seconds": round(outcome.seconds, 2),
    }


def _stay(sandbox: Sandbox, office: Office) -> None:
    for key, vendor in sandbox.vendors.items():
        click.echo(f"{tr('Страница эмулятора', 'The emulator')} {vendor.title}: {page(sandbox, key)}")
    click.echo(f"{tr('Сервис', 'The service')}: {office.url}/readyz")
    click.echo(tr("Ctrl+C — закончить", "Ctrl+C ends it"))
    stopping_signal().wait()
