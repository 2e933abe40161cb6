"""The authorised way to one portal: single calls, batches of fifty, and each method's operating time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

from crmkit.clock import Clock
from crmkit.errors import AuthError, CrmKitError, VendorDown
from crmkit.http import LONGEST_WAIT_S, Pressure, Request, Transport
from crmkit.values import Json
from crmkit_bitrix24.auth import Authority
from crmkit_bitrix24.client.crew import STRAINED, WIDEST, Crew
from crmkit_bitrix24.errors.answers import PortalMoved
from crmkit_bitrix24.errors.refusals import VENDOR, busy_method, refusal
from crmkit_bitrix24.wire import BATCH, Command, Params, bracketed, mapping

READ_TIMEOUT_S = 70.0
"""The vendor's proxy gives up after 60 s. Source: Bitrix24 REST, page "Limits"."""

OPERATING_LIMIT_S = 480.0
"""Seconds that a method may work in ten minutes. Source: Bitrix24 REST, page "Limits"."""

_ENOUGH = 0.9 * OPERATING_LIMIT_S


class OperatingTime:
    """How much of its time each method has used up, as the vendor's last answer tells.

    Args:
        clock: the time, and where to wait.
        account: the account's key.
    """

    def __init__(self, clock: Clock, account: str) -> None:
        self.clock = clock
        self._account = account
        self._lock = threading.Lock()
        self._used_s: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def note(self, method: str, time: Any) -> None:
        """Remember what an answer says of its method: the sum so far, not this call's share."""
        used = time.get("operating") if isinstance(time, Mapping) else None
        reset = time.get("operating_reset_at") if isinstance(time, Mapping) else None
        name = method.lower()
        with self._lock:
            self._used_s[name] = float(used) if isinstance(used, int | float) else 0.0
            if self._used_s[name] >= _ENOUGH and isinstance(reset, int | float):
                self._until[name] = float(reset)
            else:
                self._until.pop(name, None)

    def room(self, method: str) -> int:
        """How many batches of the method may be under way: its time is seen only when they are answered."""
        with self._lock:
            used_s = self._used_s.get(method.lower(), 0.0)
        if used_s > 0.75 * OPERATING_LIMIT_S:
            return 1
        return STRAINED if used_s > 0.5 * OPERATING_LIMIT_S else WIDEST

    def refused(self, method: str, time: Any) -> CrmKitError:
        """Hold the method that the vendor has blocked, and give the error."""
        reset = time.get("operating_reset_at") if isinstance(time, Mapping) else None
        until = float(reset) if isinstance(reset, int | float) else self._now() + 60
        with self._lock:
            self._until[method.lower()] = until
        return busy_method(self._account, method, max(1.0, until - self._now()))

    def wait(self, method: str) -> None:
        """Return when the method may be called. Raises RateLimited when that is further off than callers wait."""
        left_s = self._left_s(method)
        if left_s > LONGEST_WAIT_S:
            raise busy_method(self._account, method, left_s)
        if left_s > 0:
            self.clock.wait(left_s)

    def _left_s(self, method: str) -> float:
        with self._lock:
            until = self._until.get(method.lower())
        return 0.0 if until is None else until - self._now()

    def _now(self) -> float:
        return self.clock.now().timestamp()


_WAITING = 4


class Batch(NamedTuple):
    """Up to fifty commands of one request: reads, or writes; safe are those that may all be done twice."""

    commands: Sequence[Command]
    is_write: bool = False
    is_safe: bool = True


class Line:
    """Sends calls to one portal.

    Args:
        authority: address and token.
        dial: opens a transport to a base URL.
        operating: the methods' time.
        account: the account's key.
    """

    def __init__(
        self, authority: Authority, dial: Callable[[str], Transport], operating: OperatingTime, account: str
    ) -> None:
        self._authority = authority
        self._dial = dial
        self._operating = operating
        self._account = account
        self._lock = threading.Lock()
        self._transports: dict[str, Transport] = {}
        self.crew = Crew(operating.clock, self._pressure)

    @property
    def is_application(self) -> bool:
        """Calls are made by an application, which may do more than a webhook."""
        return self._authority.is_application

    def call(self, method: str, params: Params | None = None, *, is_safe: bool = True) -> Json:
        """The result of one method. A call that is not safe is repeated only when nothing was done."""
        return self.answer(method, params, is_safe=is_safe).get("result")

    def answer(self, method: str, params: Params | None = None, *, is_safe: bool = True) -> Mapping[str, Any]:
        """The whole answer to one method: `result`, and `total`, `next` and `time` beside it."""
        self._operating.wait(method)
        body = self._send(method, params or {}, is_safe)
        if body.get("error"):
            raise self._operating.refused(method, body.get("time"))
        self._operating.note(method, body.get("time"))
        return body

    def every(self, commands: Sequence[Command]) -> list[Json]:
        """The results of reads, by fifties; raises what any of them is refused with."""
        return answered(self.batch(commands))

    def batch(self, commands: Sequence[Command]) -> list[Json | CrmKitError]:
        """A result for each read, in order; a refused one does not stop the others.

        Raises what a whole batch is refused with.
        """
        return [result for found in self.batches(in_batches(commands)) for result in found]

    def batches(
        self, parts: Iterable[Batch], *, is_write: bool = False, is_ordered: bool = False
    ) -> Iterator[list[Json | CrmKitError]]:
        """The results of batches in order, several at a time; one behind the other when `is_ordered`.

        Parts are taken when there is room for them. Raises what a batch of reads is refused with; a lost batch of
        writes leaves its error with each of them, since part of it may have been done.
        """
        methods: set[str] = set()

        def jobs() -> Iterator[Callable[[], list[Json | CrmKitError]]]:
            for part in parts:
                methods.update(command.method for command in part.commands)
                yield partial(self._sent, part)

        def ahead() -> int:
            return 1 if is_ordered else min(map(self.room, methods), default=1)

        # What writes are answered with is short; rows of many batches are not.
        return self.crew.in_order(jobs(), ahead, waiting=_WAITING if is_write else 1)

    def room(self, method: str) -> int:
        """How many batches of a method may be under way now."""
        return min(self._operating.room(method), self.crew.width)

    def _sent(self, part: Batch) -> list[Json | CrmKitError]:
        try:
            if part.is_write and len(part.commands) == 1:
                command = part.commands[0]
                return [self.call(command.method, command.params, is_safe=part.is_safe)]
            return self._fifty(part.commands, part.is_safe)
        except CrmKitError as error:
            if not part.is_write:
                raise
            return [error] * len(part.commands)

    def _fifty(self, commands: Sequence[Command], is_safe: bool) -> list[Json | CrmKitError]:
        for method in {command.method for command in commands}:
            self._operating.wait(method)
        cmd = {f"c{place}": f"{one.method}?{bracketed(one.params)}" for place, one in enumerate(commands)}
        answer = mapping(self._send("batch", {"halt": 0, "cmd": cmd}, is_safe).get("result"))
        results, errors = mapping(answer.get("result")), mapping(answer.get("result_error"))
        times = mapping(answer.get("result_time"))
        found: list[Json | CrmKitError] = []
        for place, command in enumerate(commands):
            key = f"c{place}"
            found.append(self._one(command, key, (results, errors, times), is_safe))
        return found

    def _one(
        self, command: Command, key: str, parts: tuple[Mapping[str, Any], ...], is_safe: bool
    ) -> Json | CrmKitError:
        results, errors, times = parts
        if key in errors:
            error = mapping(errors[key])
            if error.get("error") == "OPERATION_TIME_LIMIT":
                return self._operating.refused(command.method, times.get(key))
            return refusal(self._account, command.method, error)
        self._operating.note(command.method, times.get(key))
        if key in results:
            found: Json = results[key]
            return found
        return VendorDown(
            f"{command.method}: the batch's answer says nothing of this command",
            maybe_applied=not is_safe,
            account=self._account,
            vendor=VENDOR,
            remedy="Look whether it was done before sending it again.",
        )

    def _send(self, method: str, params: Params, is_safe: bool) -> Mapping[str, Any]:
        """The decoded answer; a token that has expired is renewed and a moved portal followed, each once.

        Both refusals did nothing, so that the repeat is right for writes as well.
        """
        token = self._authority.access()
        try:
            return self._with(token, method, params, is_safe)
        except AuthError as error:
            if error.status != 401:
                raise
            self._authority.renew(token, error)
        except PortalMoved as moved:
            if not (moved.host and self._authority.move(moved.host)):
                raise
        return self._with(self._authority.access(), method, params, is_safe)

    def _with(self, token: str | None, method: str, params: Params, is_safe: bool) -> Mapping[str, Any]:
        body = dict(params) if token is None else {**params, "auth": token}
        request = Request("POST", f"/{method}", body=body, is_safe=is_safe, read_timeout_s=READ_TIMEOUT_S)
        answer = self._transport().send(request).json()
        if not isinstance(answer, Mapping):
            self._no_answer(method, is_safe)
        return answer

    def _no_answer(self, method: str, is_safe: bool) -> NoReturn:
        raise VendorDown(
            f"{method} was answered with something else than an object",
            maybe_applied=not is_safe,
            account=self._account,
            vendor=VENDOR,
            remedy="Check that base_url is the portal's own address.",
        )

    def _pressure(self) -> Pressure:
        return self._transport().pressure

    def _transport(self) -> Transport:
        base_url = self._authority.base_url
        with self._lock:
            if base_url not in self._transports:
                self._transports[base_url] = self._dial(base_url)
            return self._transports[base_url]

    def close(self) -> None:
        """Give back the connections and the threads."""
        self.crew.close()
        with self._lock:
            for transport in self._transports.values():
                transport.close()


def in_batches(commands: Sequence[Command]) -> list[Batch]:
    """Reads by fifties."""
    return [Batch(commands[start : start + BATCH]) for start in range(0, len(commands), BATCH)]


def answered(found: Sequence[Json | CrmKitError]) -> list[Json]:
    """The results of reads. Raises what any of them was refused with."""
    for one in found:
        if isinstance(one, CrmKitError):
            raise one
    return [one for one in found if not isinstance(one, CrmKitError)]
