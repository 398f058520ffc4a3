from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db import connection as database

from connections.constants import Verdict
from connections.models import (
    Binding,
    Connection,
    ConnectionAlias,
    ConnectionAuthorization,
    ConnectionStats,
    IncomingPeerMessage,
    IssuedFile,
    OutgoingPeerMessage,
)
from connections.services import deleting, editing, switching
from connections.services.handshake import delivering, files, parting, withdrawing
from tests.connections.handshake import decide, fresh, other_side, settle, states, upload
from tests.factories.connections import make_admin, make_authorization, make_external, make_local, make_vault_to_vault
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Membership, Secret, Task

pytestmark = pytest.mark.django_db

TABLES = (
    Connection,
    ConnectionAlias,
    ConnectionAuthorization,
    IssuedFile,
    Binding,
    OutgoingPeerMessage,
    IncomingPeerMessage,
    ConnectionStats,
    Task,
    Secret,
    AuditEvent,
)


def content():
    return {model.__name__: sorted(map(repr, model.objects.values())) for model in TABLES}


@contextmanager
def fault_at(number):
    """The database gives way at one statement; yields whether it did."""
    seen = {"count": 0, "fired": False}

    def give_way(execute, sql, params, many, context):
        if not seen["fired"] and "SAVEPOINT" not in sql and "ROLLBACK" not in sql:
            seen["count"] += 1
            if seen["count"] == number:
                seen["fired"] = True
                raise OperationalError("the connection was lost")
        return execute(sql, params, many, context)

    with database.execute_wrapper(give_way):
        yield seen


def renames(pair):
    connection = make_local(pair.target_admin, api_name="old")
    return lambda: editing.edit(
        connection=connection, changes={"api_name": "new", "name": "New"}, by=pair.target_admin, now=clock.now()
    )


def creates(pair):
    return lambda: make_local(pair.target_admin, api_name="one")


def authorizes(pair):
    return lambda: make_authorization(pair.target_admin)


def downloads(pair):
    connection = make_vault_to_vault(pair.source_admin)
    pair.file(connection=connection)
    return lambda: files.issue(connection=connection, file_id=uuid4(), by=pair.source_admin, now=clock.now())


def approves(pair):
    binding = upload(pair.file(), pair.target_admin)
    decide(other_side(binding), pair.source_approver)
    settle()
    return lambda: decide(binding, pair.target_approver)


def rejects(pair):
    binding = upload(pair.file(), pair.target_admin)
    return lambda: decide(binding, pair.target_approver, Verdict.REJECT)


def withdraws(pair):
    binding = upload(pair.file(), pair.target_admin)
    return lambda: withdrawing.withdraw(binding=binding, by=pair.target_admin, now=clock.now())


def withdraws_for_somebody_who_left(pair):
    binding = upload(pair.file(), pair.target_admin)
    Membership.objects.filter(pk=pair.target_admin.pk).update(is_active=False)
    other = make_admin(pair.target)
    return lambda: withdrawing.withdraw(binding=fresh(binding), by=other, now=clock.now(), reason="They left")


def established(pair):
    connection = upload(pair.file(named=True), pair.target_admin).connection
    ConnectionStats.objects.create(connection=connection, date=clock.now().date(), sent=1)
    return connection


def deletes(pair):
    connection = established(pair)
    return lambda: deleting.delete(connection=fresh(connection), by=pair.target_admin, now=clock.now())


def deletes_while_it_is_asked_for(pair):
    connection = upload(pair.file(), pair.target_admin).connection
    return lambda: deleting.delete(connection=fresh(connection), by=pair.target_admin, now=clock.now())


def resets(pair):
    connection = established(pair)
    return lambda: parting.reset(connection=fresh(connection), by=pair.target_admin, now=clock.now())


def inactivates(pair):
    connection = established(pair)
    return lambda: switching.inactivate(connection=fresh(connection), by=pair.target_admin, now=clock.now())


def activates(pair):
    inactivates(pair)()
    connection = Connection.objects.get(vault=pair.target)
    return lambda: switching.activate(connection=fresh(connection), by=pair.target_admin, now=clock.now())


def uploads_anew(pair):
    target = established(pair)
    source = Connection.objects.get(vault=pair.source)
    parting.reset(connection=source, by=pair.source_admin, now=clock.now())
    raw = pair.file(connection=fresh(source))
    return lambda: upload(raw, pair.target_admin, fresh(target))


DEEDS = [
    creates,
    renames,
    authorizes,
    downloads,
    approves,
    rejects,
    withdraws,
    withdraws_for_somebody_who_left,
    deletes,
    deletes_while_it_is_asked_for,
    resets,
    inactivates,
    activates,
]


@pytest.mark.parametrize("prepare", DEEDS)
def test_service_is_all_or_nothing_wherever_the_database_gives_way(pair, prepare):
    act = prepare(pair)
    before = content()

    for number in range(1, 200):
        with fault_at(number) as fault:
            try:
                act()
            except OperationalError:
                assert content() == before
        if not fault["fired"]:
            break

    assert number > 3
    assert content() != before


@pytest.mark.evidence
@pytest.mark.parametrize("named", [True, False])
def test_upload_heals_wherever_the_database_gives_way(pair, named, goal):
    broken, step = 0, goal("C2").count(small=13, full=1)
    for number in range(1, 400, step):
        source = pair.source_record(remote_vault_id=pair.target.pk if named else None)
        raw = pair.file(connection=source)
        with fault_at(number) as fault:
            try:
                upload(raw, pair.target_admin)
            except OperationalError:
                broken += 1
        settle()
        wanted = "Active" if named else "Pending"
        there = Binding.objects.filter(peer_connection_id=source.record_id).first()
        if there is None:
            assert states(source) == ["Pending"]
            assert upload(raw, pair.target_admin)
        else:
            assert states(source, there.connection) == [wanted, wanted]
        if not fault["fired"]:
            break

    goal("C2").reached(figure=broken * step, target=20, ok=broken * step > 20)


@pytest.mark.parametrize(
    ("prepare", "told"), [(deletes, ["Disconnected"]), (deletes_while_it_is_asked_for, ["Pending"])]
)
def test_deletion_reaches_the_peer_wherever_the_database_gives_way(pair, prepare, told):
    delete = prepare(pair)
    there = Connection.objects.get(vault=pair.source)

    for number in range(1, 400):
        with fault_at(number) as fault, suppress(OperationalError):
            delete()
        if not Connection.objects.filter(vault=pair.target).exists():
            settle()
            assert states(there) == told
            break

    assert not Connection.objects.filter(vault=pair.target).exists()
    assert number > 3
    assert not fault["fired"]


def test_telling_of_a_deletion_heals_wherever_the_database_gives_way(pair):
    for number in range(1, 200, 3):
        target = established(pair)
        source = Connection.objects.get(vault=pair.source)
        deleting.delete(connection=source, by=pair.source_admin, now=clock.now())
        with fault_at(number) as fault, suppress(OperationalError):
            delivering.deliver_due(now=clock.now())
        settle()
        assert states(target) == ["Disconnected"]
        assert not ConnectionStats.objects.filter(connection=target).exists()
        deleting.delete(connection=target, by=pair.target_admin, now=clock.now())
        if not fault["fired"]:
            break

    assert number > 10


@pytest.mark.parametrize("number", range(1, 60, 9))
def test_uploading_anew_keeps_the_old_binding_until_the_new_one_is_in_force(pair, number):
    upload_again = uploads_anew(pair)
    target = Connection.objects.get(vault=pair.target)

    with fault_at(number), suppress(OperationalError):
        upload_again()

    assert target.bindings.in_force().exists()
    settle()
    assert target.bindings.in_force().exists()


def test_external_connection_is_whole_or_absent(pair):
    authorization = make_authorization(pair.target_admin)
    for number in range(1, 60):
        with fault_at(number) as fault:
            try:
                make_external(pair.target_admin, authorization=authorization)
            except OperationalError:
                assert not Connection.objects.exists()
        if not fault["fired"]:
            break

    assert AuditEvent.objects.filter(event="connection.created").count() == Connection.objects.count() == 1
