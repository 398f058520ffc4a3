"""Looks for secrets in the repository; `# pragma: allowlist secret` marks what was looked at and is none."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Tests are full of made-up passwords; lock files are full of hashes.
_SKIPPED_ENDS = (".lock", ".min.js", ".min.css")
_SKIPPED_FOLDERS = ("tests/", "static/vendor/")
# Sentences and dotted names of Python are no secrets.
_NOT_SECRET = r"\s|^[a-z_]+(\.[A-Za-z_]+)+$"


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        print("Secrets are looked for in a git checkout only; this is none.")
        return 0
    names = [name for name in listed.stdout.split("\0") if name]
    files = [name for name in names if not name.endswith(_SKIPPED_ENDS) and not name.startswith(_SKIPPED_FOLDERS)]
    hook = Path(sys.executable).with_name("detect-secrets-hook")
    return subprocess.run([hook, "--exclude-secrets", _NOT_SECRET, *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
