"""How common names are among people at large: what a small base cannot teach.

Rounded shares of all people of both genders in Russia, typed in from what is generally known of the commonest names;
a base of a few thousand records outweighs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crmkit.identity import person_form

_GIVEN = """
0.050 александр
0.038 елена сергей ольга наталья
0.032 татьяна андрей алексей ирина дмитрий анна
0.026 светлана владимир мария екатерина юлия
0.020 анастасия иван михаил николай евгений людмила марина
0.013 галина максим игорь юрий роман павел надежда виктор виктория денис нина валентина
0.009 оксана олег артем антон илья кирилл валерий вячеслав евгения вера любовь алла ксения дарья анатолий константин
0.006 никита егор алина полина лариса станислав виталий петр василий данил вадим руслан лидия кристина тамара
"""
_SURNAME = """
0.0055 иванов смирнов
0.0035 кузнецов попов васильев петров
0.0025 соколов михайлов новиков федоров
0.0018 морозов волков алексеев лебедев семенов егоров павлов козлов степанов николаев
0.0014 орлов андреев макаров никитин захаров зайцев соловьев борисов яковлев григорьев романов воробьев
0.0010 сергеев кузьмин фролов александров дмитриев королев гусев киселев ильин максимов поляков сорокин виноградов
0.0010 ковалев белов медведев антонов тарасов жуков баранов филиппов комаров давыдов беляев герасимов богданов осипов
"""


def _shares(table: str) -> dict[str, float]:
    rows = (line.split() for line in table.strip().splitlines())
    return {name: float(share) for share, *names in rows for name in names}


@cache
def common(field: str) -> Mapping[str, float]:
    """Share of people by first name (`given`, canonical) or by surname (`surname`, its code); empty for others."""
    if field == "given":
        return _shares(_GIVEN)
    # Codes need the tables of names, which take their time to load: only when somebody compares.
    return (
        {person_form(last=name).surname: share for name, share in _shares(_SURNAME).items()}
        if field == "surname"
        else {}
    )
