from collections.abc import Callable
from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory

Render = Callable[..., str]


@pytest.fixture
def render(rf: RequestFactory) -> Render:
    def draw(source: str, path: str = "/", **context: Any) -> str:
        return (
            engines["django"]
            .from_string("{% load ui %}" + source)
            .render(
                {"request": rf.get(path), **context},
            )
        )

    return draw
