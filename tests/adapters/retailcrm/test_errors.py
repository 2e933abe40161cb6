"""retailCRM's refusals, each as the error it stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crmkit.errors import AuthError, CrmKitError, NotFound, RateLimited, Rejected, Unsupported, VendorDown
from crmkit.http import Reply, Request
from crmkit_retailcrm.errors.answers import judge_for
from crmkit_retailcrm.errors.refusals import Merged

READ = Request("GET", "/api/v5/customers", is_safe=True)
WRITE = Request("POST", "/api/v5/orders/create")


def said(status: int, body: Any, request: Request = READ, headers: dict[str, str] | None = None) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge_for("okna")(request, Reply(status, headers or {}, content))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"success": False, "errorMsg": "Something went wrong"}, Rejected),
        (400, {"success": False, "errorMsg": "Parameter 'site' is missing"}, Rejected),
        (403, {"success": False, "errorMsg": 'Wrong "apiKey" value.'}, AuthError),
        (403, {"success": False, "errorMsg": "Access denied."}, Rejected),
        (403, b"", AuthError),
        (404, {"success": False, "errorMsg": "Not found"}, NotFound),
        (404, {"success": False, "errorMsg": "API method not found"}, Unsupported),
        (405, {"success": False, "errorMsg": "Method Not Allowed"}, Unsupported),
        (404, b"<html>no such account</html>", VendorDown),
        (405, b"<html>no such account</html>", VendorDown),
        (404, b"", NotFound),
        (429, {"success": False}, RateLimited),
        (503, b"<html>busy</html>", RateLimited),
        (500, {"success": False}, VendorDown),
        (502, b"<html>", VendorDown),
        (200, b"<html>", VendorDown),
        (200, b'{"success":true,"customers":[{"id', VendorDown),
        (200, b"", VendorDown),
        (200, b"[1]", VendorDown),
    ],
)
def test_a_refusal_is_its_error(status: int, body: Any, kind: type[CrmKitError]) -> None:
    """Status and text decide the class; every error names account, vendor and status, and says what to do."""
    error = said(status, body)
    assert type(error) is kind
    assert (error.account, error.vendor, error.status) == ("okna", "retailcrm", status)
    assert error.remedy


def test_a_good_answer_is_no_error() -> None:
    """Success with 200 and 201, a partial upload, and the bytes of a file."""
    assert said(200, {"success": True}) is None
    assert said(201, {"success": True, "id": 5}, WRITE) is None
    assert said(460, {"success": False}, Request("POST", "/api/v5/orders/upload")) is None
    assert said(200, b"\x00\x01", READ, {"content-type": "application/octet-stream"}) is None


def test_fields_are_named_however_the_vendor_lists_them() -> None:
    """An object by field, or a list of sentences of which some name a field."""
    named = said(400, {"errorMsg": "Task is not loaded", "errors": {"performerId": "This value should not be blank."}})
    listed = said(400, {"errorMsg": "Validation error", "errors": ["Order.email: wrong value", "No items at all"]})
    empty = said(400, {"errorMsg": "Validation error", "errors": []})
    assert named.fields == {"performerId": "This value should not be blank."}
    assert listed.fields == {"Order.email": "wrong value", "1": "No items at all"}
    assert empty.fields == {}


def test_a_merged_record_names_who_took_it_in() -> None:
    """404 with combinedTo is a NotFound that knows the survivor."""
    merged = said(404, {"errorMsg": "Not found", "combinedTo": {"id": 4771, "site": "main"}})
    assert type(merged) is Merged
    assert merged.survivor == "4771"


def test_a_missing_right_is_named() -> None:
    """The remedy names the right that the key lacks; the account is not paused for it."""
    denied = said(403, {"errorMsg": "Access denied."}, Request("POST", "/api/v5/tasks/create"))
    assert "task_write" in str(denied)
    assert (denied.code, denied.pauses_account) == ("access_denied", False)


def test_a_lost_write_may_have_been_done() -> None:
    """A read never; a write that is not repeatable always."""
    assert said(502, b"", READ).maybe_applied is False
    assert said(502, b"", WRITE).maybe_applied is True


def test_the_vendors_pause_is_read() -> None:
    """Retry-After is honoured where it comes, and nonsense is none."""
    assert said(503, b"", READ, {"retry-after": "2"}).retry_after_s == 2
    assert said(503, b"", READ, {"retry-after": "soon"}).retry_after_s is None
