"""People of a vault: invited, placed, given a profile, deactivated; their accounts taken in hand.

Every change runs under the vault's lock, so that "who is left in charge?" has one answer, and writes the vault's chain
before the installation's, so that two of them never wait for each other in a ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from vaultadmin import audit, clock, standard_profiles
from vaultadmin.accounts import lockout, sessions
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, SecurityProfile, User, Vault
from vaultadmin.services import api_sessions, authority, links


class PersonRefused(Exception):
    """What was asked cannot be done to this person; `field` names the form field the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Invited:
    """A new member; `link` is the only sight of their invitation, empty for people who can sign in already."""

    member: Membership
    link: str


def invite(*, email: str, name: str, profile: SecurityProfile, by: Membership, now: datetime) -> Invited:
    """Make a person a member of `by`'s vault. Somebody new gets an invitation link, somebody known just the place."""
    authority.ensure_grantable(by, profile)
    email = email.strip().lower()
    try:
        with transaction.atomic():
            authority.lock(by.vault)
            user, is_new = _find_or_create(email, name.strip())
            member = _place(user, profile, by)
            link = _first_link(user, is_new=is_new, by=by, now=now)
            if is_new:
                changes = audit.created(user, ("email", "name"))
                audit.record(vault=None, by=by, event="user.created", subject=user, changes=changes)
    except IntegrityError as error:
        raise PersonRefused("Somebody else invited this person just now. Reload the list.", field="email") from error
    return Invited(member, link)


def change_profile(member: Membership, *, profile: SecurityProfile, by: Membership) -> Membership:
    """Give a member another security profile; it counts from their next request."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_person(member.user)
        # Both: taking a wide profile away is as much a decision about it as giving it.
        authority.ensure_grantable(by, profile)
        authority.ensure_grantable(by, member.profile)
        before, member.profile = member.profile, profile
        member.save(update_fields=["profile"])
        if before.pk != profile.pk:
            api_sessions.end_of_member(member, now=clock.now())
            changes: audit.Changes = {"security profile": (before.name, profile.name)}
            audit.record(vault=by.vault, by=by, event="member.profile_changed", subject=member, changes=changes)
    return member


def set_active(member: Membership, *, active: bool, by: Membership, reason: str) -> Membership:
    """Close the vault to a member, or open it again. Their account and other vaults are untouched."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_person(member.user)
        authority.ensure_grantable(by, member.profile)
        if member.is_active != active:
            member.is_active = active
            member.save(update_fields=["is_active"])
            api_sessions.end_of_member(member, now=clock.now())
            event = "member.reactivated" if active else "member.deactivated"
            changes: audit.Changes = {"active": (not active, active)}
            audit.record(vault=by.vault, by=by, event=event, subject=member, changes=changes, reason=reason)
    return member


def rename(member: Membership, *, name: str, by: Membership) -> Membership:
    """Correct a person's printed name."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_account(by, member.user)
        before, member.user.name = member.user.name, name.strip()
        member.user.save(update_fields=["name"])
        if before != member.user.name:
            _record_twice(member, by, "user.renamed", {"name": (before, member.user.name)})
    return member


def reset_password(member: Membership, *, by: Membership, now: datetime) -> str:
    """A link by which the person chooses a new password; from now on the old one does not work. Ends their sessions."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_account(by, member.user)
        if member.user_id == by.user_id:
            raise PersonRefused("Change your own password under Password in your account menu.")
        waiting = not member.user.has_usable_password()
        member.user.set_unusable_password()
        member.user.save(update_fields=["password"])
        _end_all_sessions(member.user)
        link = links.issue(member.user, purpose=links.INVITATION if waiting else links.RESET, now=now)
        _record_twice(member, by, "user.password_reset_asked", {"password": (None, audit.SECRET_CHANGED)})
    return link


def reset_second_factor(member: Membership, *, by: Membership, reason: str) -> int:
    """Remove authenticator apps, passkeys and recovery codes of somebody who lost them. Returns how many there were."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_account(by, member.user)
        held = list(Authenticator.objects.select_for_update().filter(user=member.user.pk))
        kinds = [row.get_type_display() for row in held]
        Authenticator.objects.filter(pk__in=[row.pk for row in held]).delete()
        _end_all_sessions(member.user)
        _record_twice(member, by, "user.second_factor_reset", {"second factor": (kinds, [])}, reason=reason)
    return len(held)


def end_sessions(member: Membership, *, by: Membership) -> int:
    """Sign a person out everywhere; returns from how many places."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_account(by, member.user)
        count = _end_all_sessions(member.user)
        _record_twice(member, by, "user.sessions_ended", {"sessions": (count, 0)})
    return count


def unlock(member: Membership, *, by: Membership) -> None:
    """Let somebody try again who was locked out after too many wrong passwords."""
    with transaction.atomic(), authority.somebody_stays(by.vault):
        member = _fresh(member, by)
        authority.ensure_account(by, member.user)
        addresses = lockout.locked_addresses(member.user)
        lockout.unlock(member.user)
        _record_twice(member, by, "user.unlocked", {"locked from": (addresses, [])})


def create_administrator(*, email: str, name: str, password: str | None, by: Actor, now: datetime) -> str:
    """A Domain Administrator, Vault Owner in every vault. Without a password: the link by which they choose one."""
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise PersonRefused(f"{email} exists already.", field="email")
        user = User.objects.create_user(email, password, name=name, is_domain_admin=True)
        for vault in Vault.objects.order_by("pk"):
            make_owner(user, vault=vault, by=by)
        changes = audit.created(user, ("email", "name", "is_domain_admin"))
        audit.record(vault=None, by=by, event="user.created", subject=user, changes=changes)
        return "" if password else links.issue(user, purpose=links.INVITATION, now=now)


def make_owner(user: User, *, vault: Vault, by: Actor) -> Membership:
    """Make somebody Vault Owner of a vault they are not in yet; for set-up and commands, which nobody signs in for."""
    with transaction.atomic():
        owner = standard_profiles.find(vault, standard_profiles.VAULT_OWNER)
        member = Membership.objects.create(user=user, vault=vault, profile=owner)
        changes: audit.Changes = {"security profile": (None, owner.name)}
        audit.record(vault=vault, by=by, event="member.added", subject=member, changes=changes)
    return member


def _end_all_sessions(user: User) -> int:
    """Sign a person and their programs out everywhere; API access tokens stay, they are revoked one by one."""
    return sessions.end_all(user) + api_sessions.end_of_user(user, now=clock.now())


def _find_or_create(email: str, name: str) -> tuple[User, bool]:
    user = User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(email, None, name=name), True
    authority.ensure_person(user)
    if not user.is_active:
        raise PersonRefused("This person was deactivated for the whole installation.", field="email")
    return user, False


def _place(user: User, profile: SecurityProfile, by: Membership) -> Membership:
    held = Membership.objects.filter(user=user, vault=by.vault).first()
    if held is not None:
        state = "is already a member here" if held.is_active else "is a deactivated member here: reactivate them"
        raise PersonRefused(f"{user} {state}.", field="email")
    member = Membership.objects.create(user=user, vault=by.vault, profile=profile)
    changes: audit.Changes = {"security profile": (None, profile.name)}
    audit.record(vault=by.vault, by=by, event="member.added", subject=member, changes=changes)
    return member


def _first_link(user: User, *, is_new: bool, by: Membership, now: datetime) -> str:
    # Somebody another vault invited has their link from there: handing out a second one here would hand out the
    # other vault, too.
    waiting = not user.has_usable_password() and not SocialAccount.objects.filter(user=user).exists()
    if is_new or (waiting and not authority.account_refusal(by, user)):
        return links.issue(user, purpose=links.INVITATION, now=now)
    return ""


def _fresh(member: Membership, by: Membership) -> Membership:
    """The row as it is now, under the vault's lock."""
    return Membership.objects.for_request().get(pk=member.pk, vault=by.vault)


def _record_twice(member: Membership, by: Membership, event: str, changes: audit.Changes, *, reason: str = "") -> None:
    """An administrator's act on an account: in the vault's chain, where it happened, and in the installation's."""
    audit.record(vault=by.vault, by=by, event=event, subject=member, changes=changes, reason=reason)
    audit.record(vault=None, by=by, event=event, subject=member.user, changes=changes, reason=reason)
