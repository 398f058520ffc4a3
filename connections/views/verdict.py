"""The dialog *Complete task*: look at the plan, compare the six words, give the verdict and sign it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing as cookies
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections import foresight
from connections.constants import Verdict
from connections.foresight import Difference, Plan
from connections.forms.verdict import CompleteForm
from connections.models import Binding, Connection
from connections.selectors import connections as selectors
from connections.selectors.foresight import plan_of, since_last_agreement
from connections.services.handshake import approving
from connections.services.refusals import Refused
from connections.views.common import record_or_404, record_url
from connections.views.dialogs import dialog, done
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.signing import credentials
from vaultadmin.signing.services import version_of
from vaultadmin.together import answer
from vaultadmin.worklist.holding import own_requests_allowed

_SALT = "connections.views.verdict"
_LOOK_AGAIN = "This changed since you opened it. Look at what is marked, then decide again."


@dataclass(frozen=True)
class _Look:
    """What is on the screen: the plan, its hash, and what this person is asked for to sign exactly this."""

    binding: Binding
    plan: Plan
    version: str
    needs: credentials.Needs
    # In whose place this person decides, when not as themselves.
    place: Membership | None

    @property
    def act(self) -> str:
        return _act(self.binding, self.version, self.place)

    @property
    def place_id(self) -> str:
        return str(self.place.pk) if self.place else ""


@require_http_methods(["GET", "POST"])
@requires(Permission.WORKFLOW_PARTICIPATE)
def complete(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Complete task*. Credentials are asked for in the dialog itself, for this one act (security.md G8, L4)."""
    connection = record_or_404(request, api_name)
    binding = selectors.open_binding(connection)
    if binding is None:
        return _refused(request, connection, "No approval waits here.")
    binding.connection = connection
    if refusal := answer(approving.refusal_now(binding, request.member, now=clock.now())):
        return _refused(request, connection, refusal)
    look = _look(request, binding)
    if request.method != "POST":
        return _show(request, look, _form(look, initial=_initial(request, look)))
    form = _form(look, request.POST)
    if (form.data.get("version"), form.data.get("place", "")) != (look.version, look.place_id):
        return _look_again(request, binding, form)
    if not form.is_valid():
        return _show(request, look, form, status=422)
    if way := form.cleaned_data["sign_with"]:
        return _leave(request, look, form, way)
    return _decide(request, look, form)


def _decide(request: MemberRequest, look: _Look, form: CompleteForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        proof = credentials.prove(
            request, request.member, act=look.act, password=data.get("password", ""), code=data.get("code", "")
        )
        decided = approving.complete(
            binding=look.binding,
            verdict=data["verdict"],
            comment=data["comment"],
            seen_version=look.version,
            proof=proof,
            words_compared=data["compared"],
            in_place_of=data["place"],
            by=request.member,
            now=clock.now(),
        )
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=429 if wrong.locked else 422)
    except approving.Changed:
        return _look_again(request, look.binding, form)
    except Refused as error:
        return _refused(request, look.binding.connection, str(error))
    return done(request, decided.connection, _told(decided, data["verdict"]))


def _look(request: MemberRequest, binding: Binding) -> _Look:
    plan = plan_of(binding)
    version = version_of(plan)
    place = approving.place_of(binding, request.member, now=clock.now())
    needs = credentials.needs(request, request.member, act=_act(binding, version, place))
    return _Look(binding, plan, version, needs, place)


def _act(binding: Binding, version: str, place: Membership | None) -> str:
    """What one proof is good for: this request, seen like this, decided in this person's place."""
    return f"{binding._meta.label_lower}:{binding.pk}:{version}:{place.pk if place else ''}"


def _initial(request: MemberRequest, look: _Look) -> dict[str, Any]:
    """What was filled in before the person left for a passkey; else the verdict the inbox's key asked for."""
    asked = request.GET.get("verdict", "")
    return look.needs.draft or {"verdict": asked if asked in Verdict.values else ""}


def _form(look: _Look, data: Any = None, initial: dict[str, Any] | None = None) -> CompleteForm:
    seen = cookies.dumps(look.plan, salt=_SALT, compress=True)
    given = (initial or {}) | {"version": look.version, "place": look.place_id, "seen": seen}
    return CompleteForm(data, initial=given, needs=look.needs, words_required=look.binding.joins_installations)


def _leave(request: MemberRequest, look: _Look, form: CompleteForm, way: str) -> HttpResponse:
    """Go to the page where the passkey is shown, and come back to this dialog as it was filled in."""
    draft = {name: form.cleaned_data[name] for name in ("verdict", "comment", "compared")}
    back = record_url(look.binding.connection, "complete")
    try:
        url = credentials.leave(request, request.member, act=look.act, way=way, back=back, draft=draft)
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=422)
    return go(request, url)


def _look_again(request: MemberRequest, binding: Binding, form: CompleteForm) -> HttpResponse:
    """409: the dialog as it is now, with what changed since the person looked; nothing but the comment is kept."""
    connection = record_or_404(request, binding.connection.api_name)
    current = selectors.open_binding(connection)
    if current is None:
        return _refused(request, connection, "This request no longer waits for a decision here.")
    current.connection = connection
    look = _look(request, current)
    again = _form(look, initial={"comment": form.data.get("comment", "")[:2000]})
    changed = _differences(form.data.get("seen", ""), look.plan)
    return _show(request, look, again, status=409, changed=changed, sentence=_LOOK_AGAIN)


def _differences(seen: str, plan: Plan) -> list[Difference]:
    try:
        before: Plan = cookies.loads(seen, salt=_SALT)
    except cookies.BadSignature:
        return []
    return foresight.compare(before, plan)


def _show(
    request: MemberRequest,
    look: _Look,
    form: CompleteForm,
    *,
    status: int = 200,
    changed: list[Difference] | None = None,
    sentence: str = "",
) -> HttpResponse:
    binding = look.binding
    lines = foresight.lines(look.plan)
    groups = {line.group: [other for other in lines if other.group == line.group] for line in lines}
    context = {
        "connection": binding.connection,
        "binding": binding,
        "form": form,
        "needs": look.needs,
        "groups": groups,
        "since": since_last_agreement(binding, look.plan),
        "changed": changed,
        "sentence": sentence,
        "own_request": _is_own_request(request, binding),
        "place": look.place,
        "frame": frame(request),
        "cancel_url": record_url(binding.connection),
    }
    return render(request, "connections/complete.html", context, status=status)


def _is_own_request(request: MemberRequest, binding: Binding) -> bool:
    own = binding.requested_by.user_id == request.member.user_id
    return own and own_requests_allowed(binding.connection.vault)


def _refused(request: MemberRequest, connection: Connection, refusal: str) -> HttpResponse:
    return dialog(request, "complete", connection, refusal, {"form": None})


def _told(decided: Binding, verdict: str) -> str:
    """What the verdict came to, for the person who gave it."""
    if verdict == Verdict.REJECT:
        return f"Rejected and signed. {decided.peer_name} is told, and {decided.connection} can be asked for again."
    return f"Approved and signed. {decided.connection} is now {decided.connection.get_state_display()}."
