"""Masking: tokens, secrets, hook addresses, phones and e-mails made unreadable in whatever is about to be written."""

from __future__ import annotations

import re
from collections.abc import Iterable

GONE = "***"

_SIGNS = ("token", "secret", "passw", "key", "auth", "refresh_id", "cookie", "bearer", "basic")
_SENSITIVE = (
    r"(?:[\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|auth[_-]key|auth_id|refresh_id)"
    r"|authorization|cookie)"
)
_KEYED = re.compile(
    rf"""(?ix)
    ( (?<![\w-]) {_SENSITIVE} (?:%5D|\])? ["']? \s* (?: = | : \s* | %3D ) ["']? (?: (?:Bearer|Basic|Token) \s+ )? )
    (?! \s* (?: None | null | {re.escape(GONE)} ) ) [^\s"'&,;)}}\]>]{{3,}}
    """
)
# Words that are harmless elsewhere: an error's code, an OAuth code in an address.
_QUERY = re.compile(r"([?&](?:code|auth|key|sign)=)[^&\s\"']+")
_BEARER = re.compile(r"(?i)\b(Bearer|Basic)\s+[\w.~+/=-]{6,}")
_HOOK = re.compile(r"(/hooks/[^/\s\"']+/[^/\s\"']+/)[^/\s\"'?&]+")
# Bitrix24's own incoming hooks: /rest/<user>/<secret>/<method>
_REST = re.compile(r"(/rest/\d+/)[^/\s\"']+")
_OPAQUE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}(?:\.[\w-]+){0,2}=*")
_EMAIL = re.compile(r"([\w.+-])[\w.+-]*(?:@|%40)((?:[\w-]+\.)+\w{2,})")
# A plus and 10 to 15 digits, a Russian number of 11, a mobile one of 10: record ids and Unix seconds stay readable.
_PHONE = re.compile(
    r"""(?x) (?<![\w.:/-]) (?:
        (?:\+|%2B) \d (?:[\s()-]*\d){9,14}
      | [78] [\s(-]* [3489] (?:[\s()-]*\d){9}
      | 9\d{9}
    ) (?![\w]) """
)


class Mask:
    """Makes a text fit for a log.

    Args:
        secrets: what is known to be secret, hidden wherever it stands.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: a secret may be a part of another.
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text with secrets gone, phones and e-mails in part."""
        if self._known is not None:
            text = self._known.sub(GONE, text)
        text = _HOOK.sub(rf"\g<1>{GONE}", text)
        text = _REST.sub(rf"\g<1>{GONE}", text)
        text = _QUERY.sub(rf"\g<1>{GONE}", text)
        # Each line of the log passes here: the costly expressions run only where their cheap sign stands.
        lowered = text.lower()
        if any(word in lowered for word in _SIGNS):
            text = _KEYED.sub(rf"\g<1>{GONE}", text)
            text = _BEARER.sub(rf"\g<1> {GONE}", text)
        text = _OPAQUE.sub(GONE, text)
        if "@" in text or "%40" in text:
            text = _EMAIL.sub(rf"\g<1>{GONE}@\g<2>", text)
        return _PHONE.sub(_short, text)


def is_secret_name(name: str) -> bool:
    """A value under this name is a secret whatever it looks like."""
    return _NAME.fullmatch(name) is not None


_NAME = re.compile(rf"(?i){_SENSITIVE}")


def _short(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0].removeprefix("%2B"))
    return f"{'+' if found[0][0] in '+%' else ''}{digits[:4]}{GONE}{digits[-2:]}"
