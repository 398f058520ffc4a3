"""Single sign-on by OpenID Connect: for people who are already here, never a way to become somebody.

The provider is chosen by the operator in the environment, so its word counts, but only its plain word: the first time,
`email_verified` must be true and the address must be that of exactly one active person who has no other account at
this provider. From then on the provider's own id of the person (`sub`) decides, not an address that may be reassigned.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from vaultadmin.accounts import trail
from vaultadmin.models import User

# The provider must ask again and say when it did; an old session there proves nothing now.
_ASK_AGAIN = urlencode({"prompt": "login", "max_age": "0"})
_NOT_LINKED = (
    "Your single sign-on account belongs to nobody here. Ask an administrator to invite the address you use there."
)


def admit(request: HttpRequest, sociallogin: Any) -> None:
    """Let the visitor in as the person they are, linking the account the first time; else back to the sign-in page."""
    if sociallogin.state.get("process") == "connect":
        raise _turned_away(request, sociallogin, "Accounts are linked by signing in with single sign-on.")
    if sociallogin.is_existing:
        if not sociallogin.user.is_active:
            raise _turned_away(request, sociallogin, _NOT_LINKED)
    else:
        user = _vouched_for(sociallogin)
        if user is None:
            raise _turned_away(request, sociallogin, _NOT_LINKED)
        sociallogin.connect(request, user)
        trail.single_sign_on_linked(user, provider=sociallogin.account.provider)
    request.sign_on_time = _provider_time(sociallogin)  # type: ignore[attr-defined]


def reauthentication_methods(request: HttpRequest, user: Any) -> list[dict[str, str]]:
    """Signing in again at the provider, for people who have neither password nor second factor."""
    account = SocialAccount.objects.filter(user=user.pk).first()
    if account is None:
        return []
    provider = account.get_provider(request)
    url = provider.get_login_url(request, process="login", auth_params=_ASK_AGAIN)
    return [{"id": "single_sign_on", "description": f"Sign in with {provider.name} again", "url": url}]


def _vouched_for(sociallogin: Any) -> User | None:
    # `verified` comes from JSON: the text "false" must not count as true.
    addresses = {item.email.lower() for item in sociallogin.email_addresses if item.verified is True}
    if len(addresses) != 1:
        return None
    user = User.objects.filter(email=addresses.pop(), is_active=True, is_system=False).first()
    if user is None or SocialAccount.objects.filter(user=user, provider=sociallogin.account.provider).exists():
        return None
    return user


def _provider_time(sociallogin: Any) -> float | None:
    """When the provider last saw the person prove themselves, if it says so (claim `auth_time`)."""
    claims = (sociallogin.account.extra_data or {}).get("id_token") or {}
    stamp = claims.get("auth_time")
    return float(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else None


def _turned_away(request: HttpRequest, sociallogin: Any, sentence: str) -> ImmediateHttpResponse:
    trail.single_sign_on_refused(provider=sociallogin.account.provider, uid=sociallogin.account.uid)
    messages.error(request, sentence)
    return ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
