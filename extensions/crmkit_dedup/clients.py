"""Clients of deals by their names: what a scan knows as a number is told to people as somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from crmkit.models import Company, Contact
from crmkit.values import Ref
from crmkit_dedup.match import Cluster, Reason
from crmkit_dedup.policy import Ctx, words_of

_Names = Mapping[tuple[str, str], str]

_CLIENTS: Mapping[str, type[Contact] | type[Company]] = {"client": Contact, "client_company": Company}
"""Reasons whose detail is a client's id."""


def with_clients_named(ctx: Ctx, clusters: Iterable[Cluster]) -> Iterator[Cluster]:
    """The clusters with names and ids in place of ids; a client whom the mirror does not know stays a number."""
    for cluster in clusters:
        names = _names(ctx, cluster)
        yield cluster._replace(
            members=tuple(
                member._replace(reasons=tuple(_named(reason, names) for reason in member.reasons))
                for member in cluster.members
            )
        )


def _names(ctx: Ctx, cluster: Cluster) -> _Names:
    words, found = words_of(ctx), dict[tuple[str, str], str]()
    for code, record in _CLIENTS.items():
        ids = {reason.detail for member in cluster.members for reason in member.reasons if reason.code == code}
        refs = [Ref(ctx.account.key, record.kind, id_) for id_ in ids if id_]
        copies = ctx.mirror.get_many(record, refs) if refs else {}
        found |= {(code, ref.id): words.name(copy) for ref, copy in copies.items()}
    return found


def _named(reason: Reason, names: _Names) -> Reason:
    return reason._replace(detail=names.get((reason.code, reason.detail), reason.detail))
