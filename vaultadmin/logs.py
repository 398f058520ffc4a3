"""Logging: one JSON line per event, with one redaction step that no line escapes (security.md K1, I7)."""

from __future__ import annotations

import re
from typing import Any

import structlog

# Names whose values never reach a log line, wherever they stand.
_NAMES = re.compile(
    r"(?i)(password|secret|token|jwt|authorization|api[_-]?key|cookie|session_?id|private_?key|credential|otp|code_verifier)"
)
# The same names inside text, as in a URL or an exception's words, and bearer values anywhere.
_IN_TEXT = re.compile(
    r"(?i)\b((?:password|secret|token|jwt|sessionid|client_secret|externalSystemSecret)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
# Links that are a secret themselves: invitations and password resets.
_LINK = re.compile(r"(/accounts/(?:invitation|password/reset/key)/)[^/\s\"']+")
HIDDEN = "[hidden]"


def redact(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """structlog processor: hide values by name and by pattern, at any depth."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if _NAMES.search(key) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, str):
        shown = _LINK.sub(rf"\1{HIDDEN}", value)
        return _BEARER.sub(rf"\1 {HIDDEN}", _IN_TEXT.sub(rf"\1{HIDDEN}", shown))
    if isinstance(value, dict):
        return {str(name): _clean(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(key, item) for item in value]
    return value


def configuration() -> dict[str, Any]:
    """The dictConfig of the product; structlog and the standard library share one renderer."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.processors.JSONRenderer(),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["lines"], "level": "INFO"},
        "loggers": {
            "django.server": {"handlers": ["lines"], "level": "WARNING", "propagate": False},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "django_structlog.celery": {"level": "WARNING"},
            # One line per answered request says little and would hold every participant's internal id.
            "django_structlog.middlewares.request": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # Its warnings repeat whole URLs and whatever a peer sends as headers.
            "urllib3": {"level": "ERROR"},
        },
    }
