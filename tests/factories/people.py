from itertools import count
from typing import Any

from vaultadmin.models import Application, Membership, SecurityProfile, User, Vault
from vaultadmin.permissions import Permission

PASSWORD = "correct horse battery staple"
_numbers = count(1)
# Far from the IDs that tests name themselves, however many vaults one worker has made before.
_FIRST_ID = 1_000_000


def make_vault(**fields: object) -> Vault:
    number = next(_numbers)
    values = {
        "id": _FIRST_ID + number,
        "name": f"Vault {number}",
        "dns": f"vault-{number}.example.test",
        "application": Application.CLINICAL_OPERATIONS,
    }
    return Vault.objects.create(**(values | fields))


def make_user(**fields: Any) -> User:
    number = next(_numbers)
    values = {"email": f"person{number}@example.test", "name": f"Person {number}"} | fields
    password = values.pop("password", None)
    return User.objects.create_user(values.pop("email"), password, **values)


def make_member(vault: Vault, *permissions: Permission, user: User | None = None) -> Membership:
    number = next(_numbers)
    profile = SecurityProfile.objects.create(
        vault=vault, name=f"Profile {number}", api_name=f"profile_{number}", permissions=[p.value for p in permissions]
    )
    return Membership.objects.create(user=user or make_user(), vault=vault, profile=profile)
