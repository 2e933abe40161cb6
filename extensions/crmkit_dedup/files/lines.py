"""The text lines of a file: decoded, numbered, never longer than a cap, with what was mended reported."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from crmkit_dedup.files.encodings import Encoding, best_single_byte
from crmkit_dedup.files.problems import Problems

LONGEST = 1 << 20
"""Bytes of a line that are read; what is behind them is dropped and reported."""

_CYRILLIC_LEADS = (b"\xd0", b"\xd1")


class Lines:
    """Iterates over the lines of a file; `number` is that of the last line given, from 1.

    Memory stays within a few `LONGEST`, whatever the file holds.
    """

    def __init__(self, file: BinaryIO, encoding: Encoding, problems: Problems, *, longest: int = LONGEST) -> None:
        self.number = 0
        self._file, self._encoding, self._problems, self._longest = file, encoding, problems, longest

    def __iter__(self) -> Iterator[str]:
        if self._encoding.name.startswith(("utf-16", "utf-32")):
            return self._of_text(io.TextIOWrapper(self._file, self._encoding.name, "replace"))
        if self._has_lone_returns():
            return self._of_text(io.TextIOWrapper(self._file, self._encoding.name, "replace", newline=None))
        return self._of_bytes()

    def _has_lone_returns(self) -> bool:
        sample = self._file.peek(1 << 16) if isinstance(self._file, io.BufferedReader) else b""
        return b"\r" in sample and b"\n" not in sample

    def _of_bytes(self) -> Iterator[str]:
        read, longest, name = self._file.readline, self._longest, self._encoding.name
        is_single = not name.startswith("utf")
        while line := read(longest):
            self.number += 1
            if len(line) == longest and not line.endswith(b"\n"):
                self._skip_rest(len(line))
            if b"\0" in line:
                self._problems.add(self.number, "nul")
                line = line.replace(b"\0", b"")
            if is_single and (_CYRILLIC_LEADS[0] in line or _CYRILLIC_LEADS[1] in line):
                yield self._perhaps_utf8(line)
                continue
            try:
                yield line.decode(name)
            except UnicodeDecodeError:
                yield self._mended(line)

    def _perhaps_utf8(self, line: bytes) -> str:
        """A line of UTF-8 within a one-byte file: its pairs of bytes are no Russian in any other encoding."""
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return line.decode(self._encoding.name, "replace")
        self._problems.add(self.number, "encoding", "utf-8")
        return text

    def _mended(self, line: bytes) -> str:
        """A line that is not in the file's encoding: in another one if all of it is, else with marks in place."""
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            broken = line[error.start : error.start + 3]
        else:
            broken = b""
        replaced = line.decode(self._encoding.name, "replace")
        high = sum(byte > 127 for byte in line)
        # Bytes of one stray sign are no text in another encoding; several letters are.
        if self._encoding.name == "utf-8" and high >= 3 and replaced.count("\ufffd") * 2 >= high:
            name = best_single_byte(line)
            self._problems.add(self.number, "encoding", name)
            return line.decode(name, "replace")
        self._problems.add(self.number, "bytes", broken.hex(" "))
        return replaced

    def _of_text(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(self._longest):
            self.number += 1
            if len(line) >= self._longest and not line.endswith("\n"):
                length = len(line)
                while (rest := text.readline(self._longest)) and not rest.endswith("\n"):
                    length += len(rest)
                self._problems.add(self.number, "long", f"{length:,}")
            if "\0" in line:
                self._problems.add(self.number, "nul")
                line = line.replace("\0", "")
            if "\ufffd" in line:
                self._problems.add(self.number, "bytes")
            yield line

    def _skip_rest(self, length: int) -> None:
        while rest := self._file.readline(self._longest):
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        self._problems.add(self.number, "long", f"{length:,}")
