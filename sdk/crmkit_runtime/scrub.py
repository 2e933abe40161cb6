"""What is cut out of a delivery before it is stored: tokens and keys that senders put into their bodies."""

from __future__ import annotations

import re

GONE = b"***"

_NAME = rb"[^&=\"]*?(?:token|secret|passw(?:or)?d|api_?key|auth[-_]key|auth_id|refresh_id)"
_FORM = re.compile(rb"(?i)((?:^|&)" + _NAME + rb"(?:%5D|\])?=)[^&]*")
_JSON = re.compile(rb'(?i)("' + _NAME + rb'"\s*:\s*")(?:[^"\\]|\\.)*')


def strip_secrets(body: bytes) -> bytes:
    """The body with the values of token, secret, password and key fields replaced by `***`.

    Form bodies (also with brackets: `auth[access_token]`) and JSON; everything else in them stays as it was sent.
    """
    lowered = body.lower()
    if not _has_word(lowered):
        return body
    if lowered.lstrip()[:1] in (b"{", b"["):
        return _JSON.sub(rb"\g<1>" + GONE, body)
    return _FORM.sub(rb"\g<1>" + GONE, body)


def _has_word(lowered: bytes) -> bool:
    """Cheap to ask; only a body with one of these words is searched by the expressions."""
    return (
        b"token" in lowered
        or b"secret" in lowered
        or b"passw" in lowered
        or b"key" in lowered
        or b"auth" in lowered
        or b"refresh_id" in lowered
    )
