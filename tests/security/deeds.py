"""Everything a Vault Owner can do by posting a form: one deed per address, checked against the routes themselves."""

from __future__ import annotations

from tests.security import (
    alert_deeds,
    authorization_deeds,
    connection_deeds,
    correction_deeds,
    drift_deeds,
    ecoa_deeds,
    ecoa_service_deeds,
    incoming_deeds,
    integration_deeds,
    message_deeds,
    people_deeds,
    queue_deeds,
    source_deeds,
    study_deeds,
)
from tests.security.deed import Deed

_V = "v/<int:vault_id>/"

DEEDS = [
    *people_deeds.DEEDS,
    *connection_deeds.DEEDS,
    *integration_deeds.DEEDS,
    *authorization_deeds.DEEDS,
    *incoming_deeds.DEEDS,
    *message_deeds.DEEDS,
    *alert_deeds.DEEDS,
    *ecoa_deeds.DEEDS,
    *correction_deeds.DEEDS,
    *source_deeds.DEEDS,
    *study_deeds.DEEDS,
    *drift_deeds.DEEDS,
    *queue_deeds.DEEDS,
    *(Deed(_V + pattern, prepare, creates=creates) for pattern, prepare, creates in ecoa_service_deeds.ACTS),
]

# Addresses that take a POST and are no deed of this list, each with where it is looked at instead.
ELSEWHERE = {
    "accounts/reauthenticate/": "changes only one's own session: tests/vaultadmin/accounts/test_passwords.py",
    "accounts/password/set/": "allauth sends people with a password away; ours choose theirs by an invitation",
    "accounts/password/reset/": "stores nothing: tests/vaultadmin/accounts/test_passwords.py",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "two steps by mail: test_passwords.py",
    "accounts/2fa/authenticate/": "the second half of signing in: test_second_factor.py",
    "accounts/2fa/reauthenticate/": "changes only one's own session: test_second_factor.py",
    "accounts/2fa/totp/activate/": "needs a code of the moment: test_second_factor.py",
    "accounts/2fa/totp/deactivate/": "needs an app set up: test_second_factor.py",
    "accounts/2fa/recovery-codes/generate/": "needs an app set up: test_second_factor.py",
    "accounts/2fa/webauthn/add/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/reauthenticate/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/login/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/sessions/": "needs a second session: tests/vaultadmin/accounts/test_sessions.py",
    "accounts/oidc/^(?P<provider_id>[^/]+)/login/": "needs a provider: test_single_sign_on.py",
    "accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/": "needs a provider: test_single_sign_on.py",
}
