"""Security profiles of a vault: custom ones are made, changed and deleted here; standard ones only get their switch."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from vaultadmin import audit
from vaultadmin.models import Membership, SecurityProfile
from vaultadmin.permissions import Permission
from vaultadmin.services import authority

_FIELDS = ("name", "permissions", "requires_second_factor")
_LONGEST_API_NAME = 60
_SUFFIX = "__c"


class ProfileRefused(Exception):
    """The profile cannot be changed as asked; `field` names the form field the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def create(*, name: str, permissions: Collection[str], requires_second_factor: bool, by: Membership) -> SecurityProfile:
    """A custom profile in `by`'s vault; its API name is made from its name."""
    profile = SecurityProfile(
        vault=by.vault,
        name=name.strip(),
        api_name=_api_name(name),
        permissions=_in_order(permissions),
        requires_second_factor=requires_second_factor,
    )
    try:
        with transaction.atomic():
            profile.save()
            changes = audit.created(profile, ("name", "api_name", "permissions", "requires_second_factor"))
            audit.record(vault=by.vault, by=by, event="security_profile.created", subject=profile, changes=changes)
    except IntegrityError as error:
        raise ProfileRefused(
            f"A security profile with the API name {profile.api_name} exists. Choose another name.", field="name"
        ) from error
    return profile


def change(
    profile: SecurityProfile,
    *,
    name: str,
    permissions: Collection[str],
    requires_second_factor: bool,
    by: Membership,
) -> SecurityProfile:
    """Change a profile; it counts from the next request of everybody who holds it.

    Of a standard profile only `requires_second_factor` changes: its name and permissions are ours.
    """
    with transaction.atomic(), authority.somebody_stays(by.vault):
        profile = SecurityProfile.objects.select_for_update().get(pk=profile.pk, vault=by.vault)
        before = audit.snapshot(profile, _FIELDS)
        profile.requires_second_factor = requires_second_factor
        if not profile.is_standard:
            profile.name, profile.permissions = name.strip(), _in_order(permissions)
        profile.save(update_fields=_FIELDS)
        if changes := audit.diff(before, profile, _FIELDS):
            audit.record(vault=by.vault, by=by, event="security_profile.changed", subject=profile, changes=changes)
    return profile


def delete(profile: SecurityProfile, *, by: Membership) -> None:
    """Delete a custom profile nobody holds."""
    with transaction.atomic():
        authority.lock(by.vault)
        profile = SecurityProfile.objects.select_for_update().get(pk=profile.pk, vault=by.vault)
        if refusal := delete_refusal(profile):
            raise ProfileRefused(refusal)
        changes: audit.Changes = {"permissions": (profile.permissions, None)}
        audit.record(vault=by.vault, by=by, event="security_profile.deleted", subject=profile, changes=changes)
        profile.delete()


def delete_refusal(profile: SecurityProfile) -> str:
    """Why this profile stays; empty when it may go."""
    if profile.is_standard:
        return "Standard profiles stay."
    count = profile.members.count()
    if count:
        return f"{count} {'person holds' if count == 1 else 'people hold'} it: give them another profile first."
    return ""


def _api_name(name: str) -> str:
    stem = slugify(name).replace("-", "_").strip("_")[: _LONGEST_API_NAME - len(_SUFFIX)].strip("_")
    if not stem:
        raise ProfileRefused("Use at least one letter or digit of the Latin alphabet.", field="name")
    return stem + _SUFFIX


def _in_order(permissions: Collection[str]) -> list[str]:
    """As the product lists them, so that the trail compares like with like."""
    return [permission.value for permission in Permission if permission.value in permissions]
