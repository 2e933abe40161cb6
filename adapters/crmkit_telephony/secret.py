"""The static secret that a sender without signatures shows with every delivery."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from pydantic import SecretStr

from crmkit.errors import BadPayload, WebhookRejected
from crmkit.webhook import WebhookRequest
from crmkit_telephony.payload import fold, read_fields


def check_secret(
    request: WebhookRequest,
    secret: SecretStr | None,
    *,
    names: Collection[str],
    provider: str,
    account: str,
    nested: Collection[str] = (),
) -> None:
    """Return when the delivery shows the secret in a field, the query or a header called one of `names`.

    Compared in constant time. Without a secret in the settings the secret part of the hook's address is all there is.

    Raises WebhookRejected otherwise; the message holds neither secret.
    """
    if secret is None:
        return
    shown = _shown(request, names, nested)
    expected = secret.get_secret_value().encode()
    # Each candidate is compared: how long it takes must not tell which one was near.
    matches = [hmac.compare_digest(candidate.encode(errors="replace"), expected) for candidate in shown]
    if not any(matches):
        raise WebhookRejected(
            f"the delivery shows {'a wrong secret' if shown else 'no secret'}",
            account=account,
            vendor=provider,
            remedy=f"Give the sender a static parameter or header {min(names)} with the secret of the settings.",
        )


def _shown(request: WebhookRequest, names: Collection[str], nested: Collection[str]) -> list[str]:
    folded = {fold(name) for name in names}
    headers = [value for name, value in request.headers.items() if fold(name) in folded]
    try:
        fields = read_fields(request, nested=nested)
    except BadPayload:
        # Whether the body can be read is for later: a sender who cannot show the secret learns nothing about it.
        return headers
    return headers + [value for name, value in fields.items() if name in folded and value]
