"""What a person must show at signing, and whether they did. The rule is in the package's own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.http import urlencode

from vaultadmin import clock
from vaultadmin.accounts.forms import ReauthenticateForm
from vaultadmin.models import Membership, User
from vaultadmin.models.signature import SigningMethod
from vaultadmin.services import second_factor
from vaultadmin.signing.services import PROOF_LASTS, NotProven, Proof

_CONFIRM = "Confirm first that it is you, then complete."
_NO_WAY = "You have no password and no passkey to sign with. Set one up on your account's pages first."
_ACT, _ALL_SHOWN = "signing_act", "signing_all_shown"
_PASSKEY = "mfa_reauthenticate:webauthn"
_PASSWORD = "reauthenticate"  # nosec B105  # pragma: allowlist secret
# An identity provider dates its proof by its own clock, to the second.
_CLOCK_TOLERANCE = 60


class Wrong(NotProven):
    """A component was wrong or missing; `field` is the form field it belongs to."""

    def __init__(self, sentence: str, *, field: str, locked: bool = False) -> None:
        super().__init__(sentence)
        self.field, self.locked = field, locked


@dataclass(frozen=True)
class Elsewhere:
    """A way to sign that is shown on a page of its own: a passkey, or the identity provider."""

    id: str
    label: str
    url: str


@dataclass(frozen=True)
class Needs:
    """What this person is asked for: fields of the dialog, ways elsewhere, or nothing more."""

    password: bool
    code: bool
    elsewhere: list[Elsewhere] = field(default_factory=list)
    shown: Proof | None = None
    draft: dict[str, Any] = field(default_factory=dict)


def needs(request: HttpRequest, member: Membership, *, act: str) -> Needs:
    """What must be shown for `act`, a text that names the record and the version that is signed."""
    user = member.user
    shown = _shown_elsewhere(request, user, act)
    typed = user.has_usable_password() and shown is None
    code = typed and second_factor.is_set_up(user) and not _all_shown(request, user)
    draft = _noted(request).get("draft", {}) if _noted(request).get("act") == act else {}
    return Needs(typed, code, _elsewhere(request, user) if shown is None else [], shown, draft)


def leave(request: HttpRequest, member: Membership, *, act: str, way: str, back: str, draft: dict[str, Any]) -> str:
    """Remember what is being signed and what was filled in; returns the page where the person shows it."""
    found = next((item for item in _elsewhere(request, member.user) if item.id == way), None)
    if found is None:
        raise Wrong("This way of signing is not set up for you.", field="password")
    request.session[_ACT] = {"act": act, "at": clock.now().timestamp(), "draft": draft}
    return f"{found.url}{'&' if '?' in found.url else '?'}{urlencode({'next': back})}"


def prove(request: HttpRequest, member: Membership, *, act: str, password: str, code: str) -> Proof:
    """Check what was shown; Wrong with one sentence when it does not do. Counts and locks as signing in does."""
    asked = needs(request, member, act=act)
    if asked.shown is not None:
        del request.session[_ACT]
        return asked.shown
    if not asked.password:
        raise Wrong(_CONFIRM if asked.elsewhere else _NO_WAY, field="password")
    if not password:
        raise Wrong("Enter your password to sign.", field="password")
    if asked.code and not code:
        raise Wrong(
            "Enter the code of your second factor, too: this is your first signature since you signed in.", field="code"
        )
    _check_password(request, member.user, password)
    if asked.code:
        _check_code(member.user, code)
        request.session[_ALL_SHOWN] = str(member.user.pk)
    method = SigningMethod.PASSWORD_AND_CODE if asked.code else SigningMethod.PASSWORD
    return Proof(member.user.pk, method, clock.now())


def _check_password(request: HttpRequest, user: User, password: str) -> None:
    try:
        right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise Wrong(error.messages[0], field="password", locked=True) from error
    finally:
        locked = getattr(request, "axes_locked_out", False)
        # The answer is this dialog with its sentence; axes would put a page of its own in its place.
        request.axes_locked_out = False  # type: ignore[attr-defined]
    if locked:
        raise Wrong("Too many wrong passwords. Wait a quarter of an hour, then sign.", field="password", locked=True)
    if not right:
        raise Wrong("This is not your password. Nothing was signed.", field="password")


def _check_code(user: User, code: str) -> None:
    form = ReauthenticateForm({"code": code}, user=user)
    if not form.is_valid():
        raise Wrong(" ".join(form.errors["code"]), field="code")


def _elsewhere(request: HttpRequest, user: User) -> list[Elsewhere]:
    methods = get_adapter().get_reauthentication_methods(user)
    if user.has_usable_password():
        methods = [method for method in methods if method["id"] == _PASSKEY]
    return [Elsewhere(method["id"], _label(method), method["url"]) for method in methods if method["id"] != _PASSWORD]


def _label(method: dict[str, str]) -> str:
    return "Sign with passkey instead" if method["id"] == _PASSKEY else str(method["description"])


def _shown_elsewhere(request: HttpRequest, user: User, act: str) -> Proof | None:
    """A passkey or the provider, shown after the person left this very act for it."""
    noted, now = _noted(request), clock.now()
    if noted.get("act") != act:
        return None
    since = max(noted["at"], (now - PROOF_LASTS).timestamp())
    for record in reversed(get_authentication_records(request, user)):
        method = _method_of(record)
        early = _CLOCK_TOLERANCE if method is SigningMethod.SINGLE_SIGN_ON else 0
        if method is not None and record["at"] >= since - early:
            if method is not SigningMethod.PASSKEY and user.has_usable_password():
                continue
            return Proof(user.pk, method, datetime.fromtimestamp(record["at"], UTC))
    return None


def _method_of(record: dict[str, Any]) -> SigningMethod | None:
    if record.get("method") == "socialaccount":
        return SigningMethod.SINGLE_SIGN_ON
    if record.get("method") != "mfa" or not record.get("reauthenticated"):
        return None
    return SigningMethod.PASSKEY if record.get("type") == "webauthn" else SigningMethod.CODE


def _noted(request: HttpRequest) -> dict[str, Any]:
    noted = request.session.get(_ACT)
    return noted if isinstance(noted, dict) else {}


def _all_shown(request: HttpRequest, user: User) -> bool:
    return bool(request.session.get(_ALL_SHOWN) == str(user.pk))
