"""A memory CRM behind a socket: its state stays when the process that calls it is killed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from crmkit.adapter import Account, Capability, Doors, HookState, Level, Page, Query
from crmkit.errors import VendorDown
from crmkit.http import Urgency
from crmkit.models import FieldDef, Record
from crmkit.settings import AccountSettings
from crmkit.testing.connection import CAPABILITIES, MemoryConnection
from crmkit.testing.memory import MemoryAdapter
from crmkit.testing.world import MemoryWorld
from crmkit.values import Json, Kind, Ref
from crmkit.webhook import FeedPage
from crmkit.write import Write

WRITES = ("write", "write_many")


@dataclass(slots=True)
class Journal:
    """What handlers did, as the CRM saw it: it is kept by a process that nobody kills.

    `began` holds lane and number of each beginning, in order; `overlapped` the lanes in which two were at work at once.
    """

    began: list[tuple[str, int]] = field(default_factory=list)
    overlapped: list[str] = field(default_factory=list)
    at_work: dict[str, int] = field(default_factory=dict)
    moved: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, lane: str, number: int, pid: int) -> None:
        """A handler began."""
        with self.moved:
            if (other := self.at_work.get(lane)) is not None and is_alive(other):
                self.overlapped.append(lane)
            self.at_work[lane] = pid
            self.began.append((lane, number))
            self.moved.notify_all()

    def end(self, lane: str) -> None:
        """A handler ended, well or not."""
        with self.moved:
            self.at_work.pop(lane, None)

    def wait_for(self, count: int, timeout: float) -> bool:
        """Return when so many handlers have begun; False when they have not in time."""
        with self.moved:
            return self.moved.wait_for(lambda: len(self.began) >= count, timeout)


class CrmServer:
    """Serves a memory world on loopback, a thread for each caller, slowly.

    Args:
        world: what is served.
        delay_s: how long a write takes before it is done, and again before it is answered.
    """

    def __init__(self, world: MemoryWorld, delay_s: float) -> None:
        self.journal = Journal()
        self._world = world
        self._delay_s = delay_s
        self._is_closed = False
        self.secret = os.urandom(16)
        self._listener = Listener(("127.0.0.1", 0), authkey=self.secret, backlog=64)
        self.address: tuple[str, int] = self._listener.address
        threading.Thread(target=self._accept, name="crm", daemon=True).start()

    def close(self) -> None:
        """Take no more callers."""
        self._is_closed = True
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                caller = self._listener.accept()
            except (EOFError, OSError, AuthenticationError):
                continue  # killed while it introduced itself
            threading.Thread(target=self._serve, args=(caller,), name="crm-caller", daemon=True).start()

    def _serve(self, caller: Connection[Any, Any]) -> None:
        with suppress(EOFError, OSError):
            while True:
                pid, account, method, args, kwargs = caller.recv()
                try:
                    answer = self._answer(pid, account, method, args, kwargs)
                except Exception as error:  # noqa: BLE001 -- every refusal goes to the caller
                    caller.send((False, error))
                else:
                    caller.send((True, answer))

    def _answer(self, pid: int, account: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if method == "call" and args[1] == "/journal/begin":
            return self.journal.begin(kwargs["body"]["lane"], kwargs["body"]["number"], pid)
        if method == "call" and args[1] == "/journal/end":
            return self.journal.end(kwargs["body"]["lane"])
        served = getattr(MemoryConnection(self._world, account), method)
        if method in WRITES:
            time.sleep(self._delay_s)
        answer = served(*args, **kwargs)
        if method in WRITES:
            time.sleep(self._delay_s)
        return list(answer) if method == "pages" else answer


class RemoteConnection:
    """One account of a CrmServer.

    Args:
        address: where the server listens.
        secret: what it wants to hear.
        key: the account's key.
    """

    vendor = "memory"

    def __init__(self, address: tuple[str, int], secret: bytes, key: str) -> None:
        self._address = address
        self._secret = secret
        self._key = key
        self._lines = threading.local()

    @property
    def key(self) -> str:
        """The account's key."""
        return self._key

    def account(self) -> Account:
        """The account as it describes itself."""
        found: Account = self._ask("account")
        return found

    def supports(self, capability: Capability) -> Level:
        """How the account gives a capability."""
        return CAPABILITIES[capability]

    def load(self, refs: Sequence[Ref]) -> Sequence[Record]:
        """The records that exist."""
        found: Sequence[Record] = self._ask("load", list(refs))
        return found

    def pages(self, kind: Kind, *, updated_since: datetime | None = None, cursor: str | None = None) -> Iterator[Page]:
        """The records of a kind."""
        yield from self._ask("pages", kind, updated_since=updated_since, cursor=cursor)

    def find(self, kind: Kind, query: Query) -> Sequence[Record]:
        """All records that match."""
        found: Sequence[Record] = self._ask("find", kind, query)
        return found

    def download(self, ref: Ref) -> bytes:
        """The content of a file."""
        found: bytes = self._ask("download", ref)
        return found

    def fields(self, kind: Kind) -> Sequence[FieldDef]:
        """The custom fields of a kind."""
        found: Sequence[FieldDef] = self._ask("fields", kind)
        return found

    def write(self, write: Write) -> Ref | None:
        """Do it."""
        made: Ref | None = self._ask("write", write)
        return made

    def write_many(self, writes: Sequence[Write]) -> Sequence[Any]:
        """Do them."""
        made: Sequence[Any] = self._ask("write_many", list(writes))
        return made

    def recover(self, write: Write, *, since: datetime, known: Collection[Ref]) -> Ref | None:
        """The record that a lost write created."""
        found: Ref | None = self._ask("recover", write, since=since, known=known)
        return found

    def feed(self, cursor: str | None) -> FeedPage:
        """The account's own changes."""
        page: FeedPage = self._ask("feed", cursor)
        return page

    def ensure_hooks(self, url: str) -> HookState:
        """Make the CRM send its events to `url`."""
        state: HookState = self._ask("ensure_hooks", url)
        return state

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Json = None) -> Json:
        """The native door."""
        answer: Json = self._ask("call", method, path, query=query, body=body)
        return answer

    def close(self) -> None:
        """The sockets end with their threads."""

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            line: Connection[Any, Any] | None = getattr(self._lines, "line", None)
            if line is None:
                line = self._lines.line = Client(self._address, authkey=self._secret)
            line.send((os.getpid(), self._key, method, args, kwargs))
            is_good, answer = line.recv()
        except (OSError, EOFError) as error:
            self._lines.line = None
            raise VendorDown("the CRM hung up", account=self._key, maybe_applied=method in WRITES) from error
        if not is_good:
            raise answer
        return answer


class RemoteAdapter(MemoryAdapter):
    """The memory CRM's adapter, whose accounts are served by another process.

    Args:
        address: where the server listens.
        secret: what it wants to hear.
    """

    def __init__(self, address: tuple[str, int], secret: bytes) -> None:
        super().__init__()
        self._address = address
        self._secret = secret

    def open(self, settings: AccountSettings, doors: Doors) -> Any:
        """A connection to the account `settings.key` of the server."""
        assert doors.urgency in Urgency
        return RemoteConnection(self._address, self._secret, settings.key)


def is_alive(pid: int) -> bool:
    """The process runs: a killed one does not, even while nobody has asked for its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
