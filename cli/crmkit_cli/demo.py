"""`crmkit demo`: the sales day played on real HTTP, and the table of what came of it."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.progress import Progress, SpinnerColumn, TextColumn

from crmkit_cli.day import ACTS, Act, seed
from crmkit_cli.language import tr
from crmkit_cli.office import ACCOUNT, PATIENCE_S, Office
from crmkit_cli.screen import console, print_json, print_table
from crmkit_runtime import report
from crmkit_sandbox import Sandbox


@dataclass(slots=True)
class Outcome:
    """What came of an act: the tasks on its client's cards, and what was decided."""

    act: Act
    tasks: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """As many tasks as the act deserves."""
        return len(self.tasks) == self.act.tasks


@click.command(
    help=tr(
        "Поднять эмулятор amoCRM и сервис с расширением call-tasks, сыграть день отдела продаж и показать, что решено "
        "и какие задачи появились. Аккаунт и интернет не нужны.",
        "Start the emulated amoCRM and a service with call-tasks, play a sales day, and show what was decided and "
        "which tasks there are. No account, no internet.",
    )
)
@click.option("--keep", is_flag=True, help=tr("Не останавливать в конце", "Stay up afterwards"))
@click.option("--json", "as_json", is_flag=True, help=tr("Строки JSON", "JSON lines"))
def command(keep: bool, as_json: bool) -> None:
    """Exit 1 when an act did not end as it must."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crmkit-demo-") as folder, Sandbox(vendors=("amocrm",)) as sandbox:
        sandbox.amocrm.seed()
        seed(sandbox)
        with _office(Path(folder), sandbox) as office:
            outcomes = _play(sandbox, office, is_quiet=as_json)
            _show(outcomes, time.monotonic() - began, as_json=as_json)
            if keep:
                _stay(sandbox, office)
    if not all(outcome.is_right for outcome in outcomes):
        raise click.exceptions.Exit(1)


@contextmanager
def _office(folder: Path, sandbox: Sandbox) -> Iterator[Office]:
    service = Office(folder, sandbox.amocrm.base_url, sandbox.amocrm.token)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def _play(sandbox: Sandbox, office: Office, *, is_quiet: bool) -> Sequence[Outcome]:
    outcomes = []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, disable=is_quiet) as progress:
        shown = progress.add_task("")
        for act in ACTS:
            progress.update(shown, description=act.title)
            outcomes.append(_play_one(act, sandbox, office))
            if not is_quiet:
                progress.print(f"{'✓' if outcomes[-1].is_right else '✗'} {act.title}")
        progress.update(shown, visible=False)
    # A second task for one of the calls would come late: only now is it known that there is none.
    for outcome in outcomes:
        outcome.tasks = _tasks_for(outcome.act.phone, sandbox)
    return outcomes


def _play_one(act: Act, sandbox: Sandbox, office: Office) -> Outcome:
    outcome = Outcome(act)
    began = time.monotonic()
    before = _decided(office)
    act.play(sandbox, office)
    while time.monotonic() - began < PATIENCE_S:
        outcome.tasks = _tasks_for(act.phone, sandbox)
        outcome.decisions = [reason for run, reason in _decided(office).items() if run not in before]
        if outcome.is_right and outcome.decisions:
            break
        time.sleep(0.05)
    outcome.seconds = time.monotonic() - began
    return outcome


def _decided(office: Office) -> Mapping[int, str]:
    database = office.database()
    try:
        found = report.runs(database, account=ACCOUNT, extension="call-tasks")
        return {
            one.id: "; ".join(one.decisions)
            for one in reversed(found)
            if one.event == "CallFinished" and one.state in ("done", "skipped")
        }
    finally:
        database.close()


def _tasks_for(phone: str, sandbox: Sandbox) -> list[str]:
    """Texts of the tasks on the cards of whoever has the phone."""
    amocrm = sandbox.amocrm
    people = {key for key, row in amocrm.contacts.items() if phone in str(row.get("custom_fields_values"))}
    deals = {
        key
        for key, row in amocrm.leads.items()
        if people & {contact["id"] for contact in row["_embedded"].get("contacts", [])}
    }
    on = {"contacts": people, "leads": deals}
    return [
        task["text"] for task in amocrm.tasks.values() if task["entity_id"] in on.get(task["entity_type"] or "", ())
    ]


def _show(outcomes: Sequence[Outcome], seconds: float, *, as_json: bool) -> None:
    if as_json:
        for outcome in outcomes:
            print_json(
                {
                    "act": outcome.act.key,
                    "title": outcome.act.title,
                    "phone": outcome.act.phone,
                    "decisions": outcome.decisions,
                    "tasks": outcome.tasks,
                    "tasks_expected": outcome.act.tasks,
                    "ok": outcome.is_right,
                    "seconds": round(outcome.seconds, 2),
                }
            )
        total = sum(len(outcome.tasks) for outcome in outcomes)
        print_json({"summary": {"ok": all(one.is_right for one in outcomes), "tasks": total, "seconds": seconds}})
        return
    print_table(
        [
            tr("что случилось", "what happened"),
            tr("что решено и почему", "what was decided and why"),
            tr("задачи", "tasks"),
        ],
        [(one.act.title, "\n".join(one.decisions), "\n".join(one.tasks) or "—") for one in outcomes],
    )
    right = sum(one.is_right for one in outcomes)
    console.print(
        tr(
            f"{right} из {len(outcomes)} как должно быть, {seconds:.0f} с. Дальше: crmkit new my-app",
            f"{right} of {len(outcomes)} as they must be, {seconds:.0f} s. Next: crmkit new my-app",
        )
    )


def _stay(sandbox: Sandbox, office: Office) -> None:
    click.echo(f"{tr('Страница эмулятора', 'The emulator')}: {sandbox.url}/amocrm/")
    click.echo(f"{tr('Сервис', 'The service')}: {office.url}/readyz")
    click.echo(tr("Ctrl+C — закончить", "Ctrl+C ends it"))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
