"""amocrm-api lists, gets, creates and updates leads; asked and answered in JSON."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from typing import Any

import requests
from amocrm.v2 import Lead, tokens
from amocrm.v2.interaction import _session

HOST = "https://romashka.amocrm.ru"


class Redirected(requests.adapters.HTTPAdapter):
    """Sends to the emulator what the client sends to the vendor's host, which it pins."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = (request.url or "").replace(HOST, self._base_url, 1)
        return super().send(request, *args, **kwargs)


given = json.load(sys.stdin)
_session.mount(HOST, Redirected(given["base_url"]))
storage = tokens.MemoryTokensStorage()
storage.save_tokens(given["token"], "unused")
tokens.default_token_manager("id", "secret", "romashka", "https://app.example/", storage)

listed = [lead.id for lead in Lead.objects.all()]
lead = Lead.objects.get(object_id=given["id"])
name = lead.name
created = Lead(name="Created", price=1500).save()
lead.name = "Updated"
lead.save()
print(json.dumps({"listed": listed, "got": name, "created": created.id}))
