"""configure(): one line of JSON, or one for eyes, for whatever is logged; nothing secret passes."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from crmkit_runtime.masking import GONE, Mask, is_secret_name

LINGER_S = 0.05
"""A line reaches the stream so much later at most, together with the others of that time."""


_form = {"is_json": False}


def is_json() -> bool:
    """The process logs lines of JSON."""
    return _form["is_json"]


def configure(
    *,
    is_json: bool,
    level: int = logging.INFO,
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """Send every log record of the process, crmkit's and other libraries', to `stream` (standard error).

    Tokens, secrets and the secret part of hook addresses are hidden, phones and e-mails in part: in messages, values
    and tracebacks alike. `secrets` are those of the service (`Service.secrets()`). Replaces the handlers that the root
    logger had.
    """
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(_Formatter(Mask(secrets), is_json=is_json))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    _form["is_json"] = is_json
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _to_record],
        logger_factory=lambda *names: logging.getLogger(names[0] if names else "crmkit"),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _Formatter(logging.Formatter):
    """A record with its values, masked last, when tracebacks are text already.

    structlog's own formatter makes a second record of each, which costs as much as everything here together.
    """

    def __init__(self, mask: Mask, *, is_json: bool) -> None:
        super().__init__()
        self._masking = _Masking(mask)
        self._console = None if is_json else structlog.dev.ConsoleRenderer(colors=False)

    def format(self, record: logging.LogRecord) -> str:
        """One line; with a traceback several on a console."""
        values = record.__dict__
        event: dict[str, Any] = {
            **structlog.contextvars.get_contextvars(),
            **{name: value for name, value in values.items() if name not in _STANDARD},
            **values.get(_VALUES, {}),
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:26] + "Z",
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        masked = self._masking(event)
        if self._console is not None:
            return str(self._console(None, record.levelname.lower(), masked))
        return json.dumps(masked, ensure_ascii=False, default=str)

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- the library's own name
        """The traceback; of a database that is locked, full or away, what it says and what to do."""
        error = ei[1]
        # The driver's error and SQLAlchemy's around it have one name; where it happened tells an operator nothing.
        if type(error).__name__ == "OperationalError":
            reason = getattr(error, "orig", None) or error
            return f"the database says: {reason}. See that no other program holds it and the disk is not full."
        return super().formatException(ei)


_VALUES = "structlog_values"
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", _VALUES})


def _to_record(_logger: WrappedLogger, _method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """What structlog has bound, as a call of the library's own logger."""
    own = {name: event.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in event}
    return (str(event.pop("event", "")),), {"extra": {_VALUES: event}, **own}


class _Lines(logging.Handler):
    """Writes lines from a thread of its own, many at a time.

    A stream that is written under a lock makes every thread of a busy web process wait for each line of the others.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._queue: SimpleQueue[str | threading.Event] = SimpleQueue()
        self._flushed = threading.Event()
        threading.Thread(target=self._write_on, name="log-writer", daemon=True).start()

    def createLock(self) -> None:  # noqa: N802 -- the name is the library's
        """None is needed: a queue takes lines from many threads."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Format here, write there."""
        try:
            self._queue.put(self.format(record))
        except Exception:  # noqa: BLE001 -- logging must not fail whoever logs
            self.handleError(record)

    def flush(self) -> None:
        """Return when everything logged so far is written, or after two seconds."""
        written = threading.Event()
        self._queue.put(written)
        self._flushed.set()
        written.wait(2.0)

    def _write_on(self) -> None:
        while True:
            found: list[str | threading.Event] = [self._queue.get()]
            if isinstance(found[0], str):
                # Woken for each line, this thread would cost the others more than the line itself.
                self._flushed.wait(LINGER_S)
            with suppress(Empty):
                while True:
                    found.append(self._queue.get_nowait())
            self._flushed.clear()
            # A closed stream must not end the thread: whoever flushes would wait for it.
            with suppress(OSError, ValueError):
                self._stream.write("".join(f"{line}\n" for line in found if isinstance(line, str)))
                self._stream.flush()
            for mark in found:
                if isinstance(mark, threading.Event):
                    mark.set()


class _Masking:
    """Masks every text of an event, however deep it lies."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value if key in _OURS else self._value(key, value) for key, value in event.items()}

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            return GONE if is_secret_name(key) else self._mask(value)
        if isinstance(value, bool | int | float | None):
            return value
        if is_secret_name(key):
            return GONE
        if isinstance(value, Mapping):
            return {str(name): self._value(str(name), one) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(key, one) for one in value]
        return self._mask(str(value))


_OURS = frozenset({"timestamp", "level", "logger"})
"""Marks of ours, which hold nothing foreign."""
