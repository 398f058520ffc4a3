from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from vaultadmin import environment


@pytest.mark.parametrize("value", ["abc", "0", "65535", "-1", "80 80", "²"])
def test_port_that_is_none_is_refused_in_one_sentence(monkeypatch, value):
    monkeypatch.setenv("PORT", value)

    with pytest.raises(ImproperlyConfigured, match="PORT must be a number"):
        environment.port()


def test_numbers_are_read_one_by_one(monkeypatch):
    monkeypatch.setenv("DAYS", "30, 7,")

    assert environment.numbers("DAYS", (1,)) == (30, 7)
    assert environment.numbers("NOT_SET", (1,)) == (1,)


@pytest.mark.parametrize("value", ["30,x", "0", "-1,7", "1.5"])
def test_numbers_that_are_none_are_refused_in_one_sentence(monkeypatch, value):
    monkeypatch.setenv("DAYS", value)

    with pytest.raises(ImproperlyConfigured, match="DAYS must be a whole number above zero"):
        environment.numbers("DAYS", (1,))


def test_relative_data_folder_counts_from_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAULTADMIN_DATA_DIR", ".elsewhere")

    assert environment.data_dir() == environment.ROOT / ".elsewhere"
