"""The page of an emulated CRM as a person's browser asks for it."""

from typing import Any

import requests

from crmkit_sandbox.vendor import Vendor

SCRIPT = "<script>alert(1)</script>"


def page(crm: Vendor, path: str = "/") -> requests.Response:
    """What stands at an address of the page."""
    return requests.get(f"{crm.base_url}{path}", timeout=5)


def act(crm: Vendor, name: str, /, origin: str | None = None, **form: Any) -> requests.Response:
    """What a form leads to, sent from a page at `origin`."""
    headers = {"Origin": origin} if origin else {}
    return requests.post(f"{crm.base_url}/do/{name}", data=form, headers=headers, timeout=5)


def assert_escaped(crm: Vendor, *paths: str) -> None:
    """Nothing that was typed is markup at these addresses, and scripts come from the page's own address alone."""
    for path in ("/", *paths):
        shown = page(crm, path)
        assert (path, shown.status_code, "<script>alert" in shown.text, "<b>" in shown.text) == (
            path,
            200,
            False,
            False,
        )
        assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(crm).text
