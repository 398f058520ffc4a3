from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.factories.people import PASSWORD, make_user
from tests.guards.routes import all_routes
from tests.guards.world import signed_in
from tests.security.deed import World

POLICY = ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'")
STRANGE_PLACES = [
    "https://evil.test/",
    "//evil.test/",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "http:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    " https://evil.test",
    "\thttps://evil.test",
    "https://localhost@evil.test/",
    "https://testserver.evil.test/",
    "/%5Cevil.test\r\nLocation: https://evil.test",
]
WRONG_HOSTS = [
    "evil.test",
    "localhost.evil.test",
    "localhost@evil.test",
    "evil.test:8000",
    "localhost:80@evil.test",
    "",
]


def readable(world: World) -> list[str]:
    """The address of every page that has one without secrets in its path."""
    paths = []
    for route in all_routes():
        if (
            "logout" in route.pattern
            or "^" in route.pattern
            or "<str:token>" in route.pattern
            or ":pk" in route.pattern
        ):
            continue
        paths.append(world.place.path(route))
    return paths


def loose(response) -> list[str]:
    """What an answer's policy lacks or allows too much."""
    policy = response.headers.get("Content-Security-Policy", "")
    faults = [word for word in POLICY if word not in policy]
    faults += [word for word in ("unsafe-inline", "unsafe-eval", "*", "http:") if word in policy]
    faults += [] if response.headers.get("X-Content-Type-Options") == "nosniff" else ["nosniff"]
    return faults


def kept(answers) -> list[str]:
    """Private pages that a browser or something on the way may keep."""
    return [
        path
        for path, answer in answers.items()
        if not path.startswith(("/healthz", "/readyz", "/myveeva"))
        and "/services/certificate/" not in path
        and answer.status_code == 200
        and "no-store" not in answer.headers.get("Cache-Control", "")
    ]


@pytest.fixture
def owner(world: World) -> Client:
    return world.client()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch):
    """Make the users page raise something."""

    def raise_(error: Exception) -> None:
        def fail(*_args: object, **_more: object) -> None:
            raise error

        monkeypatch.setattr("vaultadmin.views.people.selectors.members", fail)

    return raise_


def test_every_answer_carries_the_strict_policy_and_private_pages_are_kept_by_nobody(world, owner, broken, goal):
    stranger = Client(raise_request_exception=False)
    own = {path: owner.get(path) for path in readable(world)}
    assert kept(own) == []
    answers = own | {f"anybody {path}": stranger.get(path) for path in own}
    answers["404"] = owner.get("/nowhere/")
    answers["400"] = stranger.get("/", headers={"Host": "evil.test"})
    answers["403"] = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    styles = re.findall(r'href="(/static/[^"]+\.css)"', owner.get("/v/7001/").content.decode())
    scripts = re.findall(r'src="(/static/[^"]+\.js)"', owner.get("/v/7001/").content.decode())
    answers |= {path: stranger.get(path) for path in [*styles, *scripts]}
    broken(RuntimeError("secret detail"))
    answers["500"] = owner.get("/v/7001/admin/users/")

    assert {answers[name].status_code for name in ("404", "400", "403", "500")} == {404, 400, 403, 500}
    assert b"secret detail" not in answers["500"].content
    assert styles
    assert scripts
    faults = {name: found for name, answer in answers.items() if (found := loose(answer))}
    for answer in answers.values():
        answer.close()
    goal("I2").reached(figure={"answers": len(answers), "loose": faults}, target={"loose": {}}, ok=not faults)


@pytest.mark.parametrize("host", WRONG_HOSTS)
def test_a_made_up_host_is_refused(world, host, goal):
    statuses = {
        path: Client().get(path, headers={"Host": host}).status_code for path in ("/", "/accounts/login/", "/v/7001/")
    }

    goal("I6").reached(figure={"host": host, "statuses": statuses}, target=400, ok=set(statuses.values()) == {400})


@pytest.mark.parametrize("place", STRANGE_PLACES)
def test_no_redirect_leaves_this_site(world, owner, place, goal):
    make_user(email="knocking@example.test", password=PASSWORD)
    credentials = {"login": "knocking@example.test", "password": PASSWORD, "next": place}
    led = [Client().post(f"/accounts/login/?{urlencode({'next': place})}", credentials)]
    led.append(owner.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": place}))
    led.append(Client().get("/v/7001/", headers={"HX-Request": "true", "HX-Current-URL": place}))
    stale = signed_in(world.owner.user)
    session = stale.session
    session["account_authentication_methods"] = []
    session.save()
    led.append(stale.post("/v/7001/my/tokens/create/", {}, headers={"Referer": place.strip() or "/"}))
    led.append(owner.post("/accounts/logout/", {"next": place}))

    targets = [answer.headers.get("Location") or answer.headers.get("HX-Redirect") or "" for answer in led]
    outside = [target for target in targets if not re.match(r"^(/(?![/\\])|$)", target)]
    goal("I6").reached(figure={"next": place, "led to": targets}, target={"outside": []}, ok=not outside)
