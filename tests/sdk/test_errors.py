"""Errors: one tree, plain values, the whole message, and the same again after a journey between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from crmkit import errors
from crmkit.errors import (
    AccountBlocked,
    Ambiguous,
    AuthError,
    BadPayload,
    ConfigError,
    Conflict,
    CrmKitError,
    NotFound,
    RateLimited,
    Rejected,
    Unsupported,
    VendorDown,
    WebhookRejected,
)

TREE = [
    (ConfigError, False, False),
    (AuthError, False, True),
    (AccountBlocked, False, True),
    (NotFound, False, False),
    (Ambiguous, False, False),
    (Rejected, False, False),
    (Conflict, False, False),
    (RateLimited, True, True),
    (VendorDown, True, True),
    (BadPayload, False, False),
    (Unsupported, False, False),
    (WebhookRejected, False, False),
]

PLAIN: dict[str, Any] = {"account": "acme", "vendor": "amocrm", "remedy": "Look it up by phone."}
FULL: dict[str, Any] = {
    **PLAIN,
    "ref": "acme/deal:42",
    "status": 422,
    "code": "NotSupportedChoice",
    "request_id": "r-1",
}

SAMPLES: list[CrmKitError] = [
    *(kind("It did not work", **FULL) for kind, _, _ in TREE if kind is not Ambiguous),
    Ambiguous("2 contacts match", matches=("acme/contact:1", "acme/contact:2"), **PLAIN),
    Rejected("refused", fields={"price": "is negative"}, **FULL),
    RateLimited("too many", retry_after_s=1.5, **FULL),
    VendorDown("the answer was lost", maybe_applied=True, **FULL),
]


def test_the_tree_is_complete_and_flat() -> None:
    """Every error of the room is a CrmKitError of which it is known whether to retry and whom it concerns."""
    found = {
        kind: (kind.retryable, kind.pauses_account)
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, CrmKitError) and kind is not CrmKitError
    }
    assert found == {kind: (retryable, pauses) for kind, retryable, pauses in TREE}


def test_a_payload_that_cannot_be_read_is_a_value_error_too() -> None:
    """Who parses bytes without knowing crmkit catches ValueError."""
    with pytest.raises(ValueError, match="not a form"):
        raise BadPayload("not a form")


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("journey", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_an_error_survives_the_way_to_another_process(
    error: CrmKitError, journey: Callable[[CrmKitError], CrmKitError]
) -> None:
    """Class, message, every value and the arguments of Exception are what they were."""
    back = journey(error)
    assert (type(back), str(back), back.args, vars(back)) == (type(error), str(error), error.args, vars(error))


def test_notes_travel_with_the_error() -> None:
    """What a caller added with `add_note` is there on the other side."""
    error = NotFound("gone")
    error.add_note("while closing the task")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while closing the task"]


def test_a_message_says_what_with_whom_and_what_to_do() -> None:
    """The text has the sentence, the account, the record, the vendor's answer and the remedy, in this order."""
    assert str(Rejected("The task was refused", **FULL)) == (
        "The task was refused [account acme, acme/deal:42, amocrm answered 422, code NotSupportedChoice, request r-1]. "
        "Look it up by phone."
    )


def test_a_message_has_no_empty_places() -> None:
    """What is not known is not mentioned."""
    assert [
        str(CrmKitError("It did not work")),
        str(CrmKitError("It did not work", remedy="Try later.")),
        str(CrmKitError("It did not work", vendor="amocrm")),
        str(CrmKitError("It did not work", account="acme", status=500)),
    ] == [
        "It did not work",
        "It did not work. Try later.",
        "It did not work [amocrm]",
        "It did not work [account acme]",
    ]


def test_an_error_holds_plain_values_only() -> None:
    """Nothing live hangs on an error: no response, no settings, no token could come out by a dump of it."""
    plain = (str, int, float, bool, type(None))
    for error in SAMPLES:
        for value in vars(error).values():
            parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
            assert all(isinstance(part, plain) for part in parts), error


def test_the_fields_of_a_refusal_are_a_copy() -> None:
    """Changing the mapping that was given does not change the error."""
    given = {"price": "is negative"}
    error = Rejected("refused", fields=given)
    given.clear()
    assert error.fields == {"price": "is negative"}
