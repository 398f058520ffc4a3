import asyncio
import subprocess
import sys
import time

import pytest

from bench import delay, environment, fresh
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
    asked, answered, took = asyncio.run(_through_relay(0.05))

    assert answered == asked[::-1]
    assert took >= 0.05


async def _through_relay(seconds):
    async def reverse(reader, writer):
        writer.write((await reader.readexactly(1000))[::-1])
        await writer.drain()

    target, listen = environment.free_ports(1), environment.free_ports(1)
    relay = asyncio.create_task(delay.serve(listen, target, seconds))
    async with await asyncio.start_server(reverse, "127.0.0.1", target):
        reader, writer = await _connect(listen)
        asked = bytes(range(250)) * 4
        started = time.monotonic()
        writer.write(asked)
        answered = await reader.readexactly(1000)
        took = time.monotonic() - started
        writer.close()
    relay.cancel()
    return asked, answered, took


async def _connect(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.01)


def test_unknown_benchmark_is_refused_in_one_sentence():
    refused = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=environment.ROOT, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "nonsense" in refused.stderr
