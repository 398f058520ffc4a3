"""All tables of an app in one step of a migration, for migrations that stand for a long chain of others."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateTables(Operation):
    """What the CreateModels in it do one after the other, with their keys, indexes and constraints in place at its end.

    Every operation makes Django build the models anew that are related to the ones it touches, and ours nearly all are:
    eighty operations would build thousands of classes, this one builds each once.
    """

    serialization_expand_args = ["tables"]

    def __init__(self, tables: Sequence[CreateModel]) -> None:
        self.tables = tables

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the models; their classes are built when somebody asks for them."""
        if "apps" in state.__dict__:
            del state.apps
        for table in self.tables:
            table.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the tables, and at once what an editor leaves for the end of a migration: later statements need it."""
        for table in self.tables:
            table.database_forwards(app_label, schema_editor, from_state, to_state)
        while schema_editor.deferred_sql:
            schema_editor.execute(schema_editor.deferred_sql.pop(0), None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the tables, the newest first."""
        for table in reversed(self.tables):
            table.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """One line for `sqlmigrate` and for the plan."""
        return f"Create {len(self.tables)} tables"
