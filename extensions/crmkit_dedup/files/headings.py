"""What a column holds, told from its heading in Russian or English, as CRMs and people name it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Kind = Literal["contacts", "companies", "deals"]

NOTHING = ""
"""A heading that is understood and holds nothing to compare: who made the record, a comment."""

# Words of amoCRM's, Bitrix24's and retailCRM's own exports, and of people. The first pattern found decides, so what
# must not be taken for something else stands first.
_REFUSED = (
    r"ответственн|менеджер|кем (создан|измен)|(created|modified|updated) by|owner|responsible|assigned|manager|автор",
    r"измен|редактир|обновл|edited|modified|updated|last (activity|contact|touch|order|seen)|активност|последн",
    r"комментар|примечан|описани|\bcomment|\bnotes?\b|заметк|descri|согласи|consent|подпис|subscri|\bopt\b",
    r"кто привел|рекоменд|источник|source|\butm|канал|реклам|referr|метк|\bтеги?\b|\btags?\b|roistat|cookie|ym uid",
    r"факс|\bfax|паспорт|passport|банк|\bbank|счет$|бик$|\bbik$|окпо|окато|оквэд|swift|iban|\bр с$|\bк с$",
    r"тип (телефона|контакта|клиента|компании|почты|адреса)|(phone|mail|contact|client|customer|address|company) type",
    r"(phone|mail) \d+ (label|type)|валид|verified|количеств|\bcount|сумма заказов|средний|скидк",
    r"часовой|time ?zone|язык|language|валют|currency|\bфото|\bphoto|аватар|avatar|парол|password",
    r"возраст|^age$|знак зодиака|стран[аы]|индекс|\bzip\b|postal|post code|должност|position|job title",
)

_PHONES = (
    r"телефон|\bтел\b|phone|mobile|моб(ильн|$| )|сотов|whats ?app|ватс ?ап|вотс ?ап|viber|вайбер"
    r"|номер(а)? (тел|моб|контакт)|^cell|контактный номер|^msisdn|^tel"
)
_EMAILS = r"e ?mail|почт(?!ов)|мейл|^мыло$|емейл|имейл|^mail$|адрес эл|эл\w* адрес"
_ID = (
    r"^(id|ид|айди|№|n|no|код|record id|recordid|uid|guid|uuid|идентификатор|номер записи)$"
    r"|^(id|ид|код|номер) запис|^(row|user|crm) id$|^(внутренн\w*|internal) (id|ид|код|идентификатор)$"
)
_CREATED = (
    r"дата (создан|регистр|добавл|появл|заведен)|^создан|^добавлен|created|creation|registered|регистрац"
    r"|date (add|create)|create date|^date$|^дата$|^reg(istration)? ?date|^date of reg"
)
_CITY = r"\bгород(?!ск)|населенн|^city|^town|locality|^г$|(home|work|mailing|billing|address) city|местоположени"
_INN = r"\bинн\b|^inn$|tax (id|number)|taxpayer|^tin$|^vat|\bунп\b|\bбин\b|\bиин\b"
_COMPANY = r"компани|организац|company|organi[sz]ation|фирм|\bюр ?лицо|место работы|предприяти|employer|account name"
_EXTERNAL = (
    r"внешн\w* (id|ид|код|идентификатор)|^ext(ernal)?$|ext(ernal)? (id|code)|externalid|xml id|origin(ator)? id"
    r"|^1с|(код|id) 1с"
)
_WHOLE_NAME = (
    r"\bфио\b|ф и о|full ?name|полное имя|display name|имя (и )?фамилия|фамилия (и )?имя|контактное лицо"
    r"|(contact|customer|client|person) (name|person)"
    r"|^(контакт|клиент|contact|customer|client|person|name|лицо|абонент)$"
    r"|покупател|заказчик|имя контакта|имя клиента|наименование|^название( контакта)?$|получател"
)

_FIELDS: Mapping[Kind, tuple[tuple[str, str], ...]] = {
    "contacts": (
        # What is their company's is common to all who work there.
        (NOTHING, r"сайт|\bsite|\burl\b|ссылк|\blink\b|(инн|кпп|огрн|адрес|город)\w* (компани|организац|фирм)"),
        (NOTHING, r"(company|work|office|organi[sz]ation) (inn|tax|address|city)"),
        ("external_id", _EXTERNAL),
        (
            "id",
            _ID + r"|^(id|ид|код|номер) (контакт|клиент|покупател|лид|заявк)\w*$|^(contact|client|customer|person) id$",
        ),
        ("birthday", r"рожд|birth|^др$|^д р$|^bday|^dob$"),
        ("emails", _EMAILS),
        (
            "messengers",
            r"telegram|телеграм|мессенджер|messenger|^(tg|тг|im|vk)$|skype|скайп|instagram|инстаграм|вконтакте",
        ),
        ("phones", f"{_PHONES}|^номер$"),
        ("name", r"\bимя.*фамил|фамил\w*.*\bимя|first.*last name"),
        ("middle", r"отчеств|middle|patronymic|second ?name|additional name"),
        ("last", r"фамили|last ?name|surname|family ?name|^last$|lname"),
        ("company", _COMPANY),
        ("name", _WHOLE_NAME),
        ("first", r"^имя|имя$|first ?name|given ?name|^first$|fname|forename"),
        ("gender", r"^пол$|^пол |gender|^sex$"),
        ("inn", _INN),
        ("city", _CITY),
        ("created", _CREATED),
    ),
    "companies": (
        (
            "id",
            _ID + r"|^(id|ид|код|номер) (компан|организац|контрагент|клиент)\w*$|^(company|client|account) id$|^номер$",
        ),
        ("inn", _INN),
        ("kpp", r"\bкпп\b|^kpp$"),
        ("ogrn", r"огрн|^ogrn"),
        ("emails", _EMAILS),
        ("phones", _PHONES),
        ("site", r"сайт|\bsite|^web|^url$|^www|домен|domain|homepage|интернет"),
        ("city", _CITY),
        ("address", r"адрес|address|улица|street|местонахожд"),
        ("created", _CREATED),
        ("name", r"назван|наименован|полное имя|title|\bname$|^имя$|контрагент|клиент|client|customer|" + _COMPANY),
    ),
    "deals": (
        ("id", _ID + r"|^(id|ид|код|номер) (сделк|заказ|лид|заявк)\w*$|^(deal|order|lead) (id|number)$|^номер$"),
        ("closed", r"дата (закрыт|заверш|окончан)|closed at|close ?date|closed date|date closed|^closed$"),
        ("is_closed", r"is closed|закрыта?\b|^(deal |order )?status$|^статус( сделки| заказа)?$"),
        ("created", _CREATED),
        ("pipeline", r"воронк|pipeline|направлени|category|funnel|тип заказа"),
        ("stage", r"стади|этап|статус|stage|status"),
        ("company", r"компани|организац|company|organi[sz]ation|контрагент"),
        ("contact", r"контакт|клиент|contact|client|customer|покупател|заказчик|\bфио\b|cluster"),
        ("product", r"товар|продукт|услуг|product|\bitems?\b|позици|service|номенклатур"),
        ("amount", r"сумм|бюджет|amount|budget|price|стоимост|цена|opportunity|total"),
        ("title", r"назван|наименован|title|name|\bтема|subject|сделка|deal"),
    ),
}

MANY = frozenset({"phones", "emails", "messengers", "product"})
"""Fields that several columns may fill."""

FIELDS: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(dict.fromkeys(field for field, _ in rules if field)) for kind, rules in _FIELDS.items()
}
_CALLED = """phones phone телефон телефоны | emails email e-mail mail почта | messengers messenger мессенджер telegram
| name full_name fullname fio фио имя_целиком | first first_name имя | last last_name surname фамилия
| middle middle_name patronymic отчество | birthday birth_date birth дата_рождения | created created_at дата_создания
| external_id external | id record_id | city город | inn инн | company company_id компания | contact contact_id контакт
| closed closed_at | site url website сайт | product товар | pipeline воронка | stage этап
| amount сумма | title название"""
ALIASES = {alias: names[0] for names in (part.split() for part in _CALLED.split("|")) for alias in names}
"""What a person may call a field in `--map` -> the field."""

_COMPILED = {kind: tuple((field, re.compile(rule)) for field, rule in rules) for kind, rules in _FIELDS.items()}
_REFUSED_COMPILED = re.compile("|".join(_REFUSED))
_SIGNS = re.compile(r"[\W_]+")


@lru_cache(4096)
def field_of(heading: str, kind: Kind) -> str | None:
    """Give the field that a heading names; `NOTHING` for one that is known to hold none, None for an unknown one."""
    text = plain(heading)
    if not text or len(text) > 80:
        return None
    # Who made the record stands before what the record is: "ID ответственного" is nobody's id.
    if _REFUSED_COMPILED.search(text):
        return NOTHING
    for field, rule in _COMPILED[kind]:
        if rule.search(text):
            return field
    return None


def plain(heading: str) -> str:
    """Give the words of a heading: small letters, no signs; CamelCase in two."""
    text = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", heading.strip().lstrip("\ufeff"))
    text = text.casefold().replace("ё", "е")
    return "№" if text == "№" else _SIGNS.sub(" ", text).strip()
