"""Events of the emulated Bitrix24: ids only, sent once, with tokens or without; the offline queue."""

from collections import Counter
from typing import Any
from urllib.parse import unquote

from crmkit_sandbox import Sandbox


def bind(rest: Any, receiver: Any, *events: str) -> None:
    rest.as_app()
    for event in events:
        assert rest.result("event.bind", event=event, handler=receiver.url) is True


def test_an_app_hears_an_id_and_a_token(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """The form has the vendor's keys in the vendor's order; the token in it works."""
    crm = portal.bitrix24
    bind(rest, receiver, "onCrmDealUpdate")
    deal = crm.add_deal(title="x")
    crm.update_deal(deal, title="y")
    assert portal.settle()
    (form,) = receiver.forms()
    token = form.pop("auth[access_token]")
    endpoint = f"{crm.base_url}/rest/"
    assert list(form.items()) == [
        ("event", "ONCRMDEALUPDATE"),
        ("event_handler_id", "1"),
        ("data[FIELDS][ID]", str(deal)),
        ("ts", "1760000000"),
        ("auth[expires_in]", "3600"),
        ("auth[scope]", "crm,task,tasks,user,telephony,department,placement,event"),
        ("auth[domain]", crm.base_url.split("/")[2]),
        ("auth[server_endpoint]", endpoint),
        ("auth[status]", "L"),
        ("auth[client_endpoint]", endpoint),
        ("auth[member_id]", crm.member_id),
        ("auth[application_token]", crm.application_token),
    ]
    rest.token = token
    assert rest.result("profile")["ID"] == "1"


def test_a_robot_brings_no_token(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """A change made by automation carries no access token, and no key about its life."""
    bind(rest, receiver, "ONCRMDEALUPDATE")
    deal = portal.bitrix24.add_deal(title="x")
    portal.bitrix24.move_deal(deal, "WON", robot=True)
    assert portal.settle()
    (form,) = receiver.forms()
    assert [key for key in form if key.startswith("auth[")] == [
        *("auth[scope]", "auth[domain]", "auth[server_endpoint]", "auth[status]", "auth[client_endpoint]"),
        *("auth[member_id]", "auth[application_token]"),
    ]


def test_an_outgoing_webhook_has_five_keys(portal: Sandbox, receiver: Any) -> None:
    """A webhook set up by a person carries no token but the application's; brackets are percent-encoded."""
    crm = portal.bitrix24
    token = crm.subscribe(receiver.url, ["ONCRMCONTACTADD"])
    contact = crm.add_contact(name="Ян")
    assert portal.settle()
    (form,) = receiver.forms()
    assert {key: form[key] for key in form if key.startswith(("auth", "data"))} == {
        "data[FIELDS][ID]": str(contact),
        "auth[domain]": crm.base_url.split("/")[2],
        "auth[client_endpoint]": f"{crm.base_url}/rest/",
        "auth[server_endpoint]": f"{crm.base_url}/rest/",
        "auth[member_id]": crm.member_id,
        "auth[application_token]": token,
    }
    assert "data%5BFIELDS%5D%5BID%5D=1&" in receiver.bodies[0]


def test_a_refused_event_is_lost(portal: Sandbox, receiver: Any) -> None:
    """There is one attempt whatever the answer is."""
    crm = portal.bitrix24
    crm.subscribe(receiver.url)
    receiver.status = 500
    crm.add_deal(title="x")
    assert portal.settle()
    portal.clock.advance(7 * 86_400)
    assert portal.settle()
    assert [(row["event"], row["status"], row["attempt"]) for row in crm.deliveries] == [("ONCRMDEALADD", 500, 1)]


def test_each_act_has_its_events(portal: Sandbox, receiver: Any) -> None:
    """Adding, changing, moving, linking to-dos, comments, tasks, calls, merging and deleting are told in order."""
    crm = portal.bitrix24
    contact, other = crm.add_contact(name="a", phones=["+79261112233"]), crm.add_contact(name="a")
    deal = crm.add_deal(title="x", contacts=[contact])
    names = ("ONCRMDEALMOVETOCATEGORY", "ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE", "ONVOXIMPLANTCALLEND")
    kinds = ("DEAL", "CONTACT", "ACTIVITY", "TIMELINECOMMENT")
    crm.subscribe(
        receiver.url, [*names, *(f"ONCRM{kind}{act}" for kind in kinds for act in ("ADD", "UPDATE", "DELETE"))]
    )
    crm.move_deal(deal, "C1:NEW", 1)
    todo = crm.add_todo("deal", deal)
    crm.complete_todo(todo)
    crm.add_comment("deal", deal, "x")
    task = crm.add_task("x", about=[f"D_{deal}"])
    crm.delete_task(task)
    crm.call("8 926 111-22-33", duration=0)
    crm.merge("contact", contact, [other])
    crm.delete_deal(deal)
    assert portal.settle()
    told = [(form["event"], {k: v for k, v in form.items() if k.startswith("data")}) for form in receiver.forms()]
    one, person = {"data[FIELDS][ID]": str(deal)}, {"data[FIELDS][ID]": str(contact)}
    moved = one | {"data[FIELDS][CATEGORY_ID]": "1", "data[FIELDS][STAGE_ID]": "C1:NEW"}
    assert [name for name, _ in told] == [
        *("ONCRMDEALMOVETOCATEGORY", "ONCRMDEALUPDATE"),
        *("ONCRMACTIVITYADD", "ONCRMDEALUPDATE", "ONCRMACTIVITYUPDATE", "ONCRMDEALUPDATE"),
        "ONCRMTIMELINECOMMENTADD",
        *("ONCRMACTIVITYADD", "ONCRMDEALUPDATE", "ONTASKADD", "ONTASKDELETE"),
        *("ONCRMACTIVITYADD", "ONCRMCONTACTUPDATE", "ONCRMDEALUPDATE", "ONVOXIMPLANTCALLEND"),
        *("ONCRMCONTACTDELETE", "ONCRMCONTACTUPDATE", "ONCRMDEALDELETE"),
    ]
    assert (told[0][1], told[1][1], told[-2][1], told[-1][1]) == (moved, one, person, one)
    call = next(data for name, data in told if name == "ONVOXIMPLANTCALLEND")
    assert {key: value for key, value in call.items() if "CALL_ID" not in key} == {
        "data[CALL_TYPE]": "2",
        "data[PHONE_NUMBER]": "8 926 111-22-33",
        "data[PORTAL_NUMBER]": "reg100001",
        "data[PORTAL_USER_ID]": "1",
        "data[CALL_DURATION]": "0",
        "data[CALL_START_DATE]": "2025-10-09T11:53:20+03:00",
        "data[COST]": "0",
        "data[COST_CURRENCY]": "",
        "data[CALL_FAILED_CODE]": "304",
        "data[CALL_FAILED_REASON]": "Call canceled",
        "data[CRM_ACTIVITY_ID]": "3",
    }


def test_tasks_speak_of_before_and_after(portal: Sandbox, receiver: Any) -> None:
    """Task events name the id before and after, `undefined` where there is none."""
    crm = portal.bitrix24
    crm.subscribe(receiver.url, ["ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE"])
    task = crm.add_task("x")
    crm.complete_task(task)
    crm.delete_task(task)
    assert portal.settle()
    sides = [(form.get("data[FIELDS_BEFORE]"), form.get("data[FIELDS_BEFORE][ID]")) for form in receiver.forms()]
    afters = [(form.get("data[FIELDS_AFTER]"), form.get("data[FIELDS_AFTER][ID]")) for form in receiver.forms()]
    assert (sides, afters) == (
        [("undefined", None), (None, "1"), (None, "1")],
        [(None, "1"), (None, "1"), ("undefined", None)],
    )


def test_events_are_lost_doubled_and_noisy_on_demand(portal: Sandbox, receiver: Any) -> None:
    """The next events can be dropped or repeated, updates multiplied, and an act can send nothing."""
    crm = portal.bitrix24
    crm.subscribe(receiver.url)
    crm.drop_next_hooks(1)
    crm.add_deal(title="lost")
    crm.add_deal(title="silent", hooks=False)
    crm.repeat_next_hook()
    deal = crm.add_deal(title="twice")
    crm.make_noise(2)
    crm.update_deal(deal, title="thrice")
    crm.deliver_hooks = False
    crm.delete_deal(deal)
    assert portal.settle()
    assert [form["event"] for form in receiver.forms()] == ["ONCRMDEALADD"] * 2 + ["ONCRMDEALUPDATE"] * 3


def test_the_app_is_installed_and_removed(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """The install event brings both tokens; the removal none, unbinds the app, spends its tokens, ends its own one."""
    crm = portal.bitrix24
    token = crm.application_token
    bind(rest, receiver, "ONCRMDEALADD")
    crm.install_app(receiver.url)
    crm.uninstall_app(receiver.url)
    crm.add_deal(title="x")
    assert portal.settle()
    installed, removed = receiver.forms()
    rest.token = installed["auth[access_token]"]
    assert rest.refusal("profile")[1] == "invalid_token"
    assert (installed["event"], "auth[refresh_token]" in installed, removed["event"]) == (
        "ONAPPINSTALL",
        True,
        "ONAPPUNINSTALL",
    )
    assert [key for key in removed if "access" in key or "refresh" in key] == []
    assert (removed["auth[application_token]"], crm.application_token == token) == (token, False)


def test_rarer_acts_have_their_events(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """Calls that begin, clicks to dial, requisites, user fields, users and app versions are told as well."""
    crm = portal.bitrix24
    company = crm.add_company(title="x", phones=["+79261112233"])
    names = ("ONVOXIMPLANTCALLINIT", "ONVOXIMPLANTCALLSTART", "ONVOXIMPLANTCALLEND", "ONEXTERNALCALLSTART", "ONUSERADD")
    more = ("ONCRMREQUISITEADD", "ONCRMREQUISITEUPDATE", "ONCRMDEALUSERFIELDUPDATE", "ONCRMDEALUSERFIELDSETENUMVALUES")
    crm.subscribe(receiver.url, [*names, *more])
    crm.call("+79261112233", owner=2)
    crm.dial("+79261112233", owner=2)
    crm.add_user("Ия", "Ким", "i.kim@vesna.example")
    requisite = crm.add_requisite("company", company, "Основные", "7701234567")
    rest.result("crm.requisite.update", id=requisite, fields={"RQ_KPP": "1"})
    field = next(row for row in rest.result("crm.deal.userfield.list") if row["FIELD_NAME"] == "UF_CRM_SERVICES")
    rest.result("crm.deal.userfield.update", id=field["ID"], fields={"LIST": [{"VALUE": "Замер"}]})
    crm.update_app(receiver.url)
    assert portal.settle()
    forms = receiver.forms()
    assert [form["event"] for form in forms] == [*names, *more, "ONAPPUPDATE"]
    assert {key: value for key, value in forms[3].items() if key.startswith("data") and "CALL_ID" not in key} == {
        "data[PHONE_NUMBER]": "+79261112233",
        "data[PHONE_NUMBER_INTERNATIONAL]": "+79261112233",
        "data[EXTENSION]": "",
        "data[USER_ID]": "2",
        "data[CALL_LIST_ID]": "0",
        "data[LINE_NUMBER]": "",
        "data[IS_MOBILE]": "0",
        "data[CRM_ENTITY_TYPE]": "COMPANY",
        "data[CRM_ENTITY_ID]": str(company),
    }
    assert {key: value for key, value in forms[-2].items() if key.startswith("data")} == {
        "data[FIELDS][ID]": field["ID"],
        "data[FIELDS][ENTITY_ID]": "CRM_DEAL",
        "data[FIELDS][FIELD_NAME]": "UF_CRM_SERVICES",
    }


def test_all_events_of_a_doubled_call_are_doubled(portal: Sandbox, receiver: Any) -> None:
    """A call has an activity, a beginning and an end; the act behind it is sent once again."""
    crm = portal.bitrix24
    person = crm.add_contact(name="Ян", phones=["+79031112233"])
    crm.subscribe(receiver.url, ["ONCRMACTIVITYADD", "ONVOXIMPLANTCALLINIT", "ONVOXIMPLANTCALLEND", "ONCRMCONTACTADD"])
    crm.repeat_next_hook(2)
    crm.call("+79031112233", duration=0)
    crm.add_contact(name="Яна")
    assert portal.settle()
    names = [form["event"] for form in receiver.forms()]
    assert (person, Counter(names)) == (
        1,
        {"ONCRMACTIVITYADD": 3, "ONVOXIMPLANTCALLINIT": 3, "ONVOXIMPLANTCALLEND": 3, "ONCRMCONTACTADD": 1},
    )


def test_handlers_are_bound_once_and_unbound(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """Binding twice or an unknown event is refused; unbinding counts; outgoing webhooks are not the app's."""
    bind(rest, receiver, "ONCRMDEALADD")
    portal.bitrix24.subscribe(receiver.url, ["ONCRMDEALADD"])
    row = {"event": "ONCRMDEALADD", "handler": receiver.url, "auth_type": "0", "offline": 0}
    assert rest.result("event.get") == [row]
    status, _, text = rest.refusal("event.bind", event="ONCRMDEALADD", handler=receiver.url)
    assert (status, "already" in text) == (400, True)
    assert rest.refusal("event.bind", event="ONNOTHING", handler="x")[:2] == (400, "ERROR_EVENT_NOT_FOUND")
    assert rest.result("event.unbind", event="oncrmdealadd", handler=receiver.url) == {"count": 1}
    assert (rest.result("event.unbind", event="ONCRMDEALADD"), rest.result("event.get")) == ({"count": 0}, [])
    rest.as_app(portal.bitrix24.users[1]["id"])
    denied = rest.refusal("event.bind", event="ONCRMDEALADD", event_type="offline")
    assert denied[:2] == (403, "ACCESS_DENIED")


def test_the_offline_queue_keeps_one_row_per_object(portal: Sandbox, rest: Any, receiver: Any) -> None:
    """A reserved row comes again under its process, is confirmed by it, or set aside as an error."""
    crm = portal.bitrix24
    rest.as_app()
    for event in ("ONCRMDEALADD", "ONCRMDEALUPDATE"):
        rest.result("event.bind", event=event, event_type="offline")
    rest.result("event.bind", event="ONOFFLINEEVENT", handler=receiver.url)
    one, two = crm.add_deal(title="x"), crm.add_deal(title="y")
    crm.update_deal(one, title="z")
    crm.update_deal(one, title="zz")
    got = rest.result("event.offline.get", clear=0)
    assert [(row["EVENT_NAME"], row["EVENT_DATA"]) for row in got["events"]] == [
        ("ONCRMDEALADD", {"FIELDS": {"ID": one}}),
        ("ONCRMDEALADD", {"FIELDS": {"ID": two}}),
        ("ONCRMDEALUPDATE", {"FIELDS": {"ID": one}}),
    ]
    assert rest.result("event.offline.get", clear=0)["events"] == []
    process = got["process_id"]
    assert rest.result("event.offline.get", clear=0, process_id=process)["events"] == got["events"]
    crm.update_deal(one, title="while reserved")
    messages = [row["MESSAGE_ID"] for row in got["events"]]
    rest.result("event.offline.error", process_id=process, message_id=messages[:1])
    rest.result("event.offline.clear", process_id=process)
    failed = rest.result("event.offline.get", clear=0, error=1)["events"]
    assert [row["MESSAGE_ID"] for row in failed] == messages[:1]
    left = rest.result("event.offline.get")
    assert (left["process_id"], [row["EVENT_NAME"] for row in left["events"]]) == (None, ["ONCRMDEALUPDATE"])
    assert [row["EVENT_NAME"] for row in rest.result("event.offline.list")] == ["ONCRMDEALADD"]
    assert portal.settle()
    assert {unquote(body).split("&")[0] for body in receiver.bodies} == {"event=ONOFFLINEEVENT"}


def test_the_offline_queue_is_read_by_filter_and_in_order(portal: Sandbox, rest: Any) -> None:
    """By id, name and process; the oldest change first unless asked otherwise; reading the list reserves nothing."""
    crm = portal.bitrix24
    rest.as_app()
    for event in ("ONCRMDEALADD", "ONCRMDEALDELETE"):
        rest.result("event.bind", event=event, event_type="offline")
    one, two = crm.add_deal(title="x"), crm.add_deal(title="y")
    portal.clock.advance(5)
    crm.delete_deal(two, hooks=False)
    names = [(row["EVENT_NAME"], row["EVENT_DATA"]["FIELDS"]["ID"]) for row in rest.result("event.offline.list")]
    down = rest.result("event.offline.list", order={"ID": "DESC"})
    later = rest.result("event.offline.list", filter={">ID": "1", "EVENT_NAME": "ONCRMDEALADD"})
    process = rest.result("event.offline.get", clear=0, limit=1, filter={"=EVENT_NAME": "ONCRMDEALDELETE"})[
        "process_id"
    ]
    reserved = rest.result("event.offline.list", filter={"!PROCESS_ID": ""})
    assert names == [("ONCRMDEALADD", one), ("ONCRMDEALADD", two), ("ONCRMDEALDELETE", two)]
    assert [row["ID"] for row in down] == ["3", "2", "1"]
    assert [row["ID"] for row in later] == ["2"]
    assert [(row["ID"], row["PROCESS_ID"]) for row in reserved] == [("3", process)]


def test_a_lesser_plan_takes_offline_events_without_confirming(portal: Sandbox, rest: Any) -> None:
    """The feature says so; a reservation is refused, taking for good is not."""
    crm = portal.bitrix24
    rest.as_app()
    rest.result("event.bind", event="ONCRMDEALADD", event_type="offline")
    before = rest.result("feature.get", CODE="rest_offline_extended")
    crm.confirms_offline = False
    deal = crm.add_deal(title="x")
    assert (before, rest.result("feature.get", CODE="rest_offline_extended")) == ({"value": "Y"}, {"value": "N"})
    assert rest.refusal("event.offline.get", clear=0)[:2] == (403, "ACCESS_DENIED")
    taken = rest.result("event.offline.get")
    assert (taken["process_id"], taken["events"][0]["EVENT_DATA"]) == (None, {"FIELDS": {"ID": deal}})
    assert crm.offline_events == []
