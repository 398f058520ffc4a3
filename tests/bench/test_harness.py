import socket
import subprocess
import sys
import time

import pytest

from bench import environment, fresh
from bench.errors import BenchError
from bench.meter import Meter, peak_memory_mb

_SPIN = "import time\nwhile time.process_time() < 0.4: pass\ninput()"


def hold(ready, megabytes):
    block = b"x" * (megabytes * 1_000_000)
    ready()
    return len(block), peak_memory_mb()


def fail(_ready):
    raise ValueError("no such thing")


def test_memory_is_that_of_the_fresh_process():
    small, large = fresh.together("tests.bench.test_harness.hold", [(1,), (120,)], seconds=60)

    assert 90 < large[1] - small[1] < 150


def test_failure_in_a_fresh_process_is_told():
    with pytest.raises(BenchError, match="no such thing"):
        fresh.alone("tests.bench.test_harness.fail", seconds=60)


def test_meter_knows_what_a_role_used():
    child = subprocess.Popen([sys.executable, "-c", _SPIN], stdin=subprocess.PIPE)
    try:
        with Meter({"spinner": child.pid}) as meter:
            deadline = time.monotonic() + 20
            while _busy(child.pid) < 0.4 and time.monotonic() < deadline:
                time.sleep(0.02)
        assert meter.seconds_of["spinner"] > 0.1
        assert 0.0 <= meter.foreign <= 1.0
    finally:
        child.communicate(b"\n", timeout=20)


def _busy(pid):
    import psutil

    return sum(psutil.Process(pid).cpu_times()[:2])


def test_relay_delays_answers_and_changes_nothing():
    listen = environment.free_ports(1)
    asked = bytes(range(250)) * 4

    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "bench.delay", str(listen), str(server.getsockname()[1]), "50"]
        relay = subprocess.Popen(command, cwd=environment.ROOT)
        try:
            with _connect(listen) as link, server.accept()[0] as there:
                started = time.monotonic()
                link.sendall(asked)
                there.sendall(_receive(there, 1000)[::-1])
                answered = _receive(link, 1000)
                took = time.monotonic() - started
        finally:
            relay.terminate()
            relay.wait(timeout=20)

    assert answered == asked[::-1]
    assert took >= 0.05


def _connect(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _receive(link, amount):
    received = b""
    while len(received) < amount:
        received += link.recv(amount - len(received))
    return received


def test_unknown_benchmark_is_refused_in_one_sentence():
    refused = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=environment.ROOT, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "nonsense" in refused.stderr
