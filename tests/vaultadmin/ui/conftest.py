from collections.abc import Callable
from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils.safestring import SafeString

Render = Callable[..., SafeString]


@pytest.fixture
def render(rf: RequestFactory) -> Render:
    def draw(source: str, path: str = "/", **context: Any) -> SafeString:
        return (
            engines["django"]
            .from_string("{% load ui %}" + source)
            .render(
                {"request": rf.get(path), **context},
            )
        )

    return draw
