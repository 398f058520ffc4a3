from __future__ import annotations

import json
import logging
import logging.config

import pytest
import structlog
from django.test import Client

from vaultadmin import logs

TRICKS = [
    'x\r\n{"event": "forged", "level": "info"}',
    "x\nforged line",
    "x\rforged line",
    "x\u2028forged line",
    "x\x85forged line",
    "\x1b[31mred\x1b[0m",
    "x\x00y",
    "x\x1b]0;title\x07",
    "\x0b\x0c forged",
]


@pytest.fixture
def lines():
    """What the product's own handler prints, one entry per record."""
    formatter = logging.config.DictConfigurator(logs.configuration()).configure_formatter(
        logs.configuration()["formatters"]["json"]
    )
    printed: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            printed.append(self.format(record))

    handler = Keep()
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    yield printed
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_a_caller_sends_makes_a_second_line(lines, trick, goal):
    browser = Client(raise_request_exception=False)
    safe = trick.replace("\r", "").replace("\n", "")
    browser.post("/accounts/login/", {"login": f"{trick}@example.test", "password": trick})
    browser.get(f"/v/1/{safe}/", headers={"User-Agent": safe, "X-Request-Id": safe, "Referer": safe})
    browser.post("/myveeva/global/services/v1/discover-study-site", trick.encode(), content_type="application/json")
    structlog.get_logger("probe").warning(trick, value=trick, nested={"name": [trick]})
    logging.getLogger("probe").error("said %s", trick)
    try:
        raise ValueError(trick)
    except ValueError:
        logging.getLogger("probe").exception("broke")

    bad = [line for line in lines if not_one_plain_line(line)]
    goal("I7").reached(figure={"lines": len(lines), "bad": bad}, target={"bad": []}, ok=not bad and len(lines) >= 3)


def not_one_plain_line(line: str) -> bool:
    json.loads(line)
    return len(line.splitlines()) != 1 or any(ord(letter) < 32 or ord(letter) == 127 for letter in line)
