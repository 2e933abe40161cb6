"""Who holds a number, a mailbox, a site or a name together: how many clearly different firms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crmkit_dedup.firm import CompanyProfile
from crmkit_dedup.scoring.firm_names import fit_of_firms
from crmkit_dedup.scoring.names import DIFFER

LOOKED_AT = 60
"""Holders of one key that are looked at."""


def holders_of_firms(groups: Mapping[str, Sequence[int]], profiles: Sequence[CompanyProfile]) -> dict[str, int]:
    """Number of clearly different firms, or branches of one, for each key that two or more of them hold."""
    found = {}
    for key, group in groups.items():
        count = _firms_among(profiles[position] for position in group)
        if count > 1:
            found[key] = count
    return found


def bearers_of_names(profiles: Iterable[CompanyProfile]) -> dict[str, int]:
    """Number of clearly different firms that bear each name: one for a firm that was entered twice.

    Sole traders, who have the rarity of people, are left out; of a name that very many records bear each one counts.
    """
    named: defaultdict[str, list[CompanyProfile]] = defaultdict(list)
    for profile in profiles:
        if profile.core and not profile.surname:
            named[profile.core].append(profile)
    return {name: _firms_among(firms) if 1 < len(firms) <= LOOKED_AT else len(firms) for name, firms in named.items()}


def _firms_among(holders: Iterable[CompanyProfile]) -> int:
    firms: list[CompanyProfile] = []
    # Likeness is no equality, so who is met first decides who is counted: the best known, in an order of their own.
    for holder in sorted(holders, key=_rank)[:LOOKED_AT]:
        if not holder.junk and all(_are_different(holder, other) for other in firms):
            firms.append(holder)
    return len(firms)


def _rank(firm: CompanyProfile) -> tuple[bool, str, bool, str, bool, str, str]:
    return (not firm.core, firm.core, not firm.inn, firm.inn, not firm.city, firm.city, firm.id)


def _are_different(a: CompanyProfile, b: CompanyProfile) -> bool:
    if (a.inn and b.inn and a.inn != b.inn) or (a.kpp and b.kpp and a.kpp != b.kpp):
        return True
    if a.city and b.city and a.city != b.city and not (a.kpp and a.kpp == b.kpp):
        return True
    return not (a.inn and a.inn == b.inn) and fit_of_firms(a, b) is DIFFER
