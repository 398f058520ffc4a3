"""Deletes the data of this installation after asking: `make fresh`."""

import shutil
import sys
from pathlib import Path

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.paths import Paths, paths
from vaultadmin.embedded.services import embedded_servers, only_supervisor


def delete(layout: Paths) -> None:
    """Stop servers a killed start may have left, then remove every folder of this layout.

    Only a folder that holds what we put there is removed: a data folder set to somebody's home must survive this.
    """
    if not (layout.run / "services.lock").exists():
        raise EmbeddedError(f"{layout.data} is not a data folder of vaultadmin: nothing was deleted.")
    with only_supervisor(layout.data):
        for server in reversed(embedded_servers(layout)):
            server.stop()
        outside = [folder for folder in (layout.cluster.parent, layout.sockets) if layout.data not in _line(folder)]
        for folder in (*outside, layout.data):
            if folder.exists():
                shutil.rmtree(folder)


def main(arguments: list[str]) -> int:
    """Ask, delete, and say what happened."""
    from vaultadmin.environment import data_dir

    layout = paths(data_dir())
    if not layout.data.exists():
        print(f"There is no {layout.data}: nothing to delete.")
        return 0
    if "--yes" not in arguments:
        answer = input(f"Delete {layout.data} with everything in it? Type yes: ")
        if answer.strip().lower() != "yes":
            print("Nothing was deleted.")
            return 0
    try:
        delete(layout)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Deleted {layout.data}.")
    return 0


def _line(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.parents)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
