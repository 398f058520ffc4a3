from datetime import timedelta

import pytest
from django.core import mail

from connections.models import SigningCertificate
from connections.services.signing import foretelling, renewing
from connections.tasks import renew_certificates
from tests.connections import rollovers
from tests.connections.rollovers import at, certificate, days
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_user, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import Membership, Notice
from vaultadmin.permissions import Permission
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db
BY = audit.System("Test")


@pytest.fixture(autouse=True)
def shared_keys(monkeypatch):
    rollovers.use_shared_keys(monkeypatch)


@pytest.fixture
def published(admin):
    """Published now; connections move in a hundred days."""
    make_external(admin)
    made = renewing.publish(by=BY, now=clock.now())
    SigningCertificate.objects.filter(pk=made.pk).update(
        release_at=clock.now() + days(100), final_at=clock.now() + days(130)
    )
    return certificate(made.certificate_id)


def tell(moment):
    with at(moment):
        return foretelling.tell_due(now=moment)


def send(moment):
    with at(moment):
        notices.deliver_due(now=moment)
    return mail.outbox


def test_those_who_manage_connections_are_told_a_month_and_a_week_ahead(admin, published):
    ahead = [published.release_at - days(count) for count in (31, 30, 20, 7, 1)]

    written = [tell(moment) for moment in ahead]

    assert written == [0, 1, 0, 1, 0]


def test_mail_says_when_what_changes_and_where_to_read_more(admin, published):
    moment = published.release_at - days(7)
    tell(moment)

    (message,) = send(moment)

    assert message.subject.endswith(f"00001 changes to 00002 on {published.release_at:%d %b %Y}")
    assert f"{admin.vault.name} (1)" in message.body
    assert f"/v/{admin.vault_id}/admin/certificates/00002/" in message.body


def test_person_with_many_vaults_gets_one_mail_that_names_them(admin, published):
    other = make_member(make_vault(name="Second"), *Permission, user=admin.user)
    make_external(other)
    make_member(make_vault(name="Empty"), *Permission, user=admin.user)
    moment = published.release_at - days(1)

    assert tell(moment) == 1
    (message,) = send(moment)

    assert "Second (1)" in message.body
    assert "Empty" not in message.body


def test_nobody_else_is_told(admin, published):
    make_member(admin.vault, Permission.CONNECTION_READ)
    gone = make_member(admin.vault, *Permission)
    Membership.objects.filter(pk=gone.pk).update(is_active=False)
    make_member(admin.vault, *Permission, user=make_user(mail_notices=False))

    tell(published.release_at - days(1))

    assert list(Notice.objects.values_list("user", flat=True)) == [admin.user_id]


def test_begun_rollover_is_told_with_the_way_back(admin, published):
    renewing.release(by=BY, now=clock.now())
    foretelling.tell_due(now=clock.now())

    (message,) = send(clock.now())

    assert message.subject.endswith("Signing certificate 00002 is in use")
    assert "Manage Signing Certificate" in message.body


def test_mail_that_is_overtaken_is_not_sent(admin, published):
    foretelling.tell_due(now=published.release_at - days(1))
    renewing.release(by=BY, now=clock.now())

    assert send(clock.now() + timedelta(days=120)) == []


def test_person_who_lost_the_permission_is_not_told(admin, published):
    moment = published.release_at - days(1)
    tell(moment)
    admin.profile.permissions = [Permission.CONNECTION_READ]
    admin.profile.save()

    assert send(moment) == []


def test_scheduled_task_writes_what_is_due(admin, published):
    with at(published.release_at - days(7)):
        renew_certificates()

    assert Notice.objects.filter(topic=foretelling.TOPIC).count() == 1


def test_days_ahead_are_a_setting(admin, published, settings):
    settings.SIGNING_CERTIFICATE_MAIL_DAYS = (60,)

    assert [tell(published.release_at - days(count)) for count in (61, 60, 7)] == [0, 1, 0]
