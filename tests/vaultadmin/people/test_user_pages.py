from collections.abc import Callable

from django.test import Client

from vaultadmin.models import Membership

SignedIn = Callable[[object], Client]


def test_every_page_opens_for_a_vault_owner(owner: Membership, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    base = f"/v/{owner.vault_id}/"
    person = f"admin/users/{owner.pk}/"

    for path in (
        "admin/users/",
        "admin/users/invite/",
        person,
        *(
            f"{person}{act}/"
            for act in (
                "security-profile",
                "name",
                "reset-password",
                "reset-second-factor",
                "end-sessions",
                "unlock",
                "deactivate",
                "reactivate",
            )
        ),
        "admin/security-profiles/",
        "admin/security-profiles/create/",
        "admin/security-profiles/create/?copy=auditor__v",
        "admin/security-profiles/auditor__v/",
        "admin/security-profiles/auditor__v/edit/",
        "admin/security-profiles/auditor__v/delete/",
        "my/tokens/",
        "my/tokens/create/",
    ):
        whole, fragment = client.get(base + path), client.get(base + path, headers={"HX-Request": "true"})

        assert (whole.status_code, fragment.status_code) == (200, 200), path
    assert client.get("/vaults/create/").status_code == 200
