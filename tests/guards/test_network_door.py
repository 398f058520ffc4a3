import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("vaultadmin", "connections", "ecoa")
DOOR = ROOT / "vaultadmin" / "outbound"
# Asks its own child processes whether they are ready; goes nowhere else.
READINESS = ROOT / "vaultadmin" / "embedded"

CLIENTS = frozenset(
    {
        "aiohttp",
        "ftplib",
        "http.client",
        "httpx",
        "imaplib",
        "nntplib",
        "poplib",
        "pycurl",
        "requests",
        "smtplib",
        "socket",
        "telnetlib",
        "urllib.request",
        "urllib3",
        "websockets",
        "xmlrpc.client",
    }
)
# Django sends the mail; whoever asks it to must be able to catch what goes wrong.
ERRORS_ONLY = frozenset({"smtplib.SMTPException"})
DIALLING_CALLS = frozenset({"create_connection", "open_connection", "sock_connect", "start_tls", "PyJWKClient"})


def sources():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if DOOR not in path.parents and READINESS not in path.parents:
                yield path


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called_name(node) in ("import_module", "__import__", "import_string"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def called_name(node):
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def ways_out(source):
    tree = ast.parse(source)
    for name in imported_names(tree):
        if name not in ERRORS_ONLY and any(name == client or name.startswith(f"{client}.") for client in CLIENTS):
            yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) in DIALLING_CALLS:
            yield called_name(node)


def test_only_the_door_speaks_to_the_network():
    found = {str(path.relative_to(ROOT)): names for path in sources() if (names := set(ways_out(path.read_text())))}

    assert found == {}


def test_guard_reads_the_project():
    assert len(list(sources())) > 20
    assert any(set(ways_out(path.read_text())) for path in DOOR.glob("*.py"))


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "import requests.adapters as r",
        "from urllib import request",
        "from http.client import HTTPSConnection",
        "def f():\n    import aiohttp.web",
        "import importlib\nimportlib.import_module('urllib3')",
        "import asyncio\nasyncio.open_connection('a', 1)",
        "import socket",
    ],
)
def test_guard_sees_every_way_out(source):
    assert list(ways_out(source))


@pytest.mark.parametrize(
    "source",
    [
        "import http",
        "from http import HTTPStatus",
        "from urllib.parse import quote",
        "from smtplib import SMTPException",
    ],
)
def test_guard_leaves_harmless_neighbours_alone(source):
    assert not list(ways_out(source))
