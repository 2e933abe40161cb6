"""Points of the evidence that does not depend on rarity: all in bits, 1 point doubles the odds that two are one.

Names, towns, birthdays and numbers are weighed by how rare they are in the base itself; from their sum goes what the
size of the base takes (`base`). What is left are the odds: 0 is one to one, 6.6 is a hundred to one.
"""

from __future__ import annotations

AUTO = 3.9
"""From here on nobody is asked, provided that two kinds of evidence meet."""

AUTO_BY_NAME = 10.0
"""The same for a name (with its town or firm) that is rare enough by itself."""

AUTO_BY_OWN_MAILBOX = 8.0
"""The same for a name with a mailbox or a messenger that it has made: namesakes make up the same one."""

REVIEW = -0.3
"""From here on a person is asked."""

PHONE = 2.5
"""A mobile number beyond what the base takes: how much oftener it is held by one person twice than by two people."""

PHONE_OF_TWO = 1.0
"""The same when two clearly different people hold it: a household."""

PHONE_LANDLINE = 0.0
PHONE_SHARED = 0.0
PHONE_AGAIN = 2.0
"""Each further number in common."""

PHONE_SOLE = 5.0
"""A record without a name joins the one person who holds its number."""

PHONE_SLIP = 10.0
PHONES_DIFFER = -2.7
EXTENSION_DIFFERS = -8.0

MAILBOX = 3.5
MAILBOX_OF_TWO = 0.5
MAILBOX_OWN_NAME = 10.0
MAILBOX_OWN_NAME_NUMBERED = 16.0
"""Most that a mailbox or a messenger gives when it is made of the person's own surname, without digits and with: the
name itself has its points already, and namesakes are given, or make up, the same address."""

MAILBOX_NAMED_SLIP = -2.5
"""Beside it, when the providers differ by a slip."""

MAILBOX_FIRST_NAME = 14.0
"""The same when it is the first name with a number or without: `elena1960` is many a person's."""

MAILBOX_AGAIN = 1.0
MAILBOX_ROLE = 3.0
MAILBOX_SLIP = 1.0
MAILBOX_LOCAL = -3.0
MAILBOX_NAMED = 1.0
MAILBOX_NAMED_AND_NUMBERED = 5.0
"""Most that a mailbox name at two providers gives when it is made of the person's own, without digits and with."""

MAILBOX_TYPO = 7.0
MAILBOXES_DIFFER = -2.6

INN = 6.0
EXTERNAL = 6.0

BIRTHDAY_MOST = 13.0
BIRTHDAY_SLIP = 4.0

SURNAME_MOST = 14.0
SURNAME_OF_KIN = 1.0
"""A surname says little beside a phone or a mailbox when first names are not compared: kin share all three."""

SURNAME_SLIP = -3.0
SURNAME_DIFFERS = -6.0
SURNAME_CHANGED = -3.0
"""Different surnames of women, who may have married."""

GIVEN_MOST = 9.0
GIVEN_SHORT = -1.0
GIVEN_SLIP = -2.0
GIVEN_ODD = -2.7
"""Different first names of which one is in no list, or a slip away: beside one number they are just asked about."""

INITIAL = 3.0
PATRONYMIC_MOST = 8.0
PATRONYMIC_SLIP = -2.0
CITY_MOST = 4.0
CITY_DIFFERS = -3.0
COMPANY_MOST = 5.0
REISSUED = -4.0
REISSUED_AFTER_DAYS = 500
SOLE_WITHIN_DAYS = 1100
"""A call without a name is the holder's of the number, unless years lie between: numbers pass to others."""
PATRONYMIC_DIFFERS = -5.0
"""Different patronymics of people born on one day; otherwise they are a veto."""

SURE_FLOOR = -4.0
"""No pair of a group that is merged without asking has fewer points, but for what a strong link joins."""

STRONG = 5.0
"""A sure link of so many points joins people's records that have nothing in common but the one between them: a call
from this number, a letter from that address, and the card that has both."""

LINK_SHARE = 0.65
"""A link to be asked about counts for two thirds beside the average of all pairs of the groups it would join: most
cards of a person lack what the link is about, which says nothing against it."""
