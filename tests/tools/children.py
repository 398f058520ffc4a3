"""Real processes for tests: Celery workers and the web server, working on this test's database and Redis number."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from vaultadmin.embedded.processes import end, group_members, spawn, wait_until


@dataclass
class ChildProcess:
    """A process a test started. Its output is in `log`, which a failed wait quotes."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL to the process and all of its children, as when the machine loses power."""
        for pid in group_members(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> None:
        """SIGTERM, then insist."""
        end([self.pid], signals=((signal.SIGTERM, 10), (signal.SIGKILL, 5)))
        end(group_members(self.pid), signals=((signal.SIGKILL, 5),))
        self.process.wait(timeout=10)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str, *, seconds: float = 60) -> None:
        """Wait until these words are in the log."""
        wait_until(lambda: words in self.output() or self.process.poll() is not None, seconds=seconds)
        assert words in self.output(), f"{words!r} did not appear:\n{self.output()[-4000:]}"

    def children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]


def start_child(command: Sequence[str], *, extra: Mapping[str, str] | None = None) -> ChildProcess:
    """Start a program of the product against the database this test uses."""
    environment = {
        **os.environ,
        "VAULTADMIN_DATABASE_NAME": connection.settings_dict["NAME"],
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }
    handle, name = tempfile.mkstemp(prefix="child-", suffix=".log")
    with os.fdopen(handle, "wb") as output:
        process = spawn(
            command,
            output=output.fileno(),
            environment=environment,
            folder=settings.BASE_DIR,
            dies_with_parent=signal.SIGTERM,
        )
    return ChildProcess(process, Path(name))


def answers(port: int, path: str = "/healthz") -> bool:
    """True when the web server on this port answers 200."""
    asked = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", path, headers={"Host": "localhost"})
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()
