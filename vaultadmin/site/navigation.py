"""The left navigation: only entries that open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any
from vaultadmin.site.inbox import NEEDS


@dataclass(frozen=True)
class Item:
    """One entry: shown to members with any of `needs` (everybody when empty)."""

    label: str
    icon: str
    route: str
    needs: tuple[Permission, ...] = ()
    # Shows how many tasks wait; the open page asks there how many there are by now.
    counts: str = ""


SECTIONS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item("Home", "home", "vault:home"),
            Item("Tasks", "checklist", "vault:tasks", NEEDS, "vault:tasks-count"),
        ),
    ),
    (
        "Connections",
        (
            Item("Connections", "plug-connected", "connections:list", (Permission.CONNECTION_READ,)),
            Item(
                "Queues",
                "stack-2",
                "connections:queues",
                (Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES, Permission.MESSAGES_OPERATE),
            ),
            Item("Authorizations", "key", "connections:authorizations", (Permission.AUTHORIZATION_READ,)),
            Item("Tokens", "template", "connections:tokens", (Permission.CONNECTION_READ,)),
            Item("Certificates", "certificate", "connections:certificates", (Permission.CONNECTION_READ,)),
            Item(
                "Reference lookups",
                "book",
                "connections:lookups",
                (Permission.CONNECTION_READ, Permission.MANAGE_INTEGRATIONS),
            ),
            Item(
                "Messages",
                "messages",
                "connections:messages",
                (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES),
            ),
            Item(
                "Queue log", "file-text", "connections:queue-log", (Permission.QUEUE_LOG, Permission.MESSAGES_OPERATE)
            ),
            Item(
                "Alerts",
                "bell",
                "connections:alerts",
                (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES, Permission.CONNECTION_READ),
            ),
            Item("Filed messages", "inbox", "connections:filed-messages", (Permission.MESSAGES_OPERATE,)),
        ),
    ),
    (
        "eCOA",
        (
            Item("Sites", "building-hospital", "ecoa:home", (Permission.ECOA_VIEW_SITES,)),
            Item("Sync runs", "refresh", "ecoa:runs", (Permission.ECOA_MANAGE,)),
            Item("Drift radar", "activity", "ecoa:drift", (Permission.ECOA_STUDY_TEAM,)),
            Item("Conflicts", "git-compare", "ecoa:conflicts", (Permission.ECOA_STUDY_TEAM,)),
            Item("Reconciliation", "checklist", "ecoa:reconciliations", (Permission.ECOA_STUDY_TEAM,)),
            Item("Import", "upload", "ecoa:import", (Permission.ECOA_MANAGE,)),
            Item("Study mappings", "arrows-exchange", "ecoa:mappings", (Permission.ECOA_MANAGE,)),
            Item("eCOA service", "server", "ecoa:service", (Permission.ECOA_MANAGE,)),
            Item("Fault board", "bug", "ecoa:fault-board", (Permission.ECOA_MANAGE,)),
        ),
    ),
    (
        "Admin",
        (
            Item("Users", "users", "vault:users", (Permission.ADMIN_USERS,)),
            Item("Security profiles", "shield-lock", "vault:profiles", (Permission.ADMIN_SECURITY_PROFILES,)),
            Item("Sandboxes", "flask", "vault:sandboxes", (Permission.ADMIN_SANDBOXES,)),
            Item("Settings", "settings", "vault:settings", (Permission.ADMIN_SETTINGS,)),
            Item("Audit", "history", "vault:audit", (Permission.ADMIN_AUDIT,)),
            Item("API sessions", "plug", "vault:api-sessions", (Permission.ADMIN_USERS,)),
            Item("API usage", "api", "vault:api-usage", (Permission.API_USAGE_LOGS,)),
            Item("Status", "activity-heartbeat", "vault:status", (Permission.ADMIN_STATUS,)),
        ),
    ),
)


def sections(member: Membership, path: str, *, waiting: int) -> list[dict[str, Any]]:
    """The sections this member sees, with the entry of the current page marked and how many tasks wait."""
    shown = [{"label": label, "items": _items(entries, member, waiting)} for label, entries in SECTIONS]
    _mark(shown, path)
    return [section for section in shown if section["items"]]


def _items(entries: tuple[Item, ...], member: Membership, waiting: int) -> list[dict[str, Any]]:
    return [
        {
            "label": item.label,
            "icon": item.icon,
            "url": reverse(item.route, args=[member.vault_id]),
            "active": False,
            "count": waiting if item.counts else 0,
            "counts": reverse(item.counts, args=[member.vault_id]) if item.counts else "",
        }
        for item in entries
        if not item.needs or can_any(member, item.needs)
    ]


def _mark(shown: list[dict[str, Any]], path: str) -> None:
    # The longest address that begins the current path wins, so Home is not lit on every page.
    fitting = [item for section in shown for item in section["items"] if path.startswith(item["url"])]
    if fitting:
        max(fitting, key=lambda item: len(item["url"]))["active"] = True
