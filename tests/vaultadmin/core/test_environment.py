from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from vaultadmin import environment


@pytest.mark.parametrize("value", ["abc", "0", "65535", "-1", "80 80", "²"])
def test_port_that_is_none_is_refused_in_one_sentence(monkeypatch, value):
    monkeypatch.setenv("PORT", value)

    with pytest.raises(ImproperlyConfigured, match="PORT must be a number"):
        environment.port()


def test_relative_data_folder_counts_from_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAULTADMIN_DATA_DIR", ".elsewhere")

    assert environment.data_dir() == environment.ROOT / ".elsewhere"
