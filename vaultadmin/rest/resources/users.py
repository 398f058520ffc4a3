"""Who the caller is."""

from __future__ import annotations

from typing import Any

from vaultadmin.rest.call import Call
from vaultadmin.rest.endpoint import endpoint


@endpoint("GET")
def me(call: Call) -> dict[str, Any]:
    """`GET objects/users/me`."""
    user = call.member.user
    return {
        "users": [
            {
                "user": {
                    "id": user.pk,
                    "user_name__v": user.email,
                    "user_email__v": user.email,
                    "user_full_name__v": user.name,
                    "active__v": True,
                    "security_profile__v": call.member.profile.api_name,
                    "vault_id__v": [call.member.vault_id],
                }
            }
        ]
    }
