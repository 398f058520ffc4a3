"""K1: canaries in every secret field, then a search through everything that is kept or sent."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from html import escape
from secrets import token_hex
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis import Redis

from connections.constants import AuthorizationType
from connections.models import Connection, ConnectionAuthorization
from ecoa.models import Scope, StudyMapping, SyncRun
from ecoa.service import faults, seeding
from ecoa.service.models.faults import FaultCall, FaultKind
from ecoa.sync import healing
from tests.factories.ecoa import SYSTEM, make_participants, make_run
from tests.security.deed import World
from tests.security.test_answers import readable
from vaultadmin import embedded
from vaultadmin.embedded.processes import wait_until
from vaultadmin.models import User

# What escaping of every kind would change.
ODD_END = "-É&="
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Canaries:
    """Values that may be kept as hash or ciphertext only, by what they are."""

    values: dict[str, str] = field(default_factory=dict)

    def new(self, name: str) -> str:
        return self.add(name, f"canary-{token_hex(8)}{ODD_END}")

    def add(self, name: str, value: str) -> str:
        assert len(value) >= 6, name
        self.values[name] = value
        return value

    def found_in(self, where: str, text: str) -> list[str]:
        return [f"{name} in {where}" for name, value in self.values.items() if any(f in text for f in forms(value))]


def forms(value: str) -> set[str]:
    """A value plain and in the disguises of the wire, and what no escaping touches of it."""
    core = value.removesuffix(ODD_END)
    found = {value, quote(value), quote(value, safe=""), escape(value), json.dumps(value)[1:-1], core}
    for raw in (value.encode(), core.encode()):
        # Base64 looks different at each of three offsets; the ends depend on the neighbours.
        found |= {base64.b64encode(b"\0" * shift + raw).decode()[4 * bool(shift) : -4] for shift in range(3)}
        found |= {raw.hex(), raw.hex().upper()}
    return found


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found[found.re.groups]


def fill_secrets(world: World, canaries: Canaries) -> Client:
    """Every field that takes or gives a secret, by its own page."""
    owner, v = world.client(), "/v/7001"
    secret = canaries.new("authorization secret")
    for kind in AuthorizationType.values:
        path = f"{v}/admin/authorizations/create/?type={kind}"
        key = first(r'name="key" value="([^"]+)"', owner.get(path).content.decode())
        form = {"key": key, "name": f"Canary {kind}", "identity": "mv-ext-canary", "secret": secret}
        assert owner.post(path, form).status_code == 302
    assert owner.post(path, form | {"name": "", "secret": canaries.new("refused secret")}).status_code == 422

    shown = owner.post(f"{v}/my/tokens/create/", {"name": "Canary", "days": "30", "scopes": []}).content.decode()
    canaries.add("API token", first(r"va_[A-Za-z0-9_-]{40,}", shown))
    profile = world.place.people["read_only__v"].profile_id
    invite = {"email": "canary@example.test", "name": "Canary", "profile": profile}
    page = owner.post(f"{v}/admin/users/invite/", invite).content.decode()
    link = canaries.add("invitation", first(r"/accounts/invitation/([^/\"]+)/", page))

    password, browser = canaries.new("password"), Client(raise_request_exception=False)
    chosen = browser.post(f"/accounts/invitation/{link}/", {"password": password, "again": password})
    assert chosen.status_code == 302
    browser.post("/accounts/login/", {"login": "canary@example.test", "password": canaries.new("wrong password")})
    assert browser.post("/accounts/login/", {"login": "canary@example.test", "password": password}).status_code == 302
    canaries.add("session", browser.cookies["sessionid"].value)
    activate_app(browser, canaries)
    return owner


def activate_app(browser: Client, canaries: Canaries) -> None:
    """An authenticator app, set up by the page; its secret is shown there and nowhere else."""
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    secret = canaries.add("TOTP secret", first(r"\b[A-Z2-7]{32}\b", page))
    code = format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30))
    assert browser.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    user = User.objects.get(email="canary@example.test")
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def sync_with_faults(world: World, canaries: Canaries, worker) -> SyncRun:
    """A run over the wire with the canary credentials, some calls of which go wrong."""
    mapping = StudyMapping.objects.get(pk=world.ids["mapping_id"])
    secret = canaries.values["authorization secret"]
    seeding.seed_demo(
        system_id="mv-ext-canary",
        secret=secret,
        tenant_id=mapping.tenant_id,
        study_id=mapping.external_study_id,
        sites={"1005": "us"},
    )
    authorization = ConnectionAuthorization.objects.get(name=f"Canary {AuthorizationType.CLIENT_CREDENTIALS}")
    Connection.objects.filter(pk=mapping.connection_id).update(
        url="https://ecoa.demo.test/myveeva/global/", authorization=authorization
    )
    SyncRun.objects.all().delete()
    make_participants(mapping.sites.get(number="1005"), 6)
    for call in (FaultCall.POST, FaultCall.AUTHORIZE):
        for kind in (FaultKind.HTML, FaultKind.ERROR_500, FaultKind.DROP_REPLY):
            faults.arm(region="us", call=call, kind=kind, by=SYSTEM)
    run = make_run(mapping)

    def over() -> bool:
        healing.tick(now=timezone.now())
        return not SyncRun.objects.get(pk=run.pk).is_open

    assert wait_until(over, seconds=90), worker.output()[-3000:]
    return SyncRun.objects.get(pk=run.pk)


def database_dump() -> str:
    """Every table as COPY writes it."""
    parts = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall() if name != "django_session"]
        for table in tables:
            with cursor.copy(f"COPY {table} TO STDOUT") as rows:
                parts.append(table + "\n" + b"".join(bytes(block) for block in rows).decode("utf-8", "replace"))
    return "\n".join(parts)


def redis_dump() -> str:
    """Every key and what it holds; queued tasks are lists of base64 bodies, opened here."""
    texts = []
    with Redis.from_url(settings.REDIS_URL or embedded.redis_url(settings.DATA_DIR)) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            held = client.lrange(key, 0, -1) if kind == b"list" else [client.dump(key) or b""]
            for raw in held:
                text = raw.decode("utf-8", "replace")
                bodies = [base64.b64decode(body) for body in re.findall(r'"body": "([A-Za-z0-9+/=]+)"', text)]
                texts += [key.decode(), text, *(body.decode("utf-8", "replace") for body in bodies)]
    return "\n".join(texts)


def test_the_search_sees_through_every_disguise():
    canaries = Canaries()
    value = canaries.new("it")
    raw = value.encode()
    disguised = [
        value,
        quote(value),
        raw.hex(),
        json.dumps(value),
        escape(value),
        base64.b64encode(b"ab:" + raw).decode(),
    ]
    disguised += [base64.b64encode(b"a" + raw + b"z").decode(), base64.urlsafe_b64encode(b"id:s" + raw).decode()]

    assert [canaries.found_in("here", f"x{text}y") for text in disguised] == [["it in here"]] * len(disguised)
    assert canaries.found_in("here", "canary") == []


def test_no_canary_is_found_anywhere(make_world, live_site, celery_worker_process, mailoutbox, capfd, goal):
    world, canaries = make_world(), Canaries()
    owner = fill_secrets(world, canaries)
    worker = celery_worker_process()
    run = sync_with_faults(world, canaries, worker)
    assert run.synced >= 6, run.done
    provoked = [
        owner.post(f"/v/7001/my/tokens/{value}/revoke/", {"x": value}).status_code
        for value in map(quote, canaries.values.values())
    ]
    pages = {path: owner.get(path) for path in readable(world)}
    make_run(StudyMapping.objects.get(pk=world.ids["mapping_id"]), Scope.ALL)

    printed = capfd.readouterr()
    places = {
        "the worker's log": worker.output(),
        "the web server's log": live_site.web.output() + live_site.tls.output(),
        "stdout and stderr": printed.out + printed.err,
        "the database": database_dump(),
        "Redis": redis_dump(),
        **{f"page {path}": page.getvalue().decode("utf-8", "replace") for path, page in pages.items()},
    }
    # The invitation goes to the invited person: that mail is the one place its link belongs.
    mails = "\n".join(f"{mail.subject}\n{mail.body}" for mail in mailoutbox)
    found = [hit for where, text in places.items() for hit in canaries.found_in(where, text)]
    found += [hit for hit in canaries.found_in("mails", mails) if not hit.startswith("invitation")]

    assert max(provoked) < 500
    assert "mv-ext-canary" in places["the database"]
    figure = {"canaries": len(canaries.values), "places": len(places), "found": found}
    goal("K1").reached(figure=figure, target={"found": []}, ok=not found)
