"""The browser of the tests: a Chromium on PATH, one Playwright already has, or one installed here and now."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the program of a usable Chromium, or None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    return bundled if Path(bundled).exists() else None


def ensure_chromium() -> str:
    """Return a usable Chromium, installing one when there is none; exit with a sentence when that fails."""
    for install in (None, _install_with_apt, _install_with_playwright):
        if install is not None and not install():
            continue
        if found := find_chromium():
            return found
    sys.exit("No browser for the tests could be found or installed: install chromium, or check the network.")


def _install_with_apt() -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Installing Chromium with apt-get …", flush=True)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "-qq", "chromium"]
    return _succeeds(install) or (_succeeds(["apt-get", "update", "-qq"]) and _succeeds(install))


def _install_with_playwright() -> bool:
    print("Installing Chromium with Playwright …", flush=True)
    return _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    ensure_chromium()
