"""What phones, mailboxes and messengers of two people say."""

from __future__ import annotations

from math import log2
from operator import itemgetter

from rapidfuzz.distance import OSA

from crmkit.identity import skeleton
from crmkit_dedup.profile import LIKELY, PersonProfile, is_landline, line_of
from crmkit_dedup.rarity import Rarity
from crmkit_dedup.scoring import weights
from crmkit_dedup.scoring.weighed import Points

SHARED_FROM = 3
"""A number or a mailbox of so many clearly different people names a place, not a person."""

_BY_POINTS = itemgetter(1, 0)
_ENDING, _SHORT_SURNAME = 2, 5
_SHORT_STEM, _SHORTEST_STEM = 4, 3


def weigh_phones(a: PersonProfile, b: PersonProfile, rarity: Rarity, points: Points) -> None:
    """Add what the phones of two who have some say: each number in common, a slip, or that none is in common."""
    others = b.phones
    shared = [_number(phone, rarity) for phone in a.phones if phone in others]
    if shared:
        points += _best_of(shared, ("phone", weights.PHONE_AGAIN))
        return
    if a.has_extension or b.has_extension:
        lines = {line_of(phone) for phone in a.phones} & {line_of(phone) for phone in b.phones}
        if lines:
            both = a.has_extension and b.has_extension
            points.append(("extension_differs", weights.EXTENSION_DIFFERS) if both else _shared(min(lines), rarity))
            return
    if any(_is_slip(one, other) for one in a.phones for other in b.phones):
        points.append(("phone_slip", weights.PHONE_SLIP))
    else:
        points.append(("phones_differ", weights.PHONES_DIFFER))


def weigh_mailboxes(a: PersonProfile, b: PersonProfile, rarity: Rarity, points: Points) -> None:
    """Add what the mailboxes say: each one in common, a slip, one name at two providers, or none in common."""
    if a.mailboxes and b.mailboxes:
        shared = [_mailbox(mailbox, a, b, rarity) for mailbox in a.mailboxes if mailbox in b.mailboxes]
        points += _best_of(shared, ("mailbox", weights.MAILBOX_AGAIN)) if shared else [_near_mailbox(a, b, rarity)]
    if a.roles and b.roles and not set(a.roles).isdisjoint(b.roles):
        points.append(("mailbox_role", weights.MAILBOX_ROLE))


def weigh_messengers(a: PersonProfile, b: PersonProfile, rarity: Rarity, points: Points) -> None:
    """Add what the messengers say."""
    shared = [_messenger(messenger, a, b, rarity) for messenger in a.messengers if messenger in b.messengers]
    if shared:
        points.append(max(shared, key=_BY_POINTS))


def _best_of(shared: Points, again: tuple[str, float]) -> Points:
    """What tells most counts in full, and each of the others as one more, in whatever order they were typed."""
    return shared if len(shared) == 1 else [max(shared, key=_BY_POINTS), *[again] * (len(shared) - 1)]


def _messenger(messenger: str, a: PersonProfile, b: PersonProfile, rarity: Rarity) -> tuple[str, float]:
    bits = rarity.base_bits + weights.MAILBOX - 2 * log2(rarity.holders.get(messenger, 1))
    return _named("messenger", bits, messenger, a, b, rarity)


def _number(phone: str, rarity: Rarity) -> tuple[str, float]:
    holders = rarity.holders.get(phone, 1)
    if holders >= SHARED_FROM:
        return ("phone_shared", rarity.base_bits + weights.PHONE_SHARED - log2(holders))
    if "#" in phone:
        return ("phone_extension", rarity.base_bits + weights.PHONE)
    if is_landline(phone):
        return ("phone_landline", rarity.base_bits + weights.PHONE_LANDLINE - log2(holders))
    return ("phone", rarity.base_bits + (weights.PHONE if holders == 1 else weights.PHONE_OF_TWO))


def _shared(line: str, rarity: Rarity) -> tuple[str, float]:
    return (
        "phone_shared",
        rarity.base_bits + weights.PHONE_SHARED - log2(max(SHARED_FROM, rarity.holders.get(line, 1))),
    )


def _is_slip(one: str, other: str) -> bool:
    """One digit is wrong, lost or added, or two neighbours have changed places: of mobile numbers alone."""
    # The numbers of an office follow one another: there a digit of difference is the rule.
    if is_landline(one) or is_landline(other) or (one[:4] != other[:4] and one[-4:] != other[-4:]):
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1


def _mailbox(mailbox: str, a: PersonProfile, b: PersonProfile, rarity: Rarity) -> tuple[str, float]:
    holders = rarity.holders.get(mailbox, 1)
    if holders >= SHARED_FROM:
        return ("mailbox_shared", rarity.base_bits - log2(holders))
    bits = rarity.base_bits + (weights.MAILBOX if holders == 1 else weights.MAILBOX_OF_TWO)
    return _named("mailbox", bits, mailbox.partition("@")[0], a, b, rarity)


def _named(code: str, bits: float, local: str, a: PersonProfile, b: PersonProfile, rarity: Rarity) -> tuple[str, float]:
    """What a mailbox or a messenger of `bits` says beside the names, which may have made it."""
    letters = _letters(local)
    if _holds_surname(letters, a, b):
        is_numbered = _has_digits(local)
        most = weights.MAILBOX_OWN_NAME_NUMBERED if is_numbered else weights.MAILBOX_OWN_NAME
        if not (a.surname and b.surname):
            # Where a card has no surname the mailbox alone tells it.
            most += rarity.fields["surname"].bits(a.surname or b.surname)
        return (code if is_numbered else f"{code}_named", min(bits, most))
    if _is_first_name(letters, a) or _is_first_name(letters, b):
        return (code, min(bits, weights.MAILBOX_FIRST_NAME))
    return (code, bits)


def _near_mailbox(a: PersonProfile, b: PersonProfile, rarity: Rarity) -> tuple[str, float]:
    best = ("mailboxes_differ", weights.MAILBOXES_DIFFER)
    for one in a.mailboxes:
        own, _, domain = one.removeprefix(LIKELY).rpartition("@")
        for other in b.mailboxes:
            local, _, place = other.removeprefix(LIKELY).rpartition("@")
            if own == local:
                if domain == place:
                    code, bits = _named("mailbox", rarity.base_bits + weights.MAILBOX_SLIP, own, a, b, rarity)
                    return ("mailbox_slip", bits if code == "mailbox" else bits + weights.MAILBOX_NAMED_SLIP)
                best = max(best, ("mailbox_local", _local_bits(own, a, b, rarity)), key=lambda found: found[1])
            elif domain == place and _is_typo(own, local):
                best = max(best, ("mailbox_slip", weights.MAILBOX_TYPO), key=lambda found: found[1])
    return best


def _local_bits(local: str, a: PersonProfile, b: PersonProfile, rarity: Rarity) -> float:
    """What a mailbox name at two providers says: little when it is the person's own name, which namesakes take too."""
    bits = rarity.fields["local"].bits(local) + weights.MAILBOX_LOCAL
    if not _holds_surname(_letters(local), a, b):
        return bits
    return min(bits, weights.MAILBOX_NAMED_AND_NUMBERED if _has_digits(local) else weights.MAILBOX_NAMED)


def _letters(local: str) -> str:
    return skeleton("".join(filter(str.isalpha, local)))


def _holds_surname(letters: str, a: PersonProfile, b: PersonProfile) -> bool:
    """The surname of one of them is in it, whatever its ending: Муравьёва writes `muravyova` and `muravieva`."""
    parts = f"{a.surname}-{b.surname}".split("-")
    stems = [part[:-_ENDING] if len(part) > _SHORT_SURNAME else part[:_SHORT_STEM] for part in parts]
    return any(len(stem) >= _SHORTEST_STEM and stem in letters for stem in stems)


def _is_first_name(letters: str, profile: PersonProfile) -> bool:
    """It is a first name of theirs and next to nothing else."""
    return any(
        letters[:_SHORT_STEM] == name[:_SHORT_STEM] and abs(len(letters) - len(name)) <= _ENDING
        for name in (profile.given_word, *map(skeleton, profile.given))
        if name
    )


def _has_digits(local: str) -> bool:
    return any(map(str.isdecimal, local))


def _is_typo(one: str, other: str) -> bool:
    """A letter is wrong, lost or added; digits are left out of it, for they tell `ivanov85` from `ivanov86`."""
    if min(len(one), len(other)) < 6 or OSA.distance(one, other, score_cutoff=1) > 1:
        return False
    return [sign for sign in one if sign.isdecimal()] == [sign for sign in other if sign.isdecimal()]
