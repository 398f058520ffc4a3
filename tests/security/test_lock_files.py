import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_file_pins_every_package_by_hash_and_names_no_address(name, goal):
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"(?m)^\s*#.*\n?", "", text))[1:]

    loose = [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    addresses = re.findall(r"https?://\S+|--(?:index-url|extra-index-url|find-links|trusted-host)\S*", text)

    figure = {"file": name, "packages": len(entries), "loose": loose, "addresses": addresses}
    ok = len(entries) > 40 and not loose and not addresses
    goal("M3").reached(figure=figure, target={"loose": [], "addresses": []}, ok=ok)
