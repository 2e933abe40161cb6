"""What a comparison says: bands, reasons, matches of two records, clusters of many."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Band(StrEnum):
    """What may be done about two records: merged without asking, shown to a person, or nothing."""

    AUTO = "auto"
    REVIEW = "review"
    IGNORE = "ignore"


class Reason(NamedTuple):
    """One piece of evidence: for sameness when `points` are above zero, against it below.

    `detail` is the fact itself (a number, a name), already short; `reason_text` puts it into words.
    """

    code: str
    points: float
    detail: str = ""


class Match(NamedTuple):
    """Two records and what is held of them; `left` and `right` are ids, the smaller position first."""

    left: str
    right: str
    band: Band
    score: float
    reasons: tuple[Reason, ...]


class Member(NamedTuple):
    """A record inside a cluster, with the best link that holds it there.

    Records of one cluster with band `auto` are one group to be merged without asking; the others are to be asked
    about. A record that is alone has band `ignore` and says why.
    """

    id: str
    band: Band
    score: float
    reasons: tuple[Reason, ...]


class Cluster(NamedTuple):
    """Records that are one person, company or deal; `id` is the id of its first record."""

    id: str
    members: tuple[Member, ...]


class Counts(NamedTuple):
    """A scan in figures, for a report."""

    records: int
    junk: int
    clusters: int
    """Clusters of two records or more."""
    in_clusters: int
    auto_records: int
    review_records: int
    auto_pairs: int
    review_pairs: int
    compared: int
    """Pairs of records that were scored."""
    shared_phones: tuple[tuple[str, int], ...]
    """The numbers that many different people hold, with how many records hold each; the widest first."""
    reasons: tuple[tuple[str, int], ...]
    """Codes of reasons for sameness with the number of links that each has helped; the commonest first."""
