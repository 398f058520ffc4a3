import subprocess
import sys

import pytest

from bench import fresh
from bench.errors import BenchError
from bench.meter import Meter, peak_memory_mb
from vaultadmin.embedded.processes import wait_until

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
            assert wait_until(lambda: _busy(child.pid) >= 0.3, seconds=20)
        assert meter.seconds_of["spinner"] > 0.1
        assert 0.0 <= meter.foreign <= 1.0
    finally:
        child.communicate(b"\n", timeout=20)


def _busy(pid):
    import psutil

    return sum(psutil.Process(pid).cpu_times()[:2])
