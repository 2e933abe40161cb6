"""Towns as compared: short names, old names and romanisations of one town have one code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from crmkit.identity import skeleton

_ALSO: Mapping[str, str] = {
    "санкт-петербург": "спб, питер, петербург, с-петербург, с.-петербург, санкт петербург, спб., spb, ленинград, "
    "saint petersburg, st petersburg, st. petersburg, saint-petersburg",
    "москва": "мск, moscow, msk, моск, м",
    "екатеринбург": "екб, екат, ебург, ekb, е-бург",
    "новосибирск": "нск, новосиб, nsk",
    "нижний новгород": "нн, н.новгород, н. новгород, н новгород, нижний, ннов, nizhny novgorod, горький",
    "ростов-на-дону": "ростов, ростов на дону, рнд, rostov, ростов-на-д, р-н-д, rostov on don",
    "красноярск": "крск",
    "челябинск": "члб, чел",
    "краснодар": "кдр, крд",
    "набережные челны": "наб челны, наб. челны, челны",
    "владивосток": "влад",
    "комсомольск-на-амуре": "комсомольск",
    "новгород": "великий новгород, в.новгород",
    "нижний тагил": "н.тагил, н. тагил",
    "тольятти": "тлт",
    "самара": "куйбышев",
    "алматы": "алма-ата, almaty",
    "астана": "нур-султан",
    "киев": "kyiv",
}
"""Towns by their full names, lower case, ё folded, and what else they are called."""

_ALIASES = {alias: name for name, also in _ALSO.items() for alias in also.split(", ")}

_CLUTTER = re.compile(
    r"\([^()]*\)|\b(?:г|гор|город|пгт|пос|поселок|с|село|дер|деревня|ст|станица|city)\b\.?|[\"«»]|^\s*\d{6}\s*,?"
)
_COUNTRY = re.compile(r"\b(?:рф|россия|russia|казахстан|беларусь|украина|узбекистан)\b")
_REGION = re.compile(r"\b(?:обл|область|край|респ|республика|р-н|район|ао|округ)\b")


@lru_cache(maxsize=1 << 15)
def city_code(text: str) -> str:
    """The code of a town; empty when the text names none. Of an address the part that is a town is taken."""
    plain = _COUNTRY.sub(" ", text.lower().replace("ё", "е"))
    parts = [part for part in plain.split(",") if part.strip(" .") and not _REGION.search(part)]
    if not parts:
        return ""
    whole = " ".join(parts[0].split()).strip(" .")
    name = whole if whole in _ALIASES else " ".join(_CLUTTER.sub(" ", whole).split()).strip(" .-") or whole
    return _code(_ALIASES.get(name, name))


def town_of(code: str) -> str:
    """The code of a town by the code of whatever it is called: of `спб` as of `санкт-петербург`."""
    return _BY_CODE.get(code, code)


def _code(name: str) -> str:
    return skeleton(name.replace("-", "").replace(" ", ""))


_BY_CODE = {_code(alias): _code(name) for alias, name in _ALIASES.items() if alias.isalpha()}
