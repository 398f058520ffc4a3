import subprocess
import sys

_FROZEN = """
import gc
from celery.signals import worker_process_init
import vaultadmin.celery
before = gc.get_freeze_count()
worker_process_init.send(sender=None)
print(before, gc.get_freeze_count())
"""


def test_worker_process_goes_through_what_it_loaded_no_more():
    said = subprocess.run([sys.executable, "-c", _FROZEN], capture_output=True, text=True, check=True, timeout=60)

    before, after = (int(number) for number in said.stdout.split())
    assert before == 0
    assert after > 10_000
