import re
import subprocess
import sys

import pytest

from tests.ecoa.service.caller import mint


@pytest.mark.parametrize("signed_in", [False, True], ids=["without token", "with token"])
def test_service_keeps_its_own_openapi_document(port, goal, tmp_path, signed_in):
    reached = goal("J1")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/myveeva/openapi.json"]
    command += ["--checks", "all", "--seed", "1", "--generation-database", "none", "--no-color"]
    command += ["--max-examples", str(reached.count(small=4, full=900))]
    command += ["--header", f"Authorization: Bearer {mint()}"] if signed_in else []

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    print(done.stdout, done.stderr)
    cases = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    figure = f"{cases[2]} of {cases[1]} cases kept, {'with' if signed_in else 'without'} token"
    reached.reached(figure=figure, target="all", ok=done.returncode == 0)
