"""Django's deployment check, run as a production installation would be configured."""

import os
import secrets
import subprocess
import sys
from base64 import b64encode


def main() -> int:
    environment = {
        **os.environ,
        "VAULTADMIN_PRODUCTION": "1",
        "VAULTADMIN_SECRET_KEY": secrets.token_urlsafe(50),
        "VAULTADMIN_ENCRYPTION_KEYS": f"k1:{b64encode(secrets.token_bytes(32)).decode()}",
        "VAULTADMIN_ALLOWED_HOSTS": "vaultadmin.example",
        "VAULTADMIN_PUBLIC_URL": "https://vaultadmin.example",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
