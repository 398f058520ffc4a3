import json
import os
import subprocess
import sys
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

ROWS = 200_000
SCRIPT = """
import json, re, sys
import django
django.setup()
from ecoa.models import StudyMapping
from ecoa.services import importing
from vaultadmin import audit, clock

def peak():
    # Not getrusage: its peak is that of whoever started this process.
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read()).group(1)) // 1024

before = peak()
mapping = StudyMapping.objects.get()
with open(sys.argv[1], "rb") as file:
    received = importing.receive(mapping=mapping, file=file, name="big", by=audit.System("test"), now=clock.now())
importing.work(import_id=received.pk)
received.refresh_from_db()
told = {"state": received.state, "rows": received.row_count, "new": received.new, "before": before, "peak": peak()}
print(json.dumps(told))
"""


@pytest.mark.django_db(transaction=True)
def test_preview_of_a_large_file_stays_small(study, tmp_path):
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("site,participantId,internalId\n")
        file.writelines(f"1005,1005-{n:07},{UUID(int=n * 2**70)}\n" for n in range(ROWS))

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vaultadmin.settings",
            "VAULTADMIN_DATABASE_NAME": connection.settings_dict["NAME"],
        },
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["rows"], told["new"]) == ("ready", ROWS, ROWS)
    assert told["peak"] < 300
    assert told["peak"] - told["before"] < 60
