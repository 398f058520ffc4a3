"""People's addresses: `urlpatterns` inside a vault (namespace `vault`), `root_urlpatterns` outside any."""

from django.urls import path

from vaultadmin.views import api_sessions, people, people_actions, profiles, tokens, vaults

_PERSON = "admin/users/<int:member_id>/"
_PROFILE = "admin/security-profiles/<slug:api_name>/"

urlpatterns = [
    path("admin/users/", people.index, name="users"),
    path("admin/users/invite/", people.invite, name="invite"),
    path(_PERSON, people.detail, name="user"),
    path(f"{_PERSON}security-profile/", people_actions.change_profile, name="user-profile"),
    path(f"{_PERSON}name/", people_actions.rename, name="user-rename"),
    path(f"{_PERSON}reset-password/", people_actions.reset_password, name="user-reset-password"),
    path(f"{_PERSON}reset-second-factor/", people_actions.reset_second_factor, name="user-reset-second-factor"),
    path(f"{_PERSON}end-sessions/", people_actions.end_sessions, name="user-end-sessions"),
    path(f"{_PERSON}unlock/", people_actions.unlock, name="user-unlock"),
    path(f"{_PERSON}deactivate/", people_actions.deactivate, name="user-deactivate"),
    path(f"{_PERSON}reactivate/", people_actions.reactivate, name="user-reactivate"),
    path("admin/security-profiles/", profiles.index, name="profiles"),
    path("admin/security-profiles/create/", profiles.create, name="profile-create"),
    path(_PROFILE, profiles.detail, name="profile"),
    path(f"{_PROFILE}edit/", profiles.edit, name="profile-edit"),
    path(f"{_PROFILE}delete/", profiles.delete, name="profile-delete"),
    path("api-sessions/", api_sessions.index, name="api-sessions"),
    path("api-sessions/end/", api_sessions.end_all, name="api-sessions-end"),
    path("api-sessions/<int:api_session_id>/end/", api_sessions.end, name="api-session-end"),
    path("my/tokens/", tokens.index, name="tokens"),
    path("my/tokens/create/", tokens.create, name="token-create"),
    path("my/tokens/<int:token_id>/revoke/", tokens.revoke, name="token-revoke"),
]

root_urlpatterns = [
    path("vaults/create/", vaults.create, name="vault-create"),
]
