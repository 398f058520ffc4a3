"""The form of a security profile: its permissions as boxes, grouped by the family in their labels."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms

from vaultadmin.permissions import IMPLIED, Permission, expand


@dataclass(frozen=True)
class Box:
    """One permission on the form or page."""

    permission: Permission
    label: str
    ticked: bool
    carried: bool
    carries: str


def groups(ticked: list[str]) -> list[tuple[str, list[Box]]]:
    """Every permission by family, such as *Admin*, in the product's order."""
    allowed = expand(ticked)
    return [
        (family, [_box(permission, permission.value in ticked, allowed) for permission in members])
        for family, members in _families().items()
    ]


def _box(permission: Permission, ticked: bool, allowed: frozenset[str]) -> Box:
    label = permission.label.rpartition(": ")[2]
    return Box(permission, label, ticked, permission.value in allowed and not ticked, _carried_by(permission))


def _carried_by(permission: Permission) -> str:
    """What comes with a permission, whole families by their name."""
    carried = IMPLIED.get(permission, frozenset())
    words: list[str] = []
    for family, members in _families().items():
        found = [member for member in members if member in carried]
        words += [family] if len(found) == len(members) else [member.label for member in found]
    return ", ".join(words)


def _families() -> dict[str, list[Permission]]:
    found: dict[str, list[Permission]] = {}
    for permission in Permission:
        found.setdefault(permission.label.rpartition(": ")[0], []).append(permission)
    return found


class ProfileForm(forms.Form):
    """Name, switch and permissions. A standard profile shows the switch only."""

    name = forms.CharField(label="Name", max_length=128)
    requires_second_factor = forms.BooleanField(
        label="Second factor required",
        required=False,
        help_text="Members set up a passkey or authenticator app before they can work; their API tokens wait, too.",
    )
    permissions = forms.MultipleChoiceField(
        label="Permissions", choices=Permission.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def groups(self) -> list[tuple[str, list[Box]]]:
        """What the page draws: the boxes as typed, else as stored."""
        return groups([str(value) for value in self["permissions"].value() or []])


class SwitchForm(forms.Form):
    """What can be changed on a standard profile."""

    requires_second_factor = ProfileForm.base_fields["requires_second_factor"]
