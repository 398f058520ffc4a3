import pytest

from tests.embedded.probes import start_and_be_killed
from vaultadmin.embedded import EmbeddedError, fresh, is_running, paths


def test_fresh_stops_left_servers_and_deletes_the_folder(data_dir):
    start_and_be_killed(data_dir, tied=False)
    assert is_running(data_dir)

    fresh.delete(paths(data_dir))

    assert not is_running(data_dir)
    assert not data_dir.exists()


def test_fresh_spares_a_folder_that_is_not_ours(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(EmbeddedError, match="nothing was deleted"):
        fresh.delete(paths(tmp_path))

    assert (tmp_path / "letter.txt").exists()


def test_fresh_asks_and_takes_only_yes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAULTADMIN_DATA_DIR", str(tmp_path))
    (tmp_path / "letter.txt").write_text("dear")
    monkeypatch.setattr("builtins.input", lambda _question: "y")

    assert fresh.main([]) == 0

    assert (tmp_path / "letter.txt").exists()
    assert "Nothing was deleted" in capsys.readouterr().out
