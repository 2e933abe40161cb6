"""The way to a vendor: budgets are never exceeded, only safe calls are repeated, nothing secret gets out."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crmkit.errors import CrmKitError, RateLimited, Rejected, VendorDown
from crmkit.http import ATTEMPTS, LocalLimiter, Pressure, RateLimit, Reply, Request, Transport, Urgency
from crmkit.http.limits import _Budget
from crmkit.http.transport import _Bunching

SECRET = "Bearer s3cret-token"
WINDOW = RateLimit("w", 7, 1.0)


class Hurry:
    """A clock that jumps instead of waiting, and remembers the jumps."""

    def __init__(self) -> None:
        self._at = datetime(2026, 1, 1, tzinfo=UTC)
        self._lock = threading.Lock()
        self.waits: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._at

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        with self._lock:
            self.waits.append(seconds)
            self._at += timedelta(seconds=max(0.0, seconds))


def most_in_any(times: Sequence[float], seconds: float) -> int:
    """The most moments that any window of this length holds."""
    most, window = 0, deque[float]()
    for at in sorted(times):
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


def grants(limiter: LocalLimiter, clock: Hurry, limits: Sequence[RateLimit], count: int) -> list[float]:
    """When so many callers, one after the other, were let through."""
    found = []
    for _ in range(count):
        limiter.wait(limits, Urgency.LIVE)
        found.append(clock.now().timestamp())
    return found


class TestLocalLimiter:
    def test_a_window_is_never_exceeded_and_well_used(self) -> None:
        """Seven in any second and no more, with at least 0.95 of them used."""
        clock = Hurry()
        times = grants(LocalLimiter(clock), clock, [WINDOW], 700)
        assert most_in_any(times, 1.0) == 7
        assert 700 / (times[-1] - times[0]) / 7 >= 0.95

    def test_threads_share_a_window(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Eight threads on the real clock are let through as seldom as one would be, in any window."""
        limiter, limit = LocalLimiter(margin_s=0.01), RateLimit("t", 20, 0.2)
        times: list[float] = []
        take = _Budget.take

        def noted(budget: _Budget, at: float) -> None:
            times.append(at)
            take(budget, at)

        monkeypatch.setattr(_Budget, "take", noted)

        def work() -> None:
            for _ in range(15):
                limiter.wait([limit], Urgency.LIVE)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(times), most_in_any(times, 0.2)) == (120, 20)

    def test_an_even_window_lets_half_go_at_once(self) -> None:
        """Five calls, then one each tenth of a second; the rate of the window is used, and never exceeded."""
        clock = Hurry()
        times = grants(LocalLimiter(clock), clock, [RateLimit("e", 10, 1.0, is_even=True)], 300)
        gaps = [later - at for at, later in itertools.pairwise(times)]
        assert gaps[:4] == pytest.approx([0.0] * 4, abs=1e-4)
        assert min(gaps[4:]) == pytest.approx(0.1, abs=1e-3)
        assert most_in_any(times, 1.0) == 10
        assert 300 / (times[-1] - times[0]) / 10 >= 0.98

    def test_a_bucket_gives_its_store_then_its_rate(self) -> None:
        """Fifty at once, then one each half second."""
        clock = Hurry()
        times = grants(LocalLimiter(clock), clock, [RateLimit("b", 50, 0.5, "bucket")], 60)
        assert times[49] - times[0] == pytest.approx(0, abs=1e-4)
        assert times[59] - times[0] == pytest.approx(5.0, abs=1e-3)

    def test_the_narrowest_limit_decides(self) -> None:
        """Under two budgets both hold."""
        clock = Hurry()
        both = [RateLimit("wide", 50, 1.0), RateLimit("narrow", 2, 1.0)]
        assert most_in_any(grants(LocalLimiter(clock), clock, both, 30), 1.0) == 2

    def test_a_push_holds_everybody_back(self) -> None:
        """After a refusal nobody passes before the pause is over."""
        clock = Hurry()
        limiter = LocalLimiter(clock)
        before = clock.now().timestamp()
        limiter.push(WINDOW, 4.0)
        assert grants(limiter, clock, [WINDOW], 1)[0] - before == pytest.approx(4.0, abs=1e-4)

    def test_a_push_empties_a_bucket(self) -> None:
        """The vendor says that it is full, whoever filled it: behind the pause only what leaks is free."""
        clock = Hurry()
        limiter = LocalLimiter(clock)
        bucket = RateLimit("b", 48, 0.5, shape="bucket")
        start = grants(limiter, clock, [bucket], 2)[0]
        limiter.push(bucket, 2.0)
        found = [round(at - start, 3) for at in grants(limiter, clock, [bucket], 4)]
        assert found == [2.5, 3.0, 3.5, 4.0]

    def test_a_long_push_is_told_at_once(self) -> None:
        """A pause of minutes is not slept through: the caller hears how long it lasts."""
        clock = Hurry()
        limiter = LocalLimiter(clock)
        limiter.push(WINDOW, 300.0)
        with pytest.raises(RateLimited) as refused:
            limiter.wait([WINDOW], Urgency.LIVE)
        assert refused.value.retry_after_s == pytest.approx(300.0)
        assert clock.waits == []

    def test_handlers_pass_before_first_loads(self) -> None:
        """A live caller who comes last stands before all bulk callers who have not been let through."""
        limiter, limit = LocalLimiter(margin_s=0.0), RateLimit("q", 1, 0.1)
        limiter.wait([limit], Urgency.LIVE)
        order: list[str] = []
        started = threading.Barrier(5)

        def work(urgency: Urgency) -> None:
            started.wait()
            limiter.wait([limit], urgency)
            order.append(urgency.value)

        bulk = [threading.Thread(target=work, args=(Urgency.BULK,)) for _ in range(4)]
        for thread in bulk:
            thread.start()
        started.wait()
        limiter.wait([limit], Urgency.LIVE)
        order.append("live")
        for thread in bulk:
            thread.join()
        assert order.index("live") <= 1


class Script(ThreadingHTTPServer):
    """A server that answers each request with the next of its answers; the last one is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[bytes] = []
        self.seen: list[tuple[str, str]] = []
        self.cookies: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Writes raw bytes; an empty answer is a broken connection."""

    server: Script

    def handle_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path))
        self.server.cookies.append(self.headers.get("Cookie"))
        answers = self.server.answers
        self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])
        self.close_connection = True

    do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 -- names of the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's own name
        """Say nothing."""


def answer(status: int, body: bytes = b'{"a":1}', *headers: str, length: int | None = None) -> bytes:
    """A raw HTTP answer; `length` lies about the body."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + body


def judge(request: Request, reply: Reply) -> CrmKitError | None:
    """A vendor's table in short."""
    if reply.status == 429:
        said = reply.headers.get("x-said")
        seconds = reply.headers.get("retry-after", said)
        return RateLimited("limit", retry_after_s=float(seconds) if seconds else None, is_stock_phrase=said is not None)
    if reply.status == 400:
        return Rejected("wrong")
    if reply.status >= 300:
        return VendorDown(f"status {reply.status}", maybe_applied=not request.is_safe)
    return None


@pytest.fixture
def server() -> Iterator[Script]:
    script = Script()
    thread = threading.Thread(target=script.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    script.shutdown()
    thread.join()
    script.server_close()


def transport(url: str, clock: Hurry) -> Transport:
    return Transport(
        url, vendor="v", account="acme", judge=judge, limits=[WINDOW], limiter=LocalLimiter(clock), clock=clock
    )


READ = Request("GET", "/x", headers={"Authorization": SECRET}, is_safe=True)
WRITE = Request("POST", "/x", body={"n": 1}, headers={"Authorization": SECRET})
GOOD, BROKEN, LOST, CUT = answer(200), answer(502), b"", answer(200, b'{"a"', length=400)
LIMITED = answer(429, b"{}", "Retry-After: 2")


class TestTransport:
    @pytest.mark.parametrize("fault", [BROKEN, LOST, CUT, LIMITED], ids=["502", "lost", "cut", "429"])
    def test_a_read_survives_a_passing_fault(self, server: Script, fault: bytes) -> None:
        """A bad gateway, a broken connection, half a body, a refusal by the limit: read again."""
        server.answers = [fault, GOOD]
        assert transport(server.url, Hurry()).send(READ).json() == {"a": 1}
        assert len(server.seen) == 2

    @pytest.mark.parametrize("fault", [BROKEN, LOST, CUT], ids=["502", "lost", "cut"])
    def test_a_write_with_a_lost_answer_is_never_repeated(self, server: Script, fault: bytes) -> None:
        """It may have been done, and the error says so."""
        server.answers = [fault, GOOD]
        with pytest.raises(VendorDown) as down:
            transport(server.url, Hurry()).send(WRITE)
        assert (down.value.maybe_applied, len(server.seen)) == (True, 1)

    def test_a_write_refused_by_the_limit_is_repeated(self, server: Script) -> None:
        """Nothing was done, so that it must be tried again, and not before the vendor's time."""
        server.answers = [LIMITED, GOOD]
        clock = Hurry()
        before = clock.now()
        assert transport(server.url, clock).send(WRITE).status == 200
        assert clock.now() - before >= timedelta(seconds=2)

    def test_a_write_that_never_left_is_repeated(self) -> None:
        """Nobody listens: the write cannot have been done."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        clock = Hurry()
        with pytest.raises(VendorDown) as down:
            transport(f"http://127.0.0.1:{port}", clock).send(WRITE)
        assert down.value.maybe_applied is False
        assert len([wait for wait in clock.waits if wait >= 0.5]) == ATTEMPTS - 1

    def test_a_refusal_of_values_is_final(self, server: Script) -> None:
        """The same values will be refused again."""
        server.answers = [answer(400)]
        with pytest.raises(Rejected):
            transport(server.url, Hurry()).send(READ)
        assert len(server.seen) == 1

    def test_attempts_come_to_an_end(self, server: Script) -> None:
        """A vendor that stays down is told to the caller."""
        server.answers = [BROKEN]
        with pytest.raises(VendorDown):
            transport(server.url, Hurry()).send(READ)
        assert len(server.seen) == ATTEMPTS

    def test_a_long_pause_is_told_and_kept_by_all(self, server: Script) -> None:
        """Asked to stay away for minutes, the call gives up, and the next one does not even ask."""
        server.answers = [answer(429, b"{}", "Retry-After: 300"), GOOD]
        line = transport(server.url, Hurry())
        for _ in range(2):
            with pytest.raises(RateLimited) as refused:
                line.send(READ)
            assert refused.value.retry_after_s == pytest.approx(300.0)
        assert len(server.seen) == 1

    def test_a_stock_phrase_is_believed_in_the_end_only(self, server: Script) -> None:
        """A vendor that says five minutes to everybody is asked again soon; if it goes on, the minutes are kept."""
        said = answer(429, b"{}", "X-Said: 300")
        clock = Hurry()
        server.answers = [said, said, GOOD]
        assert transport(server.url, clock).send(READ).json() == {"a": 1}
        assert max(clock.waits) < 10.0
        server.answers, server.seen = [said], []
        line = transport(server.url, clock)
        for _ in range(2):
            with pytest.raises(RateLimited) as refused:
                line.send(READ)
            assert refused.value.retry_after_s == pytest.approx(300.0)
        assert len(server.seen) == ATTEMPTS

    def test_a_late_call_keeps_its_successor_away(self) -> None:
        """Who takes the place of a call that took longer than usual leaves later by as much, up to 80 ms."""
        bunching, limit, bucket = _Bunching(), RateLimit("w", 4, 1.0), RateLimit("b", 50, 0.5, "bucket")
        assert bunching.leaving([limit, bucket]) == (1, [limit, bucket])
        for number, seconds in enumerate((0.02, 0.02, 0.05, 0.02, 0.02, 9.0), start=1):
            bunching.answered(number, seconds)
            bunching.leaving([limit])
        left = [bunching.leaving([limit]) for _ in range(5)]  # the seventh and those after it are still under way
        assert [number for number, _ in left] == [8, 9, 10, 11, 12]
        assert [one[0].per_s - limit.per_s for _, one in left] == pytest.approx([0.03, 0.08, 0.08, 0.08, 0.08])

    def test_a_second_refusal_widens_the_window(self) -> None:
        """The first may be chance; each further one asks for 40 ms more, up to 120."""
        bunching, seen = _Bunching(), list[float]()
        for _ in range(6):
            bunching.refused()
            seen.append(bunching.leaving([WINDOW])[1][0].per_s - WINDOW.per_s)
        assert seen == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.12, 0.12])

    def test_refusals_are_forgotten(self) -> None:
        """A hundred good answers make up for one."""
        bunching, seen = _Bunching(), list[float]()
        for _ in range(3):
            bunching.refused()
        for _ in range(3):
            for _ in range(100):
                number, limits = bunching.leaving([WINDOW])
                bunching.answered(number, 0.02)
            seen.append(limits[0].per_s - WINDOW.per_s)
        assert seen == pytest.approx([0.04, 0.0, 0.0], abs=1e-3)
        assert bunching.refusals == 3

    def test_a_redirect_is_not_followed(self, server: Script) -> None:
        """The token goes to no other address."""
        server.answers = [answer(302, b"", "Location: http://127.0.0.1:9/steal")]
        with pytest.raises(VendorDown, match="302"):
            transport(server.url, Hurry()).send(WRITE)
        assert server.seen == [("POST", "/x")]

    def test_no_cookie_is_kept(self, server: Script) -> None:
        """What one answer sets does not change the next request."""
        server.answers = [answer(200, b"{}", "Set-Cookie: sid=1; Path=/"), GOOD]
        line = transport(server.url, Hurry())
        line.send(READ)
        line.send(READ)
        assert server.cookies == [None, None]

    def test_nothing_of_the_machine_is_sent(self, server: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy named in the environment is not gone through."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        server.answers = [GOOD]
        assert transport(server.url, Hurry()).send(READ).json() == {"a": 1}

    def test_whoever_sends_several_calls_at_a_time_sees_the_pressure(self, server: Script) -> None:
        """Refusals are counted, the slowest of the last answers and the wait before our own limiter are told."""
        server.answers = [LIMITED, LIMITED, GOOD]
        line = transport(server.url, Hurry())
        assert line.pressure == Pressure(0, 0.0, 0.0)
        line.send(READ)
        assert line.pressure.refusals == 2
        assert 0 < line.pressure.slowest_s < 5
        assert line.pressure.waited_s < 1

    def test_nothing_secret_is_logged_or_raised(self, server: Script, caplog: pytest.LogCaptureFixture) -> None:
        """Neither the token nor the query gets into a message, a log line or a chained error."""
        server.answers = [LOST]
        request = Request("GET", "/x", query=[("apiKey", "k3y")], headers={"Authorization": SECRET}, is_safe=True)
        with caplog.at_level(logging.DEBUG, logger="crmkit"), pytest.raises(VendorDown) as down:
            transport(server.url, Hurry()).send(request)
        shown = f"{down.value} {down.value.__dict__} {down.value.__cause__!r} {down.value.__context__!r} {caplog.text}"
        assert [secret for secret in ("s3cret", "k3y") if secret in shown] == []
        assert down.value.__context__ is None

    def test_a_base_address_may_have_a_path(self, server: Script) -> None:
        """A request's path stands behind the base's own."""
        server.answers = [GOOD]
        transport(f"{server.url}/amocrm/", Hurry()).send(READ)
        assert server.seen == [("GET", "/amocrm/x")]


class TestReply:
    def test_an_empty_body_is_none(self) -> None:
        """204 and blanks hold nothing."""
        assert (Reply(204, {}, b"").json(), Reply(200, {}, b" \n").json()) == (None, None)

    def test_a_body_is_decoded_once(self) -> None:
        """The same object comes each time."""
        reply = Reply(200, {}, b'{"a": []}')
        assert reply.json() is reply.json()

    def test_whatever_the_standard_reader_reads_is_read(self) -> None:
        """Half of a letter, another encoding, a number too long for a register: the same values as by `json`."""
        for body in (b'{"a":"\\ud83d"}', '{"a": "\u044f"}'.encode("utf-16"), b'{"a": 123456789012345678901234567890}'):
            assert Reply(200, {}, body).json() == json.loads(body)

    def test_what_is_not_json_is_a_value_error(self) -> None:
        """HTML, and half of an object."""
        for body in (b"<html>", b'{"a":'):
            with pytest.raises(ValueError, match="Expecting"):
                Reply(200, {}, body).json()
