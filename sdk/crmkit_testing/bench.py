"""`bench`: a real service beside an emulated CRM, over real HTTP on loopback, on a clock that the test turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from crmkit.adapter import Doors
from crmkit.clock import Clock
from crmkit.crm import Crm
from crmkit.errors import ConfigError
from crmkit.events import CallFinished
from crmkit.extension import Extension
from crmkit.identity import parse_phone
from crmkit.models import Call, CallStatus, Contact, Deal, Direction, Phone, Task
from crmkit.settings import ExtensionConfig, ServiceConfig, Settings
from crmkit.testing.clock import JumpingClock
from crmkit.values import Kind, Ref
from crmkit_runtime import report
from crmkit_runtime.database import Database
from crmkit_runtime.ingest import Ingest
from crmkit_runtime.limits import DatabaseLimiter
from crmkit_runtime.migrations import migrate
from crmkit_runtime.planned import PlanItem
from crmkit_runtime.report import DeliveryReport, RunReport
from crmkit_runtime.service import Service
from crmkit_runtime.web import create_app
from crmkit_runtime.worker import Worker
from crmkit_testing.door import Door
from crmkit_testing.facts import NAME, BenchSource, Told, to_body
from crmkit_testing.people import People
from crmkit_testing.side import ACCOUNT, Side
from crmkit_testing.sides import SIDES, new_side

PATIENCE = timedelta(seconds=30)
"""How long, on the bench's clock, `settle` waits for what is queued for later."""

FORM = "application/x-www-form-urlencoded"

T = TypeVar("T")


GivenSettings = Settings | Mapping[str, Settings] | None


def bench(
    extensions: Extension[Any] | Sequence[Extension[Any]],
    vendor: str = "amocrm",
    *,
    settings: GivenSettings = None,
    mode: Literal["apply", "plan"] = "apply",
    language: Literal["ru", "en"] = "ru",
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Bench:
    """A bench for one extension or several; use it in `with`.

    `settings` belong to the one extension, or are a mapping by the extensions' names; left out, defaults hold.
    `sources` are tables of installed telephonies and the like, as under the account in crmkit.toml; their secrets stand
    in `environment`.
    Raises ConfigError for a vendor that has no emulator.
    """
    chosen = [extensions] if isinstance(extensions, Extension) else list(extensions)
    if vendor not in SIDES:
        raise ConfigError(f"there is no emulator of {vendor}", remedy=f"There are: {', '.join(SIDES)}.")
    by_name = settings if isinstance(settings, Mapping) else {one.name: settings for one in chosen if settings}
    setup = Setup(by_name, mode, language, sources or {}, environment or {})
    return Bench(chosen, new_side(vendor), setup)


@dataclass(frozen=True, slots=True)
class Setup:
    """How the service on a bench is set up; see `bench`."""

    settings: Mapping[str, Settings]
    mode: Literal["apply", "plan"]
    language: Literal["ru", "en"]
    sources: Mapping[str, Mapping[str, Any]]
    environment: Mapping[str, str]


class Bench:
    """One service with one account, as an operator would run it, and the account's other side.

    Records that are to be there before the service looks are seeded first; the first other act starts the service,
    which then loads the account and subscribes. Whatever is read here settles first.

    Args:
        extensions: what is installed.
        side: the emulated account.
        setup: how the service is set up.
    """

    def __init__(self, extensions: Sequence[Extension[Any]], side: Side, setup: Setup) -> None:
        self.side = side
        self.clock: Clock = JumpingClock(side.now, side.turn)
        self._extensions = extensions
        self._setup = setup
        self._stack = ExitStack()
        self._door = Door()
        self._people = People(side)
        self._folder = ""
        self._running: _Running | None = None
        self._aside = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self._door)
        self._stack.callback(self._stop)
        self._folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="crmkit-bench-"))
        self._stack.callback(self.side.close)
        self.side.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def seed(self) -> None:
        """Fill the account with a small sales base, before the service first looks at it.

        Raises ConfigError when it looks already: then records are made by `person`.
        """
        if self._running is not None:
            raise ConfigError("the service runs already", remedy="Call seed() first.")
        self.side.seed()

    @property
    def person(self) -> People:
        """The account's people; what they do is told by hooks, unless those are lost."""
        self._start()
        return self._people

    @contextmanager
    def stopped(self) -> Iterator[People]:
        """The account's people while the service is down; then it starts again, an hour later, on the same database."""
        self._start()
        self._door.shut()
        self._stop()
        yield self._people
        self._start()

    @property
    def service(self) -> Service:
        """The service itself, started."""
        return self._start().service

    @property
    def crm(self) -> Crm:
        """The account as a script sees it, past the service; its requests count among `api_calls`."""
        return self._start().crm

    @property
    def now(self) -> datetime:
        """The bench's time, aware UTC."""
        return self.clock.now()

    def deliver(
        self,
        what: Told | bytes,
        *,
        sender: str | None = None,
        times: int = 1,
        content_type: str = FORM,
        method: Literal["GET", "POST"] = "POST",
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, ...]:
        """Post to the service, `times` times, and settle; the statuses of the answers.

        A call or a payment is told as a provider would tell it. Bytes are sent as they are, in the name of `sender`
        (the CRM when left out).
        """
        running = self._start()
        if isinstance(what, bytes):
            path, body = running.service.hook_path(ACCOUNT, sender or self.side.vendor), what
        else:
            path, body = running.service.hook_path(ACCOUNT, NAME), to_body(what)
            content_type = "application/json"
        address = f"{path}?{query}" if query else path
        sent = {"Content-Type": content_type, **(headers or {})}
        answers = tuple(self._door.send(method, address, body, sent) for _ in range(times))
        self.settle()
        return answers

    def call_comes(
        self,
        phone: str,
        *,
        status: CallStatus = CallStatus.ANSWERED,
        direction: Direction = Direction.IN,
        talk_s: int = 60,
        id_: str = "1",
        times: int = 1,
    ) -> Ref:
        """Tell of a call as a telephony would, `times` times; equal ids are one call."""
        number = parse_phone(phone)
        ref = Ref(ACCOUNT, Kind.CALL, f"{NAME}-{id_}")
        call = Call(
            ref=ref,
            provider=NAME,
            direction=direction,
            status=status,
            phone=Phone(raw=phone, e164=number.e164 if number else None),
            started_at=self.now,
            talk_s=talk_s if status is CallStatus.ANSWERED else 0,
        )
        self.deliver(CallFinished(ref=ref, occurred_at=self.now, call=call), times=times)
        return ref

    def missed_call(self, phone: str, *, id_: str = "1", times: int = 1) -> Ref:
        """Tell of a client's call that nobody answered."""
        return self.call_comes(phone, status=CallStatus.MISSED, id_=id_, times=times)

    def lose_next_hooks(self, count: int) -> None:
        """Let the CRM lose its next deliveries."""
        self.side.lose_next_hooks(count)

    def repeat_next_hook(self, times: int) -> None:
        """Let the CRM send its next delivery `times` times."""
        self.side.repeat_next_hook(times)

    def fail_next(
        self, status: int = 429, times: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the CRM answer the next fitting requests with an HTTP status; `path` as in the vendor's API."""
        self._start()
        self.side.fail_next(status, times, method, path)

    def down(self, is_down: bool = True) -> None:
        """Let the CRM answer nothing, or answer again."""
        self._start()
        self.side.down(is_down)

    def advance(self, by: timedelta) -> None:
        """Turn the time on and do everything that has become due."""
        self._start()
        self.side.turn(by.total_seconds())
        self.settle()

    def settle(self, patience: timedelta = PATIENCE) -> None:
        """Deliver and do everything that is due; what is queued for later is waited for, `patience` at the longest."""
        running = self._start()
        until = self.now + patience
        while True:
            delivered = self.side.deliver()
            running.worker.drain()
            if self.side.deliver() > delivered:
                continue
            state = report.account(running.service.database, ACCOUNT)
            if self.now >= until or not (state.hints_waiting or state.runs.get("queued")):
                return
            self.side.turn(1.0)

    @property
    def tasks(self) -> list[Task]:
        """The account's tasks, freshly read, in the order of their making."""
        return self._read(lambda crm: sorted(crm.tasks.iterate(), key=lambda task: _order(task.ref)))

    @property
    def deals(self) -> list[Deal]:
        """The account's deals, freshly read, in the order of their making."""
        return self._read(lambda crm: sorted(crm.deals.iterate(), key=lambda deal: _order(deal.ref)))

    @property
    def contacts(self) -> list[Contact]:
        """The account's contacts, freshly read, in the order of their making."""
        return self._read(lambda crm: sorted(crm.contacts.iterate(), key=lambda contact: _order(contact.ref)))

    @property
    def runs(self) -> list[RunReport]:
        """What the handlers did, oldest first."""
        self.settle()
        return list(reversed(report.runs(self.service.database, limit=10_000)))

    @property
    def decisions(self) -> list[str]:
        """What the handlers explained, oldest first."""
        return [reason for run in self.runs for reason in run.decisions]

    @property
    def plan(self) -> list[PlanItem]:
        """What the handlers would have written, in plan mode."""
        self.settle()
        return list(report.plan(self.service.database))

    @property
    def deliveries(self) -> list[DeliveryReport]:
        """What was delivered to the service, oldest first."""
        self.settle()
        return list(reversed(report.deliveries(self.service.database, limit=10_000)))

    @property
    def api_calls(self) -> int:
        """Requests to the CRM since the service was started, without those by which the bench itself looked."""
        return self.side.requests() - self._aside

    def _read(self, read: Callable[[Crm], T]) -> T:
        self.settle()
        before = self.side.requests()
        found = read(self.crm)
        self._aside += self.side.requests() - before
        return found

    def _start(self) -> _Running:
        if self._running is None:
            if not self._folder:
                raise ConfigError("the bench is not open", remedy="Write `with bench(...) as b:`.")
            # What was seeded is older than the service's first look, whatever the vendor's clock counts in.
            self.side.turn(3600)
            secrets = {**self.side.environment(), **self._setup.environment}
            self._running = _Running(self._config(), self._extensions, self.side, self.clock, secrets)
            self._door.lead_to(create_app(self._running.service, self._running.ingest))
            self.settle()
            self.side.turn(5)
            self._aside = self.side.requests()
        return self._running

    def _stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None

    def _config(self) -> ServiceConfig:
        return ServiceConfig(
            database=str(Path(self._folder) / "bench.sqlite3"),
            public_url=self._door.url,
            mode=self._setup.mode,
            language=self._setup.language,
            accounts={ACCOUNT: {**self.side.account_table(), "sources": {NAME: {}, **self._setup.sources}}},
            extensions={
                one.name: ExtensionConfig(settings=self._setup.settings[one.name].model_dump())
                for one in self._extensions
                if one.name in self._setup.settings
            },
        )


class _Running:
    """The started service."""

    def __init__(
        self,
        config: ServiceConfig,
        extensions: Sequence[Extension[Any]],
        side: Side,
        clock: Clock,
        environment: Mapping[str, str],
    ) -> None:
        database = Database(config.database)
        migrate(database, {})
        database.close()
        self.service = Service.open(
            config,
            environment=environment,
            clock=clock,
            extensions=extensions,
            adapters=side.adapters,
            sources={NAME: BenchSource()},
        )
        self.ingest = Ingest(self.service)
        self.worker = Worker(self.service)
        account = self.service.accounts[ACCOUNT]
        # A script that looks on shares the account's request budget with the service.
        limiter = DatabaseLimiter(self.service.database, clock)
        doors = Doors(tokens=self.service.tokens, limiter=limiter, clock=clock)
        self.crm = Crm(account.adapter.open(account.settings, doors))

    def close(self) -> None:
        """Store what is queued, then give everything back."""
        self.ingest.close()
        self.crm.close()
        self.service.close()


def _order(ref: Ref) -> tuple[int, str]:
    return (int(ref.id) if ref.id.isdecimal() else 0, ref.id)
