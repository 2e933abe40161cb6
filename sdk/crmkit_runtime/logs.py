"""configure(): one line of JSON, or one for eyes, for whatever is logged; nothing secret passes."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from crmkit_runtime.masking import GONE, Mask, is_secret_name

LINGER_S = 0.05
"""A line reaches the stream so much later at most, together with the others of that time."""


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
    masking = _Masking(Mask(secrets))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        # Masked last before it is written, when tracebacks are text already.
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masking,
            renderer,
        ],
    )
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[*shared[:-1], shared[-1], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


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

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {
            key: value if key in _OURS else self._value(key, value)  # our own marks hold nothing foreign
            for key, value in event.items()
        }

    def _value(self, key: str, value: Any) -> Any:
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
