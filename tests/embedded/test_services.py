import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import redis

from tests.embedded.probes import pids, ping, query, start_and_be_killed
from vaultadmin.embedded import Services, fresh, is_running, paths, services
from vaultadmin.embedded.processes import alive, wait_until


def test_start_gives_both_servers_and_stop_leaves_none(data_dir):
    with services(data_dir) as running:
        assert running.started == ["postgres", "redis"]
        assert query(data_dir, "SELECT 1") == [(1,)]
        assert ping(data_dir)
        numbers = pids(data_dir)

    assert not is_running(data_dir)
    assert not any(alive(number) for number in numbers.values())


def test_data_is_still_there_after_stop_and_start(data_dir):
    with services(data_dir):
        query(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")

    with services(data_dir):
        assert query(data_dir, "SELECT answer FROM kept") == [(42,)]


def test_database_is_durable_and_sorts_by_unicode(running_dir):
    rows = query(running_dir, "SELECT current_setting('fsync'), current_setting('full_page_writes')")
    encoding = query(
        running_dir,
        "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale FROM pg_database "
        "WHERE datname = current_database()",
    )

    assert rows == [("on", "on")]
    assert encoding == [("UTF8", "b", "C.UTF-8")]


def test_application_role_is_no_superuser(running_dir):
    assert query(running_dir, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_second_command_attaches_and_stops_nothing(data_dir):
    with services(data_dir):
        before = pids(data_dir)
        with services(data_dir) as second:
            assert second.started == []

        assert pids(data_dir) == before
        assert is_running(data_dir)


def test_servers_stay_until_the_last_command_leaves(data_dir):
    first, second = Services(data_dir), Services(data_dir)
    first.start()
    second.start()

    first.stop()
    assert is_running(data_dir)

    second.stop()
    assert not is_running(data_dir)


def test_commands_that_start_together_share_one_pair_of_servers(data_dir):
    crowd = [Services(data_dir) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Services.start, crowd))

    assert sorted(name for one in crowd for name in one.started) == ["postgres", "redis"]
    for one in crowd:
        one.stop()
    assert not is_running(data_dir)


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_killed_server_is_noticed_and_started_again_with_its_data(data_dir, name):
    with services(data_dir) as running:
        query(data_dir, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(pids(data_dir)[name], signal.SIGKILL)

        assert wait_until(running.fallen, seconds=10)
        assert running.mend() == [name]

        assert query(data_dir, "SELECT answer FROM kept") == [(42,)]
        assert ping(data_dir)


@pytest.mark.parametrize("tied", [True, False])
def test_killed_supervising_process_does_not_block_the_next_start(data_dir, tied):
    start_and_be_killed(data_dir, tied=tied)

    with services(data_dir):
        assert query(data_dir, "SELECT answer FROM kept") == [(42,)]
        assert ping(data_dir)
    assert not is_running(data_dir)


def test_servers_tied_to_a_killed_process_end_by_themselves(data_dir):
    start_and_be_killed(data_dir, tied=True)

    assert wait_until(lambda: set(pids(data_dir).values()) == {None}, seconds=20)


def test_pid_file_that_names_a_stranger_does_not_block_the_start(data_dir):
    with services(data_dir):
        pass
    layout = paths(data_dir)
    (layout.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{layout.cluster}\n", encoding="ascii")
    layout.postgres_socket.write_text("stale", encoding="ascii")
    layout.redis_socket.write_text("stale", encoding="ascii")

    with services(data_dir):
        assert query(data_dir, "SELECT 1") == [(1,)]
        assert ping(data_dir)


def test_interrupted_first_start_is_begun_again(data_dir):
    layout = paths(data_dir)
    half = layout.data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18", encoding="ascii")

    with services(data_dir):
        assert query(data_dir, "SELECT 1") == [(1,)]


def test_configured_addresses_start_nothing(data_dir, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere.example/vaultadmin")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere.example/0")

    with services(data_dir) as running:
        assert running.started == []
        assert not running.fallen()
    assert not data_dir.exists()


def test_configured_database_still_embeds_redis(data_dir, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere.example/vaultadmin")

    with services(data_dir) as running:
        assert running.started == ["redis"]
    assert not (data_dir / "postgres").exists()


def test_secrets_and_sockets_are_private(running_dir):
    layout = paths(running_dir)

    assert stat.S_IMODE(layout.redis_password.stat().st_mode) == 0o600
    assert stat.S_IMODE((layout.redis / "redis.conf").stat().st_mode) == 0o600
    for folder in (layout.cluster, layout.postgres_sockets, layout.redis_socket.parent, layout.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not stat.S_IMODE(layout.data.stat().st_mode) & 0o066


def test_redis_refuses_those_without_the_password(running_dir):
    with (
        redis.Redis(unix_socket_path=str(paths(running_dir).redis_socket)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_password_is_on_no_command_line(running_dir):
    password = paths(running_dir).redis_password.read_text(encoding="ascii")

    assert not any(
        password in word for number in pids(running_dir).values() for word in psutil.Process(number).cmdline()
    )


def test_servers_listen_on_no_network_port(running_dir):
    for number in pids(running_dir).values():
        assert psutil.Process(number).net_connections(kind="inet") == []


def test_long_and_closed_data_folder_still_gets_a_database(tmp_path, data_dir):
    deep = tmp_path / ("a-folder-with-a-long-name-" * 4)
    assert tmp_path.stat().st_mode & 0o077 == 0

    try:
        with services(deep):
            assert query(deep, "SELECT 1") == [(1,)]
            assert ping(deep)
        with services(deep):
            assert is_running(deep)
    finally:
        fresh.delete(paths(deep))
    assert not deep.exists()
