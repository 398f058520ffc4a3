"""Connection Authorizations as their pages show them."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from connections.constants import AuthorizationType
from connections.models import ConnectionAuthorization
from vaultadmin.models import Membership


def authorizations(member: Membership, *, search: str = "", type_: str = "") -> QuerySet[ConnectionAuthorization]:
    """Those the member may see, newest first by id, with `uses`: how many connections use each."""
    rows = ConnectionAuthorization.objects.visible_to(member).select_related("secret")
    if search := search.replace("\x00", "").strip()[:100]:
        rows = rows.filter(Q(name__icontains=search) | Q(username__icontains=search) | Q(client_id__icontains=search))
    if type_ in AuthorizationType.values:
        rows = rows.filter(type=type_)
    return rows.annotate(uses=Count("connections"))


def find(member: Membership, pk: int) -> ConnectionAuthorization | None:
    """One authorization of the member's vault."""
    return ConnectionAuthorization.objects.visible_to(member).select_related("secret", "vault").filter(pk=pk).first()
