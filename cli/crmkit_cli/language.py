"""Which language the command line speaks, and the choosing of a text."""

from __future__ import annotations

import os
import sys
from typing import Literal

Language = Literal["ru", "en"]


def language() -> Language:
    """`--lang`, else `CRMKIT_LANG`, else the machine's locale; Russian unless that is another language."""
    for position, word in enumerate(sys.argv):
        if word == "--lang" and position + 1 < len(sys.argv):
            return _known(sys.argv[position + 1])
        if word.startswith("--lang="):
            return _known(word.partition("=")[2])
    for name in ("CRMKIT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return _known(value)
    return "ru"


def _known(value: str) -> Language:
    # "C" and "POSIX" say nothing about the reader.
    return "en" if value.lower().startswith("en") else "ru"


def tr(ru: str, en: str) -> str:
    """The text in the reader's language."""
    return ru if language() == "ru" else en
