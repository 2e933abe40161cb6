"""Faults on demand: what goes wrong with which call, how often and from when."""

import threading
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal[
    "html",
    "truncated",
    "cut_json",
    "reset",
    "timeout",
    "applied_then_reset",
    "applied_then_502",
    "applied_then_timeout",
]


@dataclass
class Fault:
    """One planned fault; `times` counts down to nothing, `after` calls pass before it begins."""

    vendor: str | None
    method: str | None
    path: str | None
    status: int
    body: FaultKind | None
    times: int
    after: int
    retry_after: int | None

    def fits(self, vendor: str, method: str, path: str) -> bool:
        """True for the calls that this fault waits for; `path` also fits the paths below it."""
        return (
            self.times > 0
            and self.vendor in (None, vendor)
            and self.method in (None, method)
            and (self.path is None or path == self.path or path.startswith(f"{self.path}/"))
        )


class Faults:
    """The plan of faults of a sandbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._down: set[str] = set()
        self._let_go = threading.Event()

    def add(
        self,
        *,
        vendor: str | None = None,
        method: str | None = None,
        path: str | None = None,
        status: int = 500,
        body: FaultKind | None = None,
        times: int = 1,
        after: int = 0,
        retry_after: int | None = None,
    ) -> None:
        """Plan a fault for the next `times` fitting calls after `after` of them.

        `status` alone answers in the vendor's own shape for it. `body` chooses another way to fail: "html" a page with
        `status`; "truncated" an answer shorter than its Content-Length; "cut_json" half of the JSON under 200; "reset"
        no answer; "timeout" no answer until `clear`; "applied_then_..." the call takes effect first.

        Raises ValueError for an unknown `body`.
        """
        if body is not None and body not in get_args(FaultKind):
            raise ValueError(f"unknown fault body {body!r}; choose one of {', '.join(get_args(FaultKind))}")
        with self._lock:
            self._planned.append(Fault(vendor, method, path, status, body, times, after, retry_after))

    def down(self, vendor: str, is_down: bool = True) -> None:
        """Let every call of `vendor` answer 502, or stop doing so."""
        with self._lock:
            if is_down:
                self._down.add(vendor)
            else:
                self._down.discard(vendor)

    def is_down(self, vendor: str) -> bool:
        """True while `vendor` answers 502 to everything."""
        return vendor in self._down

    def clear(self) -> None:
        """Drop all planned faults, bring every vendor up and let go of the calls that hang."""
        with self._lock:
            self._planned.clear()
            self._down.clear()
            self._let_go.set()
            self._let_go = threading.Event()

    def take(self, vendor: str, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any; one use of it is spent."""
        with self._lock:
            for fault in self._planned:
                if not fault.fits(vendor, method, path):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def hang(self, timeout_s: float = 120.0) -> None:
        """Wait until `clear` or for `timeout_s`."""
        self._let_go.wait(timeout_s)
