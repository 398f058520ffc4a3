from __future__ import annotations

import ast
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.guards.routes import all_routes

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("vaultadmin", "connections", "ecoa")


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_imports_follow_the_arrows():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.django_db
def test_models_have_their_migrations():
    answer = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=answer)

    assert "No changes detected" in answer.getvalue()


def test_every_view_of_ours_says_who_it_is_for():
    undeclared = [route.pattern for route in all_routes() if route.ours and route.access is None]

    assert undeclared == []
    assert len([route for route in all_routes() if route.ours]) > 20


def test_tasks_carry_ids_only_and_are_routed_in_settings():
    bad = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any("shared_task" in ast.dump(d) for d in node.decorator_list):
                if node.args.args or not node.args.kwarg:
                    bad.append(f"{path.name}:{node.name}")
                if any("'queue'" in ast.dump(d) for d in node.decorator_list):
                    bad.append(f"{path.name}:{node.name} names a queue")

    assert bad == []


def test_templates_hold_no_inline_script_style_or_handler():
    bad = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text().lower()
        scripts = [tag for tag in re.findall(r"<script\b[^>]*>", text) if "src=" not in tag and "json" not in tag]
        styles = re.findall(r"<style\b|\sstyle=|\son[a-z]+=\"|\|safe\b|autoescape off", text)
        if scripts or styles:
            bad.append(f"{path.relative_to(ROOT)}: {scripts + styles}")

    assert bad == []


def test_partials_say_who_loads_them():
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "templates").rglob("_*.html"))
        if not path.read_text().lstrip().startswith("{#")
    ]

    assert silent == []
