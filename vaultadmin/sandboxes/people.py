"""People, profiles and settings of a sandbox. API tokens, sessions and invitations are never copied."""

from __future__ import annotations

from vaultadmin import standard_profiles
from vaultadmin.models import Membership, SecurityProfile, User, VaultSettings
from vaultadmin.sandboxes.registry import Copying, Part, copy_of
from vaultadmin.services import system_accounts

_OWN_SETTINGS = ("vault", "own_requests", "modified_at")


def copy_profiles(copying: Copying) -> int:
    """Standard profiles as they are shipped, custom ones as they are in the source."""
    standard_profiles.install(copying.target, by=copying.by)
    held = {row.api_name: row for row in SecurityProfile.objects.filter(vault=copying.target)}
    sources = list(SecurityProfile.objects.filter(vault=copying.source))
    changed: list[SecurityProfile] = []
    for source in sources:
        mine = held.get(source.api_name) or copy_of(source, vault_id=copying.target.pk)
        before = (mine.pk, mine.name, mine.permissions, mine.requires_second_factor)
        mine.requires_second_factor = source.requires_second_factor
        if not source.is_standard:
            mine.name, mine.permissions = source.name, source.permissions
        if before != (mine.pk, mine.name, mine.permissions, mine.requires_second_factor) or mine.pk is None:
            mine.save()
            changed.append(mine)
    copying.record(changed, "security_profile.copied")
    return len(sources)


def copy_members(copying: Copying) -> int:
    """With people: everybody with the profile they have there. Who asked for the sandbox always owns it."""
    profiles = {row.api_name: row for row in SecurityProfile.objects.filter(vault=copying.target)}
    owners = _owners(copying)
    members = Membership.objects.for_request().filter(vault=copying.source)
    changed: list[Membership] = []
    for member in members:
        if member.user.is_system:
            copying.members[member.pk] = system_accounts.application_owner(copying.target, by=copying.by)
        elif copying.with_people and member.user not in owners:
            _put(copying, member.user, profiles[member.profile.api_name], member.is_active, changed)
    for user in owners:
        _put(copying, user, profiles[standard_profiles.VAULT_OWNER.api_name], True, changed)
    copying.record(changed, "member.copied")
    mine = {row.user_id: row for row in Membership.objects.for_request().filter(vault=copying.target)}
    copying.members.update({member.pk: mine[member.user_id] for member in members if member.user_id in mine})
    return len(mine)


def copy_settings(copying: Copying) -> int:
    """What the source decided on its page Settings; what only a sandbox may decide stays the sandbox's."""
    source = VaultSettings.objects.filter(vault=copying.source).first()
    if source is None:
        return 0
    names = [field.name for field in VaultSettings._meta.concrete_fields if field.name not in _OWN_SETTINGS]
    mine = VaultSettings.of(copying.target)
    for name in names:
        setattr(mine, name, getattr(source, name))
    mine.modified_at = copying.now
    mine.save()
    copying.record([mine], "settings.copied")
    return 1


def _owners(copying: Copying) -> list[User]:
    if isinstance(copying.by, User):
        return [copying.by]
    return list(User.objects.filter(is_domain_admin=True, is_active=True))


def _put(copying: Copying, user: User, profile: SecurityProfile, is_active: bool, changed: list[Membership]) -> None:
    member, is_new = Membership.objects.get_or_create(
        user=user, vault=copying.target, defaults={"profile": profile, "is_active": is_active}
    )
    if not is_new and (member.profile_id, member.is_active) == (profile.pk, is_active):
        return
    member.profile, member.is_active = profile, is_active
    member.save(update_fields=["profile", "is_active"])
    changed.append(member)


def _kept(_copying: Copying) -> None:
    """Nothing to clear: a refresh brings people, profiles and settings up to date and removes nobody."""


PARTS = (
    Part("Security profiles", copy_profiles, _kept),
    Part("People", copy_members, _kept),
    Part("Settings", copy_settings, _kept),
)
