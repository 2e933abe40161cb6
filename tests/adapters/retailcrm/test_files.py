"""Files of retailCRM: bytes first, then name and cards; nothing of it happens twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
import responses
from pydantic import SecretStr

from crmkit import Contact, Crm, Deal, File, Kind, NotFound, Ref, Rejected, Unsupported, VendorDown
from crmkit.adapter import Doors
from crmkit.clock import SystemClock
from crmkit.http import RateLimit, Urgency
from crmkit.tokens import StaticTokens
from crmkit.write import Verb, Write
from crmkit_retailcrm import RetailCrmAdapter, RetailCrmSettings
from crmkit_retailcrm.adapter import RetailCrmConnection
from crmkit_sandbox import Sandbox

HOST = "https://okna.retailcrm.ru"
API = f"{HOST}/api/v5"


class Free:
    """A limiter that holds nobody back."""

    def wait(self, limits: Sequence[RateLimit], urgency: Urgency) -> None:
        """Go on."""

    def push(self, limit: RateLimit, seconds: float) -> None:
        """Forget it."""


class Hurry(SystemClock):
    """The time, with nobody waiting for it."""

    def wait(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Go on."""


def opened(base_url: str, api_key: str = "k3y") -> RetailCrmConnection:
    own = RetailCrmSettings(key="okna", vendor="retailcrm", base_url=base_url, api_key=SecretStr(api_key), site="main")
    return RetailCrmAdapter().open(own, Doors(tokens=StaticTokens(""), limiter=Free(), clock=Hurry()))


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        found.get(f"{API}/settings", json={"success": True, "settings": {"timezone": {"value": "Europe/Moscow"}}})
        yield found


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(("retailcrm",)) as found:
        found.retailcrm.limits.enabled = False
        yield found


def at(sandbox: Sandbox) -> RetailCrmConnection:
    return opened(sandbox.retailcrm.base_url, sandbox.retailcrm.api_key)


def test_bytes_go_as_they_are_and_are_named_then(mock: responses.RequestsMock) -> None:
    """The body of the first request is the file and nothing else; the second names it and its cards, by our key."""
    mock.post(f"{API}/files/upload", json={"success": True, "file": {"id": 7}})
    mock.post(f"{API}/files/7/edit", json={"success": True, "file": {"id": 7}})
    cards = (Ref("okna", Kind.DEAL, "5"), Ref("okna", Kind.CONTACT, "6"))
    made = Crm(opened(HOST)).files.create(File(name="Смета.pdf", content=b"\x00\xff%PDF", cards=cards))
    upload, edit = (call.request for call in mock.calls if call.request.method == "POST")
    assert made == Ref("okna", Kind.FILE, "7")
    assert upload.body == b"\x00\xff%PDF"
    assert (upload.headers["Content-Type"], upload.headers["X-API-KEY"]) == ("application/octet-stream", "k3y")
    assert json.loads(dict(parse_qsl(str(edit.body)))["file"]) == {
        "filename": "Смета.pdf",
        "attachment": [{"order": {"id": 5}}, {"customer": {"id": 6}}],
    }


def test_a_file_that_may_not_be_named_is_taken_away(mock: responses.RequestsMock) -> None:
    """What nobody could find again is not left behind, and the refusal is told."""
    mock.post(f"{API}/files/upload", json={"success": True, "file": {"id": 7}})
    mock.post(f"{API}/files/7/edit", json={"success": False, "errorMsg": "Errors in the entity format"}, status=400)
    mock.post(f"{API}/files/7/delete", json={"success": True})
    with pytest.raises(Rejected, match="Errors in the entity format"):
        Crm(opened(HOST)).files.create(File(name="a.txt", content=b"1"))
    assert [call.request.path_url for call in mock.calls][-1] == "/api/v5/files/7/delete"


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (File(name="a.txt"), "content"),
        (File(name="a.txt", content=b""), "content"),
        (File(content=b"1"), "name"),
        (File(name="a.txt", content=b"1", cards=(Ref("okna", Kind.TASK, "1"),)), "cards"),
    ],
)
def test_a_draft_that_is_no_file_never_leaves(mock: responses.RequestsMock, draft: File, field: str) -> None:
    """It is refused by its field before anything is sent."""
    with pytest.raises(Rejected) as refused:
        Crm(opened(HOST)).files.create(draft)
    assert set(refused.value.fields) == {field}
    assert [call.request.method for call in mock.calls] == ["GET"]


def test_files_that_look_like_answers_are_files(sandbox: Sandbox) -> None:
    """A page of HTML and an answer of the API itself come back as the bytes they were."""
    crm = Crm(at(sandbox))
    contents = [b"<html>404</html>", b'{"success":false,"errorMsg":"no"}', b"  ", b"\x1f\x8b\x08"]
    refs = [crm.files.create(File(name="a", content=content)) for content in contents]
    assert [crm.files.download(ref) for ref in refs] == contents


def test_a_page_in_place_of_a_file_is_no_file() -> None:
    """A proxy's page has no file's name: it is not handed out as the content."""
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/files/7/download", body="<html>login</html>", content_type="text/html; charset=utf-8")
        with pytest.raises(VendorDown, match="page for people"):
            opened(HOST).download(Ref("okna", Kind.FILE, "7"))


@pytest.mark.parametrize("ref", [Ref("okna", Kind.FILE, "../users"), Ref("okna", Kind.DEAL, "7")])
def test_an_address_that_no_file_has_is_not_found(ref: Ref) -> None:
    """Nothing is asked: an id that is no number never reaches a path."""
    with responses.RequestsMock(), pytest.raises(NotFound):
        opened(HOST).download(ref)


def test_bytes_whose_answer_was_lost_become_the_file(sandbox: Sandbox) -> None:
    """The nameless upload is found by its bytes and named, once; an equal file of somebody else is not taken for it."""
    connection = at(sandbox)
    crm = Crm(connection)
    deal = crm.deals.create(Deal(title="Окна"))
    write = Write(Verb.CREATE, Kind.FILE, record=File(name="a.txt", content=b"abc", cards=(deal,)), marker="m")
    twin = connection.write(write)
    since = datetime.fromtimestamp(sandbox.clock.now(), UTC) - timedelta(seconds=2)
    sandbox.faults.add(vendor="retailcrm", method="POST", times=1, body="applied_then_reset")
    with pytest.raises(VendorDown) as lost:
        connection.write(write)
    assert lost.value.maybe_applied
    assert twin is not None
    found = connection.recover(write, since=since, known={twin})
    assert found is not None
    named = crm.files.get(found)
    assert (named.name, named.cards, crm.files.download(found)) == ("a.txt", (deal,), b"abc")
    assert connection.recover(write, since=since, known={twin, found}) is None


def test_a_walk_is_whole_while_files_go(sandbox: Sandbox) -> None:
    """Files that are deleted during a walk hide no other: the list is read until nothing new comes."""
    crm = Crm(at(sandbox))
    refs = [crm.files.create(File(name=f"{number}.txt", content=b"1")) for number in range(130)]
    walked = []
    for file in crm.files.iterate():
        walked.append(file.ref)
        if len(walked) == 1:
            for gone in refs[-20:]:
                crm.files.delete(gone)
    assert set(refs[:-20]) <= set(walked)
    assert len(walked) == len(set(walked))


def test_files_of_others_are_left_out(mock: responses.RequestsMock) -> None:
    """What the CRM gives is looked at again; a file on nobody's card is no answer, and companies have no files."""
    files = [{"id": 1, "filename": "a", "attachment": [{"order": {"id": 5}}]}, {"id": 2, "attachment": []}]
    mock.get(f"{API}/files", json={"success": True, "files": files, "pagination": {"totalPageCount": 1}})
    crm = Crm(opened(HOST))
    found = crm.files.find(about=Ref("okna", Kind.DEAL, "5"))
    assert [(file.ref.id, file.name, file.size) for file in found] == [("1", "a", None)]
    assert "filter%5BorderIds%5D%5B%5D=5" in str(mock.calls[0].request.url)
    with pytest.raises(Unsupported, match="company"):
        crm.files.find(about=Ref("okna", Kind.COMPANY, "5"))


def test_a_file_on_a_person_and_an_order_is_found_from_both(sandbox: Sandbox) -> None:
    """And so is one that people attached."""
    crm = Crm(at(sandbox))
    person, deal = crm.contacts.create(Contact(name="Иван")), crm.deals.create(Deal(title="Окна"))
    ref = crm.files.create(File(name="a.txt", content=b"1", cards=(person, deal)))
    assert [[file.ref for file in crm.files.find(about=card)] for card in (person, deal)] == [[ref], [ref]]
