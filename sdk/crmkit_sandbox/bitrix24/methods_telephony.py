"""Methods of telephony: calls of an outside telephony and the statistics of calls."""

from urllib.parse import urlencode

from crmkit_sandbox.wire import Row

from .calls import CALLBACK, IN, IN_REDIRECTED, INFO, OUT, attach_record, finish_call, owner_of, register_call
from .kinds import KINDS, Kind
from .listing import list_table, read_filter
from .methods import Answer, Call, Registry
from .problems import Problem, missing
from .values import number_of, parse_moment

TEXTS = (
    *("PORTAL_NUMBER", "PHONE_NUMBER", "CALL_ID", "EXTERNAL_CALL_ID", "CALL_CATEGORY", "CALL_TYPE", "CALL_FAILED_CODE"),
    *("CRM_ENTITY_TYPE", "SESSION_ID"),
)
TYPES = {
    "ID": "integer",
    "PORTAL_USER_ID": "integer",
    "CALL_DURATION": "integer",
    "CALL_START_DATE": "datetime",
    "CRM_ENTITY_ID": "integer",
    "CRM_ACTIVITY_ID": "integer",
    "COST": "double",
} | dict.fromkeys(TEXTS, "string")
FILE_FIELD = "file"
PRIVATE = ("id", "updated_at", "is_deleted", "registered_at", "is_finished", "created")
NOT_FOUND = "Call is not found (call should be registered prior to finishing)"


def register(registry: Registry) -> None:
    """Declare the methods."""
    for name, body in (
        ("register", _register),
        ("finish", _finish),
        ("attachRecord", _attach),
        ("show", _show),
        ("hide", _show),
        ("searchCrmEntities", _search),
    ):
        registry.add(f"telephony.externalCall.{name}", body, scope="telephony", is_app_only=True)
    registry.add("upload", _upload, scope="telephony", is_app_only=True)
    registry.add("voximplant.statistic.get", _statistic, scope="telephony")


def _user(call: Call) -> str:
    shelf = call.portal.shelves["users"]
    user_id, inner = number_of(call.get("USER_ID")), str(call.get("USER_PHONE_INNER") or "")
    if inner and not user_id:
        user_id = next((user["id"] for user in shelf.values() if user["UF_PHONE_INNER"] == inner), -1)
    if not user_id:
        raise Problem(400, "ERROR_CORE", "USER_ID or USER_PHONE_INNER should be set")
    if user_id not in shelf or not shelf[user_id]["ACTIVE"]:
        raise Problem(400, "ERROR_CORE", "User is not found or is not active")
    return str(user_id)


def _register(call: Call) -> Row:
    phone, type_ = str(call.need("PHONE_NUMBER")), str(call.need("TYPE"))
    if type_ not in (OUT, IN, IN_REDIRECTED, CALLBACK, INFO):
        raise Problem(400, "ERROR_CORE", "Unknown TYPE")
    given = {
        "PHONE_NUMBER": phone,
        "CALL_TYPE": type_,
        "PORTAL_USER_ID": _user(call),
        "PORTAL_NUMBER": str(call.get("LINE_NUMBER") or "REST_APP:"),
        "EXTERNAL_CALL_ID": call.get("EXTERNAL_CALL_ID"),
    }
    moment = parse_moment(str(call.get("CALL_START_DATE"))) if call.get("CALL_START_DATE") else None
    if moment is not None:
        given["CALL_START_DATE"] = moment.replace(microsecond=0).isoformat()
    owner = _named_owner(call) or owner_of(call.portal, phone)
    creates = str(call.get("CRM_CREATE") or "0") in ("1", "Y", "True", "true")
    row = register_call(call.portal, call.events, given, owner, creates=creates)
    lead = next((one["ENTITY_ID"] for one in row["created"] if one["ENTITY_TYPE"] == "LEAD"), None)
    return {
        "CALL_ID": row["CALL_ID"],
        "CRM_CREATED_LEAD": lead,
        "CRM_CREATED_ENTITIES": row["created"],
        "CRM_ENTITY_TYPE": row["CRM_ENTITY_TYPE"],
        "CRM_ENTITY_ID": number_of(row["CRM_ENTITY_ID"]) or None,
    }


def _named_owner(call: Call) -> tuple[Kind, int] | None:
    kind = KINDS.get(str(call.get("CRM_ENTITY_TYPE") or "").lower())
    row_id = number_of(call.get("CRM_ENTITY_ID"))
    if kind is None or call.portal.table(kind).live(row_id) is None:
        return None
    return kind, row_id


def _known(call: Call) -> Row:
    return _by_id(call, str(call.need("CALL_ID")))


def _by_id(call: Call, call_id: str) -> Row:
    row = next((one for one in call.portal.tables["calls"].rows() if one["CALL_ID"] == call_id), None)
    if row is None:
        raise Problem(400, "ERROR_CORE", NOT_FOUND)
    return row


def _finish(call: Call) -> Row:
    row, user_id = _known(call), _user(call)
    seconds = number_of(call.get("DURATION"))
    given = {
        "PORTAL_USER_ID": user_id,
        "CALL_DURATION": str(seconds),
        "CALL_FAILED_CODE": str(call.get("STATUS_CODE") or ("200" if seconds else "304")),
        "CALL_FAILED_REASON": str(call.get("FAILED_REASON") or ""),
    }
    if call.get("RECORD_URL"):
        given["CALL_RECORD_URL"] = str(call.get("RECORD_URL"))
    after = finish_call(call.portal, call.events, row, given)
    return {
        "CALL_ID": after["CALL_ID"],
        "EXTERNAL_CALL_ID": after["EXTERNAL_CALL_ID"],
        "PORTAL_USER_ID": int(user_id),
        "PHONE_NUMBER": after["PHONE_NUMBER"],
        "PORTAL_NUMBER": after["PORTAL_NUMBER"],
        "INCOMING": after["CALL_TYPE"],
        "CALL_DURATION": seconds,
        "CALL_START_DATE": {},
        "CALL_STATUS": 1 if after["CALL_FAILED_CODE"] == "200" else 0,
        "CALL_VOTE": None,
        "COST": 0,
        "COST_CURRENCY": "",
        "CALL_FAILED_CODE": after["CALL_FAILED_CODE"],
        "CALL_FAILED_REASON": after["CALL_FAILED_REASON"],
        "REST_APP_ID": after["REST_APP_ID"],
        "REST_APP_NAME": after["REST_APP_NAME"],
        "CRM_ACTIVITY_ID": number_of(after["CRM_ACTIVITY_ID"]) or None,
        "COMMENT": None,
        "CRM_ENTITY_TYPE": after["CRM_ENTITY_TYPE"],
        "CRM_ENTITY_ID": number_of(after["CRM_ENTITY_ID"]) or None,
        "ID": after["id"],
    }


def _attach(call: Call) -> Row:
    row = _known(call)
    name, content, url = (call.get(key) for key in ("FILENAME", "FILE_CONTENT", "RECORD_URL"))
    if name is None and url is None:
        raise missing("FILENAME")
    if name is not None and not str(name).lower().endswith((".mp3", ".wav")):
        raise Problem(400, "ERROR_CORE", "Wrong file extension")
    if content is None and url is None:
        query = urlencode(
            {"auth": call.oauth.issue_access(call.caller.user_id), "token": f"telephony|{row['CALL_ID']}"}
        )
        return {"uploadUrl": f"{call.oauth.base_url}/rest/upload.json?{query}", "fieldName": FILE_FIELD}
    return {"FILE_ID": attach_record(call.portal, row, str(url) if url else None)}


def _upload(call: Call) -> Row:
    purpose, _, call_id = str(call.need("token")).partition("|")
    if purpose != "telephony" or not call.files.get(FILE_FIELD):
        raise Problem(400, "ERROR_CORE", "The file or its token is wrong")
    return {"FILE_ID": attach_record(call.portal, _by_id(call, call_id), None)}


def _show(call: Call) -> bool:
    _known(call)
    return True


def _search(call: Call) -> list[Row]:
    phone = str(call.need("PHONE_NUMBER"))
    found = []
    for kind in (KINDS["contact"], KINDS["company"], KINDS["lead"]):
        for row_id in call.portal.search[kind.key].by_phone(phone):
            row = call.portal.table(kind).live(row_id) or {}
            name = f"{row.get('NAME') or ''} {row.get('LAST_NAME') or ''}".strip() or row.get("TITLE")
            owner = call.portal.shelves["users"].get(number_of(row.get("ASSIGNED_BY_ID")), {})
            shown: Row = {"CRM_ENTITY_TYPE": kind.event, "CRM_ENTITY_ID": row_id, "NAME": name}
            shown["ASSIGNED_BY_ID"] = number_of(row.get("ASSIGNED_BY_ID"))
            shown["ASSIGNED_BY"] = {
                "ID": row.get("ASSIGNED_BY_ID"),
                "TIMEMAN_STATUS": "OPENED",
                "USER_PHONE_INNER": owner.get("UF_PHONE_INNER") or None,
                "WORK_PHONE": owner.get("WORK_PHONE") or None,
                "PERSONAL_PHONE": None,
                "PERSONAL_MOBILE": owner.get("PERSONAL_MOBILE") or None,
            }
            found.append(shown)
    return found


def _statistic(call: Call) -> Answer:
    asked = call.get("FILTER")
    filter_ = asked if isinstance(asked, dict) else {}
    call.ignored += [key for key in filter_ if key.lstrip("!=<>@%") not in TYPES]
    page = list_table(
        call.portal.tables["calls"],
        read_filter(filter_, TYPES),
        TYPES,
        order={str(call.get("SORT") or "ID"): str(call.get("ORDER") or "ASC")},
        start=call.get("start", 0),
        more=lambda row: bool(row["is_finished"]),
        key="finished",
    )
    rows = [{name: value for name, value in row.items() if name not in PRIVATE} for row in page.rows]
    return Answer(rows, 0 if page.total is None else page.total, page.next)
