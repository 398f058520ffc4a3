from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionHandler

from tests.tools import template

PREVIOUS = [
    ("vaultadmin", "0004_index_what_people_did"),
    ("connections", "0002_references_stay_in_their_vault"),
    ("ecoa", "0004_service_revision"),
]
SCHEMA = {
    "columns": """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default,
               collation_name, identity_generation
          FROM information_schema.columns WHERE table_schema = 'public'""",
    "storage": """
        SELECT attrelid::regclass::text, attname, attstorage FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""",
    "tables": "SELECT relname, relkind, reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "triggers": "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'""",
}
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@contextmanager
def database(name: str, statement: str) -> Iterator[Any]:
    usual = connections["default"]
    with usual.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} {statement}")
    own = ConnectionHandler({"default": {**usual.settings_dict, "NAME": name}})["default"]
    try:
        yield own
    finally:
        own.close()
        with usual.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def old_database(django_db_setup, django_db_blocker):
    name = f"previous_{connection.settings_dict['NAME']}"
    with django_db_blocker.unblock(), database(name, "") as own:
        usual, connections["default"] = connections["default"], own
        yield own
        connections["default"] = usual


@pytest.fixture
def new_database(django_db_setup, django_db_blocker):
    name = f"new_{connection.settings_dict['NAME']}"
    with django_db_blocker.unblock(), database(name, f"TEMPLATE {template.migrated()}") as own:
        yield own


def fill(apps: Any) -> None:
    def make(label: str, **values: Any) -> Any:
        return apps.get_model(label).objects.create(**values)

    vaults = [
        make("vaultadmin.Vault", id=number, name=name, dns=f"{name}.example.test", application="safety")
        for number, name in ((1001, "alpha"), (1002, "beta"))
    ]
    make("vaultadmin.Installation", id=UUID(int=7), name="Old")
    key = make(
        "vaultadmin.Secret", purpose="signing certificate", ciphertext="v1:x:y", changed_at=AT, changed_by="Set-up"
    )
    certificate = make(
        "connections.SigningCertificate",
        certificate_id="00001",
        pem="PEM",
        fingerprint="f" * 64,
        private_key=key,
        not_before=AT,
        not_after=AT + timedelta(days=1000),
        created_at=AT,
    )
    for vault, other in (vaults, vaults[::-1]):
        profile = make(
            "vaultadmin.SecurityProfile", vault=vault, name="Owner", api_name="vault_owner__v", permissions=[]
        )
        user = make("vaultadmin.User", email=f"a{vault.pk}@example.test", name="A", password="!")
        member = make("vaultadmin.Membership", user=user, vault=vault, profile=profile)
        for number, state in enumerate(["active_state__sys", "pending_state__sys", "disconnected_state__sys"]):
            row = make(
                "connections.Connection",
                vault=vault,
                type="vault_to_vault__sys",
                name="Link",
                api_name=f"link_{number}",
                state=state,
                signing_certificate=certificate,
                created_at=AT,
                modified_at=AT,
            )
            make(
                "connections.IssuedFile",
                file_id=uuid4(),
                connection=row,
                generation=1,
                nonce_hash=b"n",
                sha256="0" * 64,
                issued_by=member,
                issued_at=AT,
                expires_at=AT + timedelta(days=3),
            )
            binding = make(
                "connections.Binding",
                connection=row,
                exchange=uuid4(),
                side="source",
                state={0: "in_force", 1: "approving", 2: "ended"}[number],
                needs_approval=number == 1,
                peer_installation_id=UUID(int=7),
                peer_vault_id=other.pk,
                peer_connection_id="V17000000000001",
                peer_certificate_id="00001",
                peer_certificate_pem="PEM",
                peer_url="https://beta.example.test/v/1002/peering/",
                peer_name=other.name,
                peer_dns=other.dns,
                file_sha256="0" * 64,
                requested_by=member,
                requested_at=AT,
                established_at=AT if number == 0 else None,
                ended_at=AT if number == 2 else None,
            )
            make(
                "connections.OutgoingPeerMessage",
                binding=binding,
                message_id=uuid4(),
                type="approve",
                body={"exchange": str(binding.exchange)},
                created_at=AT,
                due_at=AT,
            )
        make(
            "connections.Connection",
            vault=vault,
            type="external__sys",
            name="Shop",
            api_name="shop",
            state="active_state__sys",
            url="https://shop.example.test/",
            signing_certificate=certificate,
            created_at=AT,
            modified_at=AT,
        )


def schema(own: Any) -> dict[str, set[Any]]:
    with own.cursor() as cursor:
        return {kind: set(cursor.execute(query).fetchall()) for kind, query in SCHEMA.items()}


def counts(own: Any) -> dict[str, int]:
    tables = ("connections_connection", "connections_binding", "connections_issuedfile", "vaultadmin_membership")
    with own.cursor() as cursor:
        return {table: cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_database_of_the_previous_release_with_work_in_flight_becomes_like_a_new_one(new_database, old_database):
    executor = MigrationExecutor(old_database)
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in dict(PREVIOUS)]
    executor.migrate(PREVIOUS + others)
    fill(executor.loader.project_state(PREVIOUS).apps)
    before = counts(old_database)

    newest = MigrationExecutor(old_database)
    newest.migrate(newest.loader.graph.leaf_nodes())

    after = counts(old_database)
    assert before["connections_connection"] == 8
    assert after["connections_connection"] == before["connections_connection"]
    assert after["connections_binding"] == before["connections_binding"]
    assert after["connections_issuedfile"] == before["connections_issuedfile"]
    assert after["vaultadmin_membership"] >= before["vaultadmin_membership"]
    with old_database.cursor() as cursor:
        waiting = cursor.execute("SELECT count(*) FROM connections_outgoingpeermessage WHERE settled_at IS NULL")
        assert waiting.fetchone()[0] == 6
    migrated, new = schema(old_database), schema(new_database)
    for kind in SCHEMA:
        assert migrated[kind] == new[kind], kind
