"""b24pysdk lists, gets, creates and updates deals; asked and answered in JSON."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

from b24pysdk import BitrixWebhook, Client
from b24pysdk.api.callers.call_method import _MethodCaller

given = json.load(sys.stdin)
hook = urlsplit(given["webhook"])
path, user, secret = hook.path.strip("/").rsplit("/", 2)
base = f"{hook.scheme}://{hook.netloc}/{path}"
# The client pins https, and knows nothing of a path before /rest.
_MethodCaller._base_url = property(lambda self: base)
client = Client(BitrixWebhook(domain=hook.netloc, webhook_token=f"{user}/{secret}"))

listed = [int(row["ID"]) for row in client.crm.deal.list(select=["ID"]).as_list().result]
fast = [int(row["ID"]) for row in client.crm.deal.list(select=["ID"]).as_list_fast().result]
got = client.crm.deal.get(bitrix_id=given["id"]).result["TITLE"]
created = client.crm.deal.add(fields={"TITLE": "Created", "OPPORTUNITY": 1500}).result
changed = client.crm.deal.update(bitrix_id=given["id"], fields={"TITLE": "Updated"}).result
print(json.dumps({"listed": listed, "listed_fast": fast, "got": got, "created": created, "changed": changed}))
