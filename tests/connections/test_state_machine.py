import pytest
from django.db import OperationalError
from django.db import connection as database
from django_fsm import ConcurrentTransition

from connections.constants import ConnectionState
from connections.models import Connection
from tests.factories.connections import make_admin, make_local

pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    return make_local(make_admin())


def give_way(*_args):
    raise OperationalError("the connection was lost")


def test_reload_takes_the_state_another_moved_it_to(row):
    Connection.objects.filter(pk=row.pk).update(state=ConnectionState.INACTIVE)

    row.refresh_from_db()

    assert row.state == ConnectionState.INACTIVE
    row.activate()
    row.save()
    assert Connection.objects.get(pk=row.pk).state == ConnectionState.ACTIVE


def test_reload_of_other_fields_brings_the_state_along_so_that_a_move_starts_from_it(row):
    Connection.objects.filter(pk=row.pk).update(state=ConnectionState.INACTIVE, description="Changed", name="Other")

    row.refresh_from_db(fields=["description"])

    assert (row.description, row.name, row.state) == ("Changed", "Itself", ConnectionState.INACTIVE)
    row.activate()
    row.save(update_fields=["state"])
    assert Connection.objects.get(pk=row.pk).state == ConnectionState.ACTIVE


def test_move_from_a_state_another_left_is_refused(row):
    Connection.objects.filter(pk=row.pk).update(state=ConnectionState.INACTIVE)

    row.inactivate()

    with pytest.raises(ConcurrentTransition):
        row.save()


@pytest.mark.parametrize("fields", [None, ["state"], ["name"]])
def test_reload_that_fails_changes_nothing_and_keeps_protecting(row, fields):
    with database.execute_wrapper(give_way), pytest.raises(OperationalError):
        row.refresh_from_db(fields=fields)

    assert row.state == ConnectionState.ACTIVE
    with pytest.raises(AttributeError):
        row.state = ConnectionState.PENDING


def test_reload_while_another_row_reloads_is_not_refused(row):
    other = Connection.objects.get(pk=row.pk)
    nested = []

    def reload_other(execute, *arguments):
        if not nested:
            nested.append(True)
            other.refresh_from_db()
        return execute(*arguments)

    with database.execute_wrapper(reload_other):
        row.refresh_from_db()

    assert nested
    with pytest.raises(AttributeError):
        other.state = ConnectionState.PENDING


def test_deferred_state_is_loaded_and_protected(row):
    bare = Connection.objects.defer("state").get(pk=row.pk)

    assert bare.state == ConnectionState.ACTIVE
    with pytest.raises(AttributeError):
        bare.state = ConnectionState.PENDING


def test_whole_reload_forgets_relations_it_knew(row):
    assert row.vault.name
    known = list(Connection.objects.prefetch_related("aliases").get(pk=row.pk).aliases.all())
    prefetched = Connection.objects.prefetch_related("aliases").get(pk=row.pk)
    prefetched.aliases.model.objects.create(connection=row, vault=row.vault, api_name="older_name")

    prefetched.refresh_from_db()

    assert prefetched.aliases.count() == len(list(prefetched.aliases.all())) == len(known) + 1
