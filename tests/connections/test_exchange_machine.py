from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connections.constants import BindingState, ConnectionState, Verdict
from connections.models import Binding, Connection, OutgoingPeerMessage
from connections.services import deleting, editing, switching
from connections.services.handshake import delivering, parting, withdrawing
from connections.services.refusals import Refused
from tests.connections.handshake import decide, settle, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_approver,
    make_certificate,
    make_vault_to_vault,
)
from tests.factories.people import make_vault
from tests.fakes import carriers
from vaultadmin import clock

FAULTS = st.sampled_from([carriers.PERFECT, *carriers.FAULTS])
SIDES = st.sampled_from(["source", "target"])
SOURCE_MORE_OFTEN = st.sampled_from(["source", "source", "target"])
OTHER = {"source": "target", "target": "source"}


def other_end(binding):
    return Binding.objects.exclude(connection=binding.connection).filter(exchange=binding.exchange).first()


def a_deletion_is_on_its_way(binding):
    rows = OutgoingPeerMessage.objects.filter(exchange=binding.exchange, type="delete", settled_at=None)
    return rows.exclude(vault=binding.connection.vault_id).exists()


def parted_untold(binding):
    """Ended on its side alone: reset there, or by a later agreement that followed a reset."""
    return (
        binding.state == BindingState.ENDED
        and Binding.objects.filter(connection=binding.connection, end_reason=parting.RESET).exists()
    )


class TwoVaults(RuleBasedStateMachine):
    """People of two vaults do what they may in any order, over a carrier that loses, doubles and reorders."""

    def __init__(self):
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.carrier = carriers.UnreliableCarrier()
        self.patch = pytest.MonkeyPatch()
        carriers.use(self.patch, self.carrier)
        make_certificate()
        source, target = make_vault(), make_vault()
        self.admins = {"source": make_admin(source), "target": make_admin(target)}
        self.approvers = {"source": make_approver(source), "target": make_approver(target)}
        self.file = None

    @initialize(named=st.sampled_from([False, False, True]), fault=FAULTS)
    def prepare(self, named, fault):
        self.named = named
        remote = self.admins["target"].vault_id if named else None
        self.records = {
            "source": make_vault_to_vault(self.admins["source"], remote_vault_id=remote),
            "target": make_vault_to_vault(self.admins["target"]),
        }
        self.upload(fault=fault, new_file=True, giver="source")

    def record(self, side):
        return Connection.objects.get(pk=self.records[side].pk)

    def binding(self, side):
        return Binding.objects.filter(connection=self.records[side]).order_by("-pk").first()

    @rule(fault=FAULTS, new_file=st.booleans(), giver=SOURCE_MORE_OFTEN)
    def upload(self, fault, new_file, giver):
        taker = OTHER[giver]
        if new_file or self.file is None:
            self.attempt(lambda: setattr(self, "file", download(self.record(giver), self.admins[giver])))
        self.carrier.fault = fault
        if self.file:
            self.attempt(lambda: upload(self.file, self.admins[taker], self.record(taker)))

    @rule(sides=st.permutations(["source", "target"]), fault=FAULTS)
    def approve(self, sides, fault):
        for side in sides:
            self.decide(side, Verdict.APPROVE)
            self.send(fault=fault)

    @rule(side=st.sampled_from(["source", "target"]), verdict=st.sampled_from(Verdict))
    def decide(self, side, verdict):
        if binding := self.binding(side):
            self.attempt(lambda: decide(binding, self.approvers[side], verdict))

    @rule(side=st.sampled_from(["source", "target"]))
    def withdraw(self, side):
        if binding := self.binding(side):
            self.attempt(lambda: withdrawing.withdraw(binding=binding, by=self.admins[side], now=clock.now()))

    @rule(side=SIDES, named=st.booleans())
    def reset(self, side, named):
        self.attempt(lambda: parting.reset(connection=self.record(side), by=self.admins[side], now=clock.now()))
        if named:
            changes = {"remote_vault_id": self.admins[OTHER[side]].vault_id}
            self.attempt(
                lambda: editing.edit(
                    connection=self.record(side), changes=changes, by=self.admins[side], now=clock.now()
                )
            )

    @rule(side=SIDES, act=st.sampled_from([switching.inactivate, switching.activate]))
    def switch(self, side, act):
        self.attempt(lambda: act(connection=self.record(side), by=self.admins[side], now=clock.now()))

    @rule(side=SIDES, chance=st.integers(0, 3))
    def delete(self, side, chance):
        # Now and then only: with every other step a deletion nothing would ever be established.
        if chance:
            return
        deleting.delete(connection=self.record(side), by=self.admins[side], now=clock.now())
        self.records[side] = make_vault_to_vault(self.admins[side])

    @rule(fault=FAULTS)
    def re_establish(self, fault):
        """The steps of the spec: reset, download anew, upload on the record of the other vault, approve."""
        self.reset("source", named=False)
        self.upload(fault=fault, new_file=True, giver="source")
        self.approve(["source", "target"], fault=carriers.PERFECT)

    @rule(fault=FAULTS)
    def send(self, fault):
        self.carrier.fault = fault
        OutgoingPeerMessage.objects.filter(settled_at=None).update(due_at=clock.now() - timedelta(seconds=1))
        delivering.deliver_due(now=clock.now(), limit=1)

    @precondition(lambda self: self.carrier.carried)
    @rule(number=st.integers(0, 50))
    def come_again(self, number):
        self.carrier.again(number, now=clock.now())

    def attempt(self, act):
        try:
            act()
        except Refused:
            return

    @invariant()
    def active_means_the_other_side_is_known_there(self):
        for binding in Binding.objects.in_force():
            other = other_end(binding)
            if other is None:
                assert a_deletion_is_on_its_way(binding)
                continue
            assert other.peer_certificate_pem == binding.connection.signing_certificate.pem
            assert other.peer_connection_id == binding.connection.record_id

    @invariant()
    def record_and_binding_agree(self):
        for record in Connection.objects.filter(pk__in=[row.pk for row in getattr(self, "records", {}).values()]):
            in_force = record.bindings.in_force().exists()
            if record.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE):
                assert in_force
            if record.state == ConnectionState.APPROVED:
                assert record.bindings.get(state=BindingState.APPROVING).local_verdict == Verdict.APPROVE
            if record.state == ConnectionState.DISCONNECTED:
                assert not in_force

    def teardown(self):
        try:
            if hasattr(self, "records"):
                self.carrier.fault = carriers.PERFECT
                settle()
                self.assert_converged()
        finally:
            self.patch.undo()
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)

    def assert_converged(self):
        for binding in Binding.objects.in_force():
            # Both hold it, or the other side was reset, of which nobody is told.
            other = other_end(binding)
            assert other is not None
            assert other.state == BindingState.IN_FORCE or parted_untold(other)
        open_ones = Binding.objects.open().values_list("exchange", flat=True)
        assert len(open_ones) == 2 * len(set(open_ones))


@pytest.mark.evidence
@pytest.mark.django_db
def test_two_vaults_converge_whatever_the_carrier_does(goal):
    c3 = goal("C3")
    examples, steps = c3.count(small=15, full=1250), c3.count(small=15, full=40)
    run_state_machine_as_test(
        TwoVaults,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    c3.reached(figure=examples * steps, target=examples * steps, ok=True)
