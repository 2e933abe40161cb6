"""Reasons in words: what each code says to a person, in Russian and in English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from crmkit_dedup.match import Reason

Language = Literal["ru", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    # Evidence for one person.
    "phone": ("один мобильный телефон", "same mobile phone"),
    "phone_landline": ("один городской телефон", "same landline phone"),
    "phone_extension": ("один номер с добавочным", "same number and extension"),
    "phone_shared": ("номер, общий для разных людей", "a number that different people share"),
    "phone_sole": ("у номера один владелец", "the number has one owner"),
    "phone_slip": ("телефоны отличаются опиской", "phones differ by a slip"),
    "mailbox": ("один почтовый ящик", "same mailbox"),
    "mailbox_named": ("один почтовый ящик, составленный из имени", "same mailbox, made of the name"),
    "mailbox_shared": ("ящик, общий для разных людей", "a mailbox that different people share"),
    "mailbox_role": ("один служебный ящик", "same role mailbox"),
    "mailbox_slip": ("почта отличается опиской", "e-mails differ by a slip"),
    "mailbox_local": ("одно имя ящика на разных почтах", "same mailbox name at two providers"),
    "messenger": ("один мессенджер", "same messenger"),
    "messenger_named": ("один мессенджер, составленный из имени", "same messenger, made of the name"),
    "external": ("один внешний код", "same external id"),
    "inn": ("один ИНН", "same tax number"),
    "birthday": ("одна дата рождения", "same birthday"),
    "birthday_slip": ("дата рождения отличается опиской", "birthdays differ by a slip"),
    "surname": ("одна фамилия", "same surname"),
    "surname_slip": ("фамилии отличаются опиской", "surnames differ by a slip"),
    "given": ("одно имя", "same first name"),
    "given_short": ("имена — формы одного имени", "forms of one first name"),
    "given_slip": ("имена отличаются опиской", "first names differ by a slip"),
    "given_initial": ("инициал имени подходит", "the initial of the first name fits"),
    "patronymic": ("одно отчество", "same patronymic"),
    "patronymic_slip": ("отчества отличаются опиской", "patronymics differ by a slip"),
    "patronymic_initial": ("инициал отчества подходит", "the initial of the patronymic fits"),
    "city": ("один город", "same city"),
    "company": ("одна компания", "same company"),
    # Evidence against it.
    "base": ("похожие встречаются и случайно: записей в базе", "some are alike by luck: records in the base"),
    "surname_differs": ("разные фамилии", "different surnames"),
    "surname_changed": ("фамилия могла смениться", "the surname may have changed"),
    "given_differs": ("разные имена", "different first names"),
    "patronymic_differs": ("разные отчества", "different patronymics"),
    "gender_differs": ("мужчина и женщина", "a man and a woman"),
    "birthday_differs": ("разные даты рождения", "different birthdays"),
    "inn_differs": ("разные ИНН", "different tax numbers"),
    "extension_differs": ("разные добавочные одного номера", "different extensions of one number"),
    "phone_reissued": ("номер мог перейти к другому человеку", "the number may have passed to another person"),
    "phones_differ": ("ни одного общего телефона", "no phone in common"),
    "mailboxes_differ": ("ни одного общего ящика", "no mailbox in common"),
    "city_differs": ("разные города", "different cities"),
    "generations": ("отец и сын могут носить одно имя", "father and son may bear one name"),
    "generation_differs": ("старший и младший", "senior and junior"),
    # Companies.
    "core": ("одно название", "same name"),
    "core_slip": ("названия отличаются опиской", "names differ by a slip"),
    "core_odd": ("названия похожи", "names are alike"),
    "core_part": ("одно название входит в другое", "one name is a part of the other"),
    "core_differs": ("разные названия", "different names"),
    "form_differs": ("разные формы собственности", "different legal forms"),
    "kpp": ("один КПП", "same KPP"),
    "kpp_differs": ("филиал: другой КПП", "a branch: another KPP"),
    "ogrn": ("один ОГРН", "same OGRN"),
    "ogrn_differs": ("разные ОГРН", "different OGRN"),
    "address": ("один адрес", "same address"),
    "site": ("один сайт", "same site"),
    "site_named": ("один сайт, названный как фирма", "same site, called as the firm"),
    "person": ("один предприниматель", "same sole trader"),
    "person_differs": ("разные предприниматели", "different sole traders"),
    # Deals.
    "client": ("один клиент", "same client"),
    "client_company": ("одна компания-клиент", "same client company"),
    "pipeline": ("одна воронка", "same pipeline"),
    "open_together": ("открыты одновременно, между созданием дней", "open at the same time, days between"),
    "product": ("один товар", "same product"),
    "title": ("одно название сделки", "same title"),
    "title_empty": ("название или товар не заполнены", "title or product is empty"),
    "product_differs": ("разные товары", "different products"),
    "amount": ("одна сумма", "same amount"),
    "amount_differs": ("разные суммы", "different amounts"),
    # A record by itself.
    "alone": ("нет похожих", "nothing like it"),
    "asked": ("подходит двум разным людям", "fits two different people"),
    "junk": ("мусор", "junk"),
    "junk_name": ("мусор: имя ничего не значит", "junk: the name means nothing"),
    "junk_empty": ("мусор: не по чему сравнивать", "junk: nothing to compare by"),
    "junk_stub": ("мусор: телефон или почта — заглушка", "junk: the phone or e-mail is a stub"),
}
"""Text of every code: Russian, English. The fact itself, where there is one, stands after it."""


def reason_text(reason: Reason, language: Language = "ru") -> str:
    """The reason in words, with its fact: `один мобильный телефон: +79211234567`."""
    text = TEXTS[reason.code][0 if language == "ru" else 1]
    return f"{text}: {reason.detail}" if reason.detail else text


def reasons_text(reasons: Iterable[Reason], language: Language = "ru") -> str:
    """All reasons in one line, with points: `один мобильный телефон: +79211234567 (+19.1); разные города (-0.7)`."""
    at = 0 if language == "ru" else 1
    texts = []
    for code, points, detail in reasons:
        text = f"{TEXTS[code][at]}: {detail}" if detail else TEXTS[code][at]
        texts.append(text + _signed(points))
    return "; ".join(texts)


@lru_cache(1 << 10)
def _signed(points: float) -> str:
    return f" ({points:+.1f})" if points else ""
