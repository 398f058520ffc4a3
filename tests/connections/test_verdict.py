from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import Argon2PasswordHasher

from connections.constants import Verdict
from connections.models import Binding
from connections.services import editing
from connections.services.handshake import exchange
from tests.connections.handshake import decide, fresh, other_side, settle, states, steps_of, upload
from tests.connections.pages import HTMX, hidden_fields, sign_in
from tests.factories.people import PASSWORD
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent, Membership, Signature, Task
from vaultadmin.models.signature import SigningMethod
from vaultadmin.models.task import TaskStatus
from vaultadmin.signing import services as signing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    for name, cost in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, cost)


@pytest.fixture
def running(pair):
    return upload(pair.file(), pair.target_admin)


@pytest.fixture
def approver(pair):
    pair.target_approver.user.set_password(PASSWORD)
    pair.target_approver.user.save()
    return SimpleNamespace(member=pair.target_approver, browser=sign_in(pair.target_approver))


def url_of(binding):
    return f"/v/{binding.connection.vault_id}/admin/connections/{binding.connection.api_name}/complete/"


def form_of(browser, binding):
    return hidden_fields(browser.get(url_of(binding), headers=HTMX).content.decode())


def post(browser, binding, form=None, **fields):
    values = {"verdict": "approve", "password": PASSWORD} | fields
    return browser.post(url_of(binding), (form or form_of(browser, binding)) | values, headers=HTMX)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def undecided(binding):
    return (
        not fresh(binding).local_verdict
        and not Signature.objects.exists()
        and states(binding.connection) == ["Pending"]
    )


def proves_with_passkey(browser, at=None):
    session = browser.session
    record = {"method": "mfa", "type": "webauthn", "reauthenticated": True, "at": at or clock.now().timestamp()}
    session["account_authentication_methods"] = [*session["account_authentication_methods"], record]
    session.save()


def owns_passkey(user):
    return user.authenticator_set.create(type="webauthn", data={"name": "Key", "credential": {}})


def test_approval_is_signed_over_the_plan_that_was_shown(running, approver):
    version = form_of(approver.browser, running)["version"]

    assert post(approver.browser, running, comment="Checked.").status_code == 204

    binding = fresh(running)
    signature = binding.local_signature
    assert signature.version == binding.local_version == version
    assert signature.method == SigningMethod.PASSWORD
    assert signing.verify(signature, subject=binding, version=version)
    assert "Approval" in signature.meaning


def test_signature_of_one_request_does_not_verify_on_another(pair, running, approver):
    post(approver.browser, running)
    other = upload(pair.file(), pair.target_admin)

    signature = fresh(running).local_signature
    assert not signing.verify(signature, subject=other, version=exchange.version_of(other))
    assert not signing.verify(signature, subject=other, version=signature.version)


def test_timeline_of_both_sides_shows_printed_name_time_and_meaning(running, approver):
    post(approver.browser, running)
    settle()

    for connection in (running.connection, other_side(running).connection):
        step = next(step for step in steps_of(fresh(connection)) if step["title"].startswith("Approved"))
        assert step["by"] == approver.member.user.name
        assert step["at"] is not None
        assert "Approval of connection" in step["note"]
        assert "Password" in step["note"]


def test_record_history_carries_the_signature(running, approver):
    post(approver.browser, running)

    row = AuditEvent.objects.get(event="signature.given")
    assert row.changes["Signed by"] == [None, approver.member.user.name]
    assert row.changes["Signed at"][1].endswith("+00:00")


def test_wrong_password_changes_nothing_and_is_counted(running, approver):
    for _ in range(5):
        answer = post(approver.browser, running, password="wrong horse")
        assert answer.status_code == 422
        assert "This is not your password" in text_of(answer)
        assert "wrong horse" not in text_of(answer)

    assert undecided(running)
    assert AuditEvent.objects.filter(event="sign_in.failed").count() == 5


def test_too_many_wrong_passwords_lock_as_signing_in_does(running, approver):
    answers = [post(approver.browser, running, password="wrong horse") for _ in range(11)]

    assert answers[-1].status_code == 429
    assert "Too many" in text_of(answers[-1])
    locked = post(approver.browser, running)
    assert locked.status_code == 429
    assert undecided(running)


def test_verdict_without_password_is_refused(running, approver):
    answer = post(approver.browser, running, password="")

    assert answer.status_code == 422
    assert "Enter your password" in text_of(answer)
    assert undecided(running)


def test_fresh_sign_in_does_not_replace_the_password(running, approver):
    assert post(approver.browser, running, password="").status_code == 422


def test_stale_sign_in_is_no_hindrance(running, approver):
    session = approver.browser.session
    session["account_authentication_methods"][0]["at"] -= 3000
    session.save()

    assert post(approver.browser, running).status_code == 204


def test_first_signature_of_a_session_needs_the_second_factor_and_the_next_only_the_password(pair, running, approver):
    user = approver.member.user
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(user).get_unused_codes()

    assert post(approver.browser, running).status_code == 422
    assert post(approver.browser, running, code="000000").status_code == 422
    assert undecided(running)
    assert post(approver.browser, running, code=codes[0]).status_code == 204
    assert fresh(running).local_signature.method == SigningMethod.PASSWORD_AND_CODE

    second = upload(pair.file(), pair.target_admin)
    assert post(approver.browser, second).status_code == 204
    assert fresh(second).local_signature.method == SigningMethod.PASSWORD

    third = upload(pair.file(), pair.target_admin)
    assert post(sign_in(approver.member), third).status_code == 422


def test_passkey_shown_for_this_act_replaces_the_password(running, approver):
    owns_passkey(approver.member.user)
    left = post(approver.browser, running, password="", comment="Called them.", sign_with="mfa_reauthenticate:webauthn")
    assert left.status_code == 204
    assert "webauthn" in left["HX-Redirect"]

    proves_with_passkey(approver.browser)
    back = text_of(approver.browser.get(url_of(running)))
    assert "Passkey shown" in back
    assert "Called them." in back
    assert 'type="password"' not in back

    assert post(approver.browser, running).status_code == 204
    assert fresh(running).local_signature.method == SigningMethod.PASSKEY


def test_enter_completes_and_does_not_go_to_a_passkey(running, approver):
    owns_passkey(approver.member.user)

    page = approver.browser.get(url_of(running), headers=HTMX).content.decode()

    assert page.index(">Complete<") < page.index('name="sign_with"')


def test_passkey_shown_for_one_request_does_not_sign_another(pair, running, approver):
    owns_passkey(approver.member.user)
    other = upload(pair.file(), pair.target_admin)
    post(approver.browser, running, password="", sign_with="mfa_reauthenticate:webauthn")
    proves_with_passkey(approver.browser)

    assert post(approver.browser, other, password="").status_code == 422
    assert post(approver.browser, running, password="").status_code == 204
    assert undecided(other) or not fresh(other).local_verdict


def test_passkey_shown_before_the_dialog_does_not_sign(running, approver):
    owns_passkey(approver.member.user)
    proves_with_passkey(approver.browser, at=clock.now().timestamp() - 5)
    post(approver.browser, running, password="", sign_with="mfa_reauthenticate:webauthn")

    assert post(approver.browser, running, password="").status_code == 422
    assert undecided(running)


def test_person_without_any_credential_is_told_what_to_do(pair, running):
    answer = post(sign_in(pair.target_approver), running)

    assert answer.status_code == 422
    assert "no password and no passkey" in text_of(answer)
    assert undecided(running)


def test_change_between_look_and_click_is_marked_and_must_be_looked_at_again(pair, running, approver):
    form = form_of(approver.browser, running)
    editing.edit(
        connection=running.connection,
        changes={"authorized_user": pair.target_admin},
        by=pair.target_admin,
        now=clock.now(),
    )

    answer = post(approver.browser, running, form, comment="Fine.")

    assert answer.status_code == 409
    page = text_of(answer)
    assert "This changed since you opened it" in page
    assert pair.target_admin.user.email in page
    assert "Fine." in page
    assert undecided(running)
    again = hidden_fields(answer.content.decode())
    assert post(approver.browser, running, again).status_code == 204


@pytest.mark.parametrize("seen", ["", "forged", "x" * 5000])
def test_forged_plan_of_before_is_not_shown(running, approver, seen):
    form = form_of(approver.browser, running) | {"version": "0" * 64, "seen": seen}

    answer = post(approver.browser, running, form)

    assert answer.status_code == 409
    assert undecided(running)


def test_double_submit_decides_once(running, approver):
    form = form_of(approver.browser, running)

    first, second = post(approver.browser, running, form), post(approver.browser, running, form)

    assert (first.status_code, second.status_code) == (204, 409)
    assert Signature.objects.count() == 1


def test_permission_removed_a_moment_ago_is_refused(running, approver):
    form = form_of(approver.browser, running)
    approver.member.profile.permissions = ["connection_read"]
    approver.member.profile.save()

    assert post(approver.browser, running, form).status_code == 403
    assert undecided(running)


def test_deactivated_approver_is_refused_by_the_service_too(running, approver):
    Membership.objects.filter(pk=approver.member.pk).update(is_active=False)

    with pytest.raises(Exception, match="does not include"):
        decide(running, approver.member)

    assert undecided(running)


def test_reject_needs_words_and_is_signed(running, approver):
    assert post(approver.browser, running, verdict="reject").status_code == 422
    assert post(approver.browser, running, verdict="reject", comment="Wrong company.").status_code == 204
    settle()

    assert fresh(running).local_signature.meaning.startswith("Rejection")
    assert other_side(running).remote_meaning.startswith("Rejection")


def test_verdict_the_inbox_asked_for_is_chosen_already(running, approver):
    page = approver.browser.get(url_of(running) + "?verdict=reject", headers=HTMX).content.decode()

    chosen = [tag for tag in page.split("<input")[1:] if "checked" in tag.split(">")[0]]
    assert len(chosen) == 1
    assert 'value="reject"' in chosen[0]


def test_words_need_not_be_compared_inside_one_installation(running, approver):
    assert running.six_words in text_of(approver.browser.get(url_of(running), headers=HTMX))
    assert post(approver.browser, running).status_code == 204
    assert not fresh(running).words_compared


def test_compared_words_are_kept_and_shown(running, approver):
    post(approver.browser, running, compared="on")

    assert fresh(running).words_compared
    assert any("six words were compared" in step.get("note", "") for step in steps_of(running.connection))


def test_words_must_be_compared_before_approving_a_vault_of_another_installation(running, approver):
    Binding.objects.filter(pk=running.pk).update(peer_installation_id="00000000-0000-0000-0000-000000000009")

    answer = post(approver.browser, running)

    assert answer.status_code == 422
    assert "Compare the six words" in text_of(answer)
    assert undecided(running)
    with pytest.raises(Exception, match="Compare the six words"):
        decide(fresh(running), approver.member)
    assert post(approver.browser, running, compared="on").status_code == 204


def test_vault_of_another_installation_can_be_rejected_without_comparing(running, approver):
    Binding.objects.filter(pk=running.pk).update(peer_installation_id="00000000-0000-0000-0000-000000000009")

    assert post(approver.browser, running, verdict="reject", comment="They differ.").status_code == 204


def test_both_sides_and_their_signatures_are_on_the_dialog(pair, running, approver):
    decide(other_side(running), pair.source_approver)
    settle()

    page = text_of(approver.browser.get(url_of(running), headers=HTMX))
    assert "Us: " + pair.target.name in page
    assert f"Approve signed by {pair.source_approver.user.name}" in page


def test_approval_there_between_look_and_click_is_no_change_of_the_plan(pair, running, approver):
    form = form_of(approver.browser, running)
    decide(other_side(running), pair.source_approver)
    settle()

    assert post(approver.browser, running, form).status_code == 204
    assert states(running.connection) == ["Active"]


def test_old_request_is_refused_as_lapsed(running, approver):
    Binding.objects.filter(pk=running.pk).update(lapses_at=clock.now() - timedelta(seconds=1))

    answer = approver.browser.post(url_of(running), {"verdict": "approve", "password": PASSWORD}, headers=HTMX)

    assert answer.status_code == 409
    assert "lapsed" in text_of(answer)
    assert undecided(running)


def test_completed_task_keeps_the_comment(running, approver):
    post(approver.browser, running, comment="Called them.")

    task = Task.objects.get(vault=running.connection.vault, status=TaskStatus.COMPLETED)
    assert (task.verdict, task.comment) == (Verdict.APPROVE, "Called them.")
    assert audit.history(task).filter(event="task.completed").exists()
