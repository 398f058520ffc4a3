from datetime import timedelta

import pytest

from connections.constants import BindingState, CloneBehavior, ConnectionState, RecordStatus, TokenType
from connections.models import (
    Binding,
    Connection,
    ConnectionAuthorization,
    Integration,
    IntegrationPoint,
    IssuedFile,
    OutgoingPeerMessage,
    VaultToken,
)
from connections.services import authorizations, editing, standard, switching, tokens
from connections.services.copies import healing
from tests.connections.handshake import other_side, settle, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_authorization,
    make_certificate,
    make_external,
    make_local,
    make_vault_to_vault,
)
from tests.factories.people import make_member, make_vault
from tests.factories.sandboxes import BY, make_keeper, make_sandbox
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Membership, Sandbox, SandboxLink, Secret, Task
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes import building, links, services

TOKEN_URL = "https://${Vault.dns}/api/"


@pytest.fixture(autouse=True)
def certificate(db):
    return make_certificate()


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def keeper(admin):
    return make_keeper(admin.vault)


def copied(keeper, original, **fields) -> Connection:
    sandbox = make_sandbox(keeper, **fields)
    return Connection.objects.get(vault=sandbox.vault, api_name=original.api_name)


def established(admin) -> tuple[Connection, Connection]:
    other = make_admin()
    mine = make_vault_to_vault(admin, remote_vault_id=other.vault_id)
    theirs = upload(download(mine, admin), other).connection
    return Connection.objects.get(pk=mine.pk), theirs


def kinds(sandbox_vault) -> set[tuple[str, str]]:
    return set(SandboxLink.objects.filter(sandbox=sandbox_vault.pk).values_list("kind", "label"))


def test_an_established_connection_is_pending_in_the_copy_only(admin, keeper):
    mine, theirs = established(admin)

    copy = copied(keeper, mine)

    assert copy.state == ConnectionState.PENDING
    assert (copy.remote_vault_id, copy.remote_connection_id) == (None, "")
    assert copy.remote_vault_name == theirs.vault.name
    assert Connection.objects.get(pk=mine.pk).state == ConnectionState.ACTIVE
    assert Connection.objects.get(pk=theirs.pk).state == ConnectionState.ACTIVE
    assert (healing.PEER, mine.name) in kinds(copy.vault)


def test_nothing_of_an_agreement_is_copied_and_nobody_is_told(admin, keeper):
    mine, _theirs = established(admin)
    before = (Binding.objects.count(), IssuedFile.objects.count(), OutgoingPeerMessage.objects.count())

    copy = copied(keeper, mine)

    assert (Binding.objects.count(), IssuedFile.objects.count(), OutgoingPeerMessage.objects.count()) == before
    assert copy.file_generation == 0


def test_an_inactive_one_stays_inactive_and_becomes_pending_when_activated(admin, keeper):
    mine, _theirs = established(admin)
    switching.inactivate(connection=mine, by=admin, now=clock.now())

    copy = copied(keeper, mine)
    switching.activate(connection=copy, by=make_admin(copy.vault), now=clock.now())

    assert copy.state == ConnectionState.INACTIVE
    assert Connection.objects.get(pk=copy.pk).state == ConnectionState.PENDING


def test_a_local_connection_stays_active(admin, keeper):
    copy = copied(keeper, make_local(admin))

    assert copy.state == ConnectionState.ACTIVE
    assert kinds(copy.vault) == set()


def test_an_external_connection_is_inactive_until_a_url_is_entered(admin, keeper):
    original = make_external(admin, url="https://rtsm.example.com/in/")
    copy = copied(keeper, original)
    mender = make_admin(copy.vault)

    assert (copy.state, copy.url) == (ConnectionState.INACTIVE, "")
    assert SandboxLink.objects.get(sandbox=copy.vault_id).note == "https://rtsm.example.com/in/"
    editing.edit(connection=copy, changes={"description": "Seen"}, by=mender, now=clock.now())
    assert Connection.objects.get(pk=copy.pk).state == ConnectionState.INACTIVE
    editing.edit(connection=copy, changes={"url": "https://test.example.com/"}, by=mender, now=clock.now())
    assert Connection.objects.get(pk=copy.pk).state == ConnectionState.ACTIVE


@pytest.mark.parametrize("active", [True, False])
def test_an_external_connection_with_a_token_keeps_url_and_state(admin, keeper, active):
    original = make_external(admin, url=TOKEN_URL)
    if not active:
        switching.inactivate(connection=original, by=admin, now=clock.now())

    copy = copied(keeper, original)

    assert (copy.url, copy.state == ConnectionState.ACTIVE) == (TOKEN_URL, active)
    assert kinds(copy.vault) == set()


def test_an_external_connection_that_was_inactive_is_nothing_to_mend(admin, keeper):
    original = make_external(admin)
    switching.inactivate(connection=original, by=admin, now=clock.now())

    copy = copied(keeper, original)

    assert (copy.state, copy.url) == (ConnectionState.INACTIVE, "")
    assert kinds(copy.vault) == set()


def test_one_without_a_url_is_activated_without_one(admin, keeper):
    original = make_external(admin, url="")

    copy = copied(keeper, original)
    switching.activate(connection=copy, by=make_admin(copy.vault), now=clock.now())

    assert copy.state == ConnectionState.INACTIVE
    assert (healing.INBOUND, original.name) in kinds(copy.vault)
    assert Connection.objects.get(pk=copy.pk).state == ConnectionState.ACTIVE


def test_no_secret_is_copied_and_client_ids_are(admin, keeper):
    make_authorization(admin)
    before = Secret.objects.count()

    sandbox = make_sandbox(keeper)

    copy = ConnectionAuthorization.objects.get(vault=sandbox.vault)
    assert (copy.secret, copy.client_id) == (None, "mv-ext-demo-RTSM")
    assert Secret.objects.count() == before
    assert kinds(sandbox.vault) == {(healing.SECRET, copy.name)}


def test_connections_use_the_authorization_of_their_own_vault(admin, keeper):
    original = make_external(admin, authorization=make_authorization(admin), url=TOKEN_URL)

    copy = copied(keeper, original)

    assert copy.authorization.vault_id == copy.vault_id


def test_client_ids_are_copied(admin, keeper):
    original = make_local(admin)

    copy = copied(keeper, original)

    held, there = (set(row.clients.values_list("client_id", "status")) for row in (original, copy))
    assert held == there != set()


def make_token(admin, name, behavior):
    return tokens.create(
        name=name,
        label=name,
        type=TokenType.STRING,
        value="kept",
        clone_behavior=behavior,
        is_active=True,
        by=admin,
        now=clock.now(),
    )


def test_tokens_follow_their_clone_behavior(admin, keeper):
    make_token(admin, "region", CloneBehavior.PERSIST)
    make_token(admin, "tenant", CloneBehavior.CLEAR)

    sandbox = make_sandbox(keeper)

    assert dict(VaultToken.objects.filter(vault=sandbox.vault).values_list("name", "value")) == {
        "region": "kept",
        "tenant": "",
    }
    assert kinds(sandbox.vault) == {(healing.TOKEN, "tenant")}


def test_standard_connections_come_with_integrations_points_and_statuses():
    vault = make_vault(application="cdms")
    standard.load(vault, by=BY, now=clock.now())
    Integration.objects.filter(vault=vault, api_name="sed_sae__v").update(status=RecordStatus.INACTIVE)
    keeper = make_keeper(vault)

    sandbox = make_sandbox(keeper)

    for model in (Integration, IntegrationPoint):
        there, here = (
            set(model.objects.filter(vault=v).values_list("api_name", "status")) for v in (vault, sandbox.vault)
        )
        assert there == here
    copy = Connection.objects.get(vault=sandbox.vault, standard_key="safety_edc")
    assert (copy.system_managed, copy.api_name) == (True, "safety_cdms_connection__v")
    assert copy.authorized_user.user.is_system
    assert copy.authorized_user.vault_id == sandbox.pk


def test_without_people_the_connections_ask_for_a_user(admin, keeper):
    original = make_local(admin, authorized_user=admin)

    copy = copied(keeper, original, with_people=False)

    assert copy.authorized_user is None
    assert kinds(copy.vault) == {(healing.USER, original.name)}


def test_with_people_the_user_is_the_same_person_there(admin, keeper):
    original = make_local(admin, authorized_user=admin)

    copy = copied(keeper, original)

    assert copy.authorized_user.user == admin.user
    assert copy.authorized_user.vault == copy.vault


def refreshed(sandbox: Sandbox, keeper) -> Sandbox:
    later = clock.now() + timedelta(hours=25)
    services.refresh(sandbox=sandbox, confirmation=sandbox.vault.name, with_people=True, by=keeper, now=later)
    building.build_due(now=later)
    return Sandbox.objects.select_related("vault").get(pk=sandbox.pk)


def test_a_refresh_takes_the_source_as_it_is_now(admin, keeper):
    gone, stays = make_local(admin, name="Gone"), make_local(admin, name="Stays")
    sandbox = make_sandbox(keeper)
    make_local(make_admin(sandbox.vault), name="Made in the sandbox")
    Connection.objects.filter(pk=gone.pk).delete()
    make_local(admin, name="New")

    refreshed(sandbox, keeper)

    own = Connection.objects.filter(vault=sandbox.vault, system_managed=False)
    held = set(own.values_list("name", flat=True))
    assert held == {stays.name, "New"}


def test_a_refresh_makes_reestablished_connections_pending_and_tells_no_peer(admin, keeper):
    mine, _theirs = established(admin)
    copy = copied(keeper, mine)
    sandbox = Sandbox.objects.select_related("vault", "source").get(pk=copy.vault_id)
    in_sandbox, other = make_admin(copy.vault), make_admin()
    editing.edit(connection=copy, changes={"remote_vault_id": other.vault_id}, by=in_sandbox, now=clock.now())
    peer = upload(download(copy, in_sandbox), other).connection
    assert Connection.objects.get(pk=copy.pk).state == ConnectionState.ACTIVE

    refreshed(sandbox, keeper)

    assert Connection.objects.get(vault=sandbox.vault, api_name=mine.api_name).state == ConnectionState.PENDING
    assert Connection.objects.get(pk=peer.pk).state == ConnectionState.ACTIVE
    assert not OutgoingPeerMessage.objects.filter(vault=sandbox.vault, settled_at__isnull=True).exists()


def running_request(admin, keeper) -> tuple[Sandbox, Binding, Binding]:
    copy = copied(keeper, make_vault_to_vault(admin))
    binding = upload(download(copy, make_admin(copy.vault)), make_admin())
    sandbox = Sandbox.objects.select_related("vault", "source").get(pk=copy.vault_id)
    return sandbox, other_side(binding), binding


def test_a_refresh_withdraws_a_request_that_runs_and_tells_its_peer(admin, keeper, django_capture_on_commit_callbacks):
    sandbox, ours, theirs = running_request(admin, keeper)
    assert Task.objects.open().filter(vault=theirs.connection.vault).exists()

    with django_capture_on_commit_callbacks(execute=True):
        refreshed(sandbox, keeper)

    there = Binding.objects.get(pk=theirs.pk)
    assert (there.state, there.end_reason) == (BindingState.WITHDRAWN, "The sandbox was refreshed.")
    assert there.ended_by == keeper.user.name
    assert not Task.objects.open().exists()
    assert not Binding.objects.filter(pk=ours.pk).exists()
    trail = AuditEvent.objects.filter(chain=sandbox.pk)
    assert trail.filter(event="connection.withdrawn", reason="The sandbox was refreshed.").exists()
    assert not OutgoingPeerMessage.objects.filter(settled_at=None).exists()


def test_the_peer_hears_of_it_later_when_it_cannot_be_reached_at_once(admin, keeper):
    sandbox, _ours, theirs = running_request(admin, keeper)

    refreshed(sandbox, keeper)

    [due] = OutgoingPeerMessage.objects.filter(settled_at=None)
    assert (due.type, due.binding) == ("withdraw", None)
    settle()
    assert Binding.objects.get(pk=theirs.pk).state == BindingState.WITHDRAWN


def test_a_refresh_throws_the_sandbox_s_own_secrets_away(admin, keeper):
    make_authorization(admin)
    sandbox = make_sandbox(keeper)
    mender = make_member(sandbox.vault, Permission.AUTHORIZATION_EDIT)
    copy = ConnectionAuthorization.objects.get(vault=sandbox.vault)
    authorizations.edit(authorization=copy, name=copy.name, identity="c", secret="new one", by=mender, now=clock.now())

    refreshed(sandbox, keeper)

    assert not Secret.objects.filter(vault=sandbox.vault).exists()
    assert kinds(sandbox.vault) == {(healing.SECRET, "RTSM credentials")}


def test_links_are_checked_off_as_they_are_mended(admin, keeper):
    make_authorization(admin)
    make_external(admin, name="RTSM link")
    sandbox = make_sandbox(keeper)
    mender = make_admin(sandbox.vault)
    assert links.open_count(sandbox.vault, mender) == 2

    copy = ConnectionAuthorization.objects.get(vault=sandbox.vault)
    authorizations.edit(authorization=copy, name=copy.name, identity="c", secret="new one", by=mender, now=clock.now())
    assert links.open_count(sandbox.vault, mender) == 1
    Connection.objects.filter(vault=sandbox.vault).delete()

    assert links.open_count(sandbox.vault, mender) == 0
    assert [row.healed for row in links.rows(sandbox.vault, mender)] == [True, True]


def test_who_lacks_the_right_is_told_which(admin, keeper):
    make_authorization(admin)
    sandbox = make_sandbox(keeper)
    reader = make_member(sandbox.vault, Permission.CONNECTION_READ)

    (row,) = links.rows(sandbox.vault, reader)

    assert Permission.AUTHORIZATION_EDIT.label in row.refusal


def test_the_copy_and_who_made_it_are_in_the_trail(admin, keeper):
    make_local(admin)

    sandbox = make_sandbox(keeper)

    trail = AuditEvent.objects.filter(chain=sandbox.pk)
    assert set(trail.values_list("event", flat=True)) >= {"vault.created", "connection.copied", "sandbox.built"}
    assert trail.get(event="sandbox.built").actor_id == str(keeper.user_id)
    assert AuditEvent.objects.filter(chain=admin.vault_id, event="sandbox.requested").exists()
    assert Membership.objects.get(vault=sandbox.vault, user=keeper.user).profile.api_name == "vault_owner__v"
