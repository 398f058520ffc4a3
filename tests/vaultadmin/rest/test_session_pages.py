from datetime import timedelta

import pytest

from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from tests.guards.world import signed_in
from vaultadmin import clock
from vaultadmin.models import ApiSession, AuditEvent, Membership
from vaultadmin.permissions import Permission
from vaultadmin.services import api_sessions


@pytest.fixture
def admin(vault):
    return make_member(vault, Permission.ADMIN_USERS)


def sign_in_program(member, client_id="", made=None):
    return api_sessions.create(
        member=member, client_id=client_id, connection=None, ip="192.0.2.7", now=made or clock.now()
    )


def page_of(member, query=""):
    return signed_in(member.user).get(f"/v/{member.vault_id}/api-sessions/{query}").content.decode()


def end(member, what, query=""):
    url = f"/v/{member.vault_id}/api-sessions/{what}end/{query}"
    return signed_in(member.user).post(url)


def test_person_sees_their_own_sessions_and_nobody_elses(vault, member, admin):
    mine, theirs = sign_in_program(member, "rtsm-1").session, sign_in_program(admin).session

    page = page_of(member)

    assert mine.hint in page
    assert "rtsm-1" in page
    assert theirs.hint not in page


def test_who_administers_users_sees_everybodys_of_the_vault_only(vault, member, admin):
    here = sign_in_program(member).session
    elsewhere = sign_in_program(make_member(make_vault())).session
    own = sign_in_program(admin).session

    everybody, mine = page_of(admin), page_of(admin, "?whose=own")

    assert here.hint in everybody
    assert own.hint in everybody
    assert elsewhere.hint not in everybody
    assert own.hint in mine
    assert here.hint not in mine


def test_sessions_not_in_force_are_not_listed(vault, member, admin):
    now = clock.now()
    old = sign_in_program(member, made=now - timedelta(hours=1)).session
    over = sign_in_program(member).session
    api_sessions.end(over, by=member, now=now)
    gone = make_member(vault)
    left = sign_in_program(gone).session
    Membership.objects.filter(pk=gone.pk).update(is_active=False)
    with_old_password = make_member(vault, user=make_user(password=PASSWORD))
    forgotten = sign_in_program(with_old_password).session
    with_old_password.user.set_password("another correct horse battery")
    with_old_password.user.save()

    page = page_of(admin)

    assert not any(session.hint in page for session in (old, over, left, forgotten))
    assert "No API sessions in force" in page


def test_ended_session_is_refused_and_recorded(api, vault, member):
    issued = sign_in_program(member)

    end(member, f"{issued.session.pk}/")
    end(member, f"{issued.session.pk}/")

    assert api_sessions.authenticate(issued.raw, now=clock.now()) is None
    row = AuditEvent.objects.get(event="api_session.ended")
    assert (row.subject_id, row.chain) == (str(issued.session.pk), vault.pk)


def test_all_shown_sessions_end_at_once_each_with_its_row(vault, member, admin):
    issued = [sign_in_program(member), sign_in_program(admin), sign_in_program(admin)]
    elsewhere = sign_in_program(make_member(make_vault()))

    end(admin, "", "?whose=own")
    assert [api_sessions.authenticate(one.raw, now=clock.now()) is None for one in issued] == [False, True, True]

    end(admin, "")
    assert api_sessions.authenticate(issued[0].raw, now=clock.now()) is None
    assert api_sessions.authenticate(elsewhere.raw, now=clock.now())
    assert AuditEvent.objects.filter(event="api_session.ended", chain=vault.pk).count() == 3


def test_person_ends_nobody_elses_sessions(vault, member, admin):
    theirs = sign_in_program(admin)

    answer = end(member, f"{theirs.session.pk}/")
    end(member, "")

    assert answer.status_code == 404
    assert ApiSession.objects.open().filter(pk=theirs.session.pk).exists()


def test_dialogs_say_what_will_happen(vault, member, admin):
    session = sign_in_program(member).session

    one = signed_in(admin.user).get(f"/v/{vault.pk}/api-sessions/{session.pk}/end/").content.decode()
    everybody = signed_in(admin.user).get(f"/v/{vault.pk}/api-sessions/end/").content.decode()

    assert f"The program of {member.user.name}" in one
    assert "1 session of this Vault will end" in everybody
