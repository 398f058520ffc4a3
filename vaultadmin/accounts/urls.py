"""Sign-in addresses. Only what we offer is routed: no sign-up, no second e-mail addresses, no account linking."""

from allauth.account import views as account
from allauth.socialaccount import views as social
from django.db import transaction
from django.urls import include, path, re_path

from vaultadmin.views import invitations, notices

# A new password and its row in the trail are stored together, or neither is (security.md L3).
_password_change = transaction.atomic(account.password_change)
_password_reset_from_key = transaction.atomic(account.password_reset_from_key)

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", _password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("notices/", notices.settings, name="account_notices"),
    path("invitation/<str:token>/", invitations.accept, name="invitation"),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    path("login/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("login/error/", social.login_error, name="socialaccount_login_error"),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
