"""`Extension` and `Context`: what an integrator fills in, and what a handler is given."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from logging import Logger
from types import UnionType
from typing import Any, Generic, TypeVar, overload

from crmkit.adapter import Account, Capability
from crmkit.assignment import Assign
from crmkit.clock import aware
from crmkit.crm import Crm
from crmkit.errors import ConfigError
from crmkit.events import Event
from crmkit.panel import PanelData, View
from crmkit.settings import NoSettings, Settings
from crmkit.storage import Index, Mirror, Store
from crmkit.values import Kind

S = TypeVar("S", bound=Settings)
E = TypeVar("E", bound=Event)

Later = Callable[[datetime, str], None]


@dataclass(slots=True)
class Decisions:
    """What a run decided and why, in order; kept with the run, so that "why was no task made?" has an answer."""

    reasons: list[str] = field(default_factory=list)
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Context(Generic[S]):
    """What a handler works with, for one event in one account.

    Args:
        crm: the account's CRM; writes happen once, however often the run is repeated.
        settings: the extension's settings in this service.
        account: the account as the CRM describes it.
        now: the time of this run, aware UTC.
        mirror, index, store: see `crmkit.storage`.
        assign: chooses an owner.
        log: a logger that names extension, account and run.
        language: `ru` or `en`, for texts that people read.
        is_plan: writes are only planned, so that nothing is different after them.
    """

    crm: Crm
    settings: S
    account: Account
    now: datetime
    mirror: Mirror
    index: Index
    store: Store
    assign: Assign
    log: Logger
    decisions: Decisions
    set_timer: Callable[[datetime, str], None]
    drop_timer: Callable[[str], None]
    language: str = "ru"
    is_plan: bool = False

    def skip(self, reason: str) -> None:
        """Record that nothing is to be done here, and why."""
        self.decisions.skipped = True
        self.decisions.reasons.append(reason)

    def explain(self, reason: str) -> None:
        """Record why the run does what it does."""
        self.decisions.reasons.append(reason)

    def later(self, at: datetime, key: str) -> None:
        """Call this extension's `TimerFired` handler at `at`, for the same record; the same key moves the timer.

        Raises ValueError for a moment without a zone.
        """
        self.set_timer(aware(at), key)

    def cancel(self, key: str) -> None:
        """Forget the timer; nothing happens when there is none."""
        self.drop_timer(key)


Handler = Callable[[E, Context[S]], None]
Job = Callable[[Context[S]], None]
Verb = Callable[[Context[S], Sequence[str]], Iterable["Said"]]
LongLoad = Callable[[Context[S], View], PanelData]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler. `own` says that it also wants events that its extension caused itself."""

    name: str
    event: type[Event]
    run: Callable[[Any, Any], None]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """One nightly job: a cron line in the account's time zone, or what gives one from the extension's settings.

    `is_heavy` says that it keeps a processor busy for seconds or minutes.
    """

    name: str
    cron: str | Callable[[Any], str]
    run: Callable[[Any], None]
    is_heavy: bool = False

    def line(self, settings: Settings) -> str:
        """The cron line under these settings; empty when the job is switched off."""
        return self.cron if isinstance(self.cron, str) else self.cron(settings)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is: `done` of `total` (None: nobody knows) in the step that `label` names."""

    label: str
    done: int
    total: int | None = None


Said = str | Progress
"""What a command yields: a line to print, or how far it is, drawn as a bar where somebody looks on."""


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the command line: gets the context and the remaining words, yields lines to print and its progress.

    Its summary may be written in both languages: `Убрать старое / Clean up`.
    """

    name: str
    summary: str
    run: Callable[[Any, Sequence[str]], Iterable[Said]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A page of the console. `open` gives what is told of one row alone, where that is too much work for all.

    `load` of a long page takes the context and a `View`, and gives that part of it.
    """

    name: str
    title: str
    load: Callable[..., PanelData]
    act: Callable[[Any, str, str], None] | None = None
    open: Callable[[Any, str], Sequence[str]] | None = None
    is_long: bool = False

    def look(self, ctx: Context[Any], view: View | None = None) -> PanelData:
        """The part of the page that is looked at; a page that is not long is given whole."""
        found: PanelData = self.load(ctx, view or View()) if self.is_long else self.load(ctx)
        return found


class Extension(Generic[S]):
    """A named set of handlers; written once, runs on every CRM that has what it requires.

    Args:
        name: as in crmkit.toml: lower-case words with dashes.
        settings: class of its settings.
        requires: capabilities without which it makes no sense; checked before anything starts.
        reads: kinds it reads from the mirror beside those its events are about.
    """

    @overload
    def __init__(
        self: Extension[NoSettings],
        name: str,
        *,
        requires: AbstractSet[Capability] = ...,
        reads: AbstractSet[Kind] = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        name: str,
        *,
        settings: type[S],
        requires: AbstractSet[Capability] = ...,
        reads: AbstractSet[Kind] = ...,
    ) -> None: ...

    def __init__(
        self,
        name: str,
        *,
        settings: type[Any] = NoSettings,
        requires: AbstractSet[Capability] = frozenset(),
        reads: AbstractSet[Kind] = frozenset(),
    ) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise ConfigError(
                f"extension name {name!r} is not lower-case words with dashes", remedy="Name it like `follow-up`."
            )
        self.name = name
        self.settings_type: type[S] = settings
        self.requires = frozenset(requires)
        self.reads = frozenset(reads)
        self.subscriptions: list[Subscription] = []
        self.schedules: list[Schedule] = []
        self.commands: list[Command] = []
        self.panels: list[Panel] = []

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of records that the runtime has to mirror for this extension."""
        about = {subscription.event.about for subscription in self.subscriptions}
        return frozenset({kind for kind in about if kind is not None}) | self.reads

    def on(self, event: type[E], *, own: bool = False) -> Callable[[Handler[E, S]], Handler[E, S]]:
        """Register a handler for an event class.

        With `own=True` it also gets events that this extension's own writes caused.
        Raises ConfigError at import when the function does not take that event and a context.
        """

        def register(run: Handler[E, S]) -> Handler[E, S]:
            _check(run, [event, Context], self.name)
            self._check_name(run, event)
            self.subscriptions.append(Subscription(_name(run), event, run, own))
            return run

        return register

    def every(self, cron: str | Callable[[S], str], *, is_heavy: bool = False) -> Callable[[Job[S]], Job[S]]:
        """Register a job for a cron line (five fields, the account's time zone): once per account, over all workers.

        A function of the settings lets the operator choose the line; an empty one switches the job off. A heavy job is
        done in a process of its own, so that the service answers as quickly meanwhile.
        """

        def register(run: Job[S]) -> Job[S]:
            _check(run, [Context], self.name)
            self._check_name(run)
            self.schedules.append(Schedule(_name(run), cron, run, is_heavy))
            return run

        return register

    def command(self, name: str, summary: str) -> Callable[[Verb[S]], Verb[S]]:
        """Register a verb: `crmkit ext EXTENSION NAME --account KEY [words]`."""

        def register(run: Verb[S]) -> Verb[S]:
            self.commands.append(Command(name, summary, run))
            return run

        return register

    def panel(
        self,
        name: str,
        title: str,
        act: Callable[[Context[S], str, str], None] | None = None,
        open_: Callable[[Context[S], str], Sequence[str]] | None = None,
    ) -> Callable[[Callable[[Context[S]], PanelData]], Callable[[Context[S]], PanelData]]:
        """Register a page of the console; `act` gets the context, the action's name and the row's key.

        `open_` gets the row's key and gives the lines that tell more of it; it may ask the CRM.
        """

        def register(load: Callable[[Context[S]], PanelData]) -> Callable[[Context[S]], PanelData]:
            self.panels.append(Panel(name, title, load, act, open_))
            return load

        return register

    def long_panel(
        self,
        name: str,
        title: str,
        act: Callable[[Context[S], str, str], None] | None = None,
        open_: Callable[[Context[S], str], Sequence[str]] | None = None,
    ) -> Callable[[LongLoad[S]], LongLoad[S]]:
        """Register a page that may have thousands of rows: its function also takes the `View` that is asked for."""

        def register(load: LongLoad[S]) -> LongLoad[S]:
            self.panels.append(Panel(name, title, load, act, open_, is_long=True))
            return load

        return register

    def _check_name(self, run: Callable[..., object], event: type[Event] | None = None) -> None:
        """Runs are stored by the names of their handlers, so a name must mean one function."""
        taken: list[Subscription | Schedule] = [*self.subscriptions, *self.schedules]
        if any(one.name == _name(run) and (one.run is not run or _event(one) in (None, event)) for one in taken):
            raise ConfigError(
                f"extension {self.name}: there is a handler {_name(run)} already",
                remedy="Give each handler a name of its own; one function may serve several events.",
            )

    def __repr__(self) -> str:
        return f"Extension({self.name!r})"


def _event(taken: Subscription | Schedule) -> type[Event] | None:
    return taken.event if isinstance(taken, Subscription) else None


def _name(run: Callable[..., object]) -> str:
    return getattr(run, "__name__", repr(run))


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _check(run: Callable[..., object], wanted: Sequence[type[Any]], extension: str) -> None:
    """A handler with the wrong parameters must fail when it is imported, not at night."""
    where = f"extension {extension}: {_name(run)}"
    if inspect.iscoroutinefunction(run) or inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run):
        raise ConfigError(f"{where} would never run: calling it only makes an object", remedy="Write a plain `def`.")
    parameters = list(inspect.signature(run).parameters.values())
    if len(parameters) != len(wanted) or any(parameter.kind not in _BY_PLACE for parameter in parameters):
        given, shape = ", ".join(map(str, parameters)), ", ".join(kind.__name__ for kind in wanted)
        raise ConfigError(f"{where} takes ({given})", remedy=f"It is called with ({shape}), by place.")
    try:
        hints = typing.get_type_hints(run)
    except NameError as error:
        raise ConfigError(
            f"{where}: {error}", remedy="Import the types at run time, not under TYPE_CHECKING."
        ) from error
    for parameter, kind in zip(parameters, wanted, strict=True):
        hint = hints.get(parameter.name)
        if hint is None:
            raise ConfigError(f"{where}: parameter {parameter.name} has no type", remedy=f"Write {kind.__name__}.")
        hinted = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, UnionType) else (hint,)
        accepted = [typing.get_origin(one) or one for one in hinted]
        if not any(isinstance(one, type) and issubclass(kind, one) for one in accepted):
            raise ConfigError(
                f"{where}: parameter {parameter.name} is {hint}, but is called with {kind.__name__}",
                remedy=f"Write {kind.__name__}, or register it for what it takes.",
            )
