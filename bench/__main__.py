"""`python -m bench [NAME …] [--full] [--json]`: each benchmark in a process of its own, then the goals."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from bench import environment, report

# In this order: what is timed against the whole machine first.
NAMES = (
    *("ecoa_sync", "ecoa_million", "ecoa_service"),
    *("spark_send", "spark_send_peer", "spark_receive", "spark_backlog"),
    *("import_preview", "lists", "site_page", "page_budget", "start"),
)
DONE, WITH_FAILURES = 0, 1
# Where a benchmark that hangs is ended; on an idle machine none comes near.
_QUICK_SECONDS, _FULL_SECONDS = 600, 3600


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 1 when a benchmark ended without a figure or a goal is not reached."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    if options.here:
        return _run_here(options.names[0], full=options.full, as_json=options.json)
    names = options.names or NAMES
    seconds = _FULL_SECONDS if options.full else _QUICK_SECONDS
    done = [name for name in names if _run_apart(name, options, seconds)]
    results = [json.loads((environment.RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in done]
    if results and not options.json:
        print(report.goals_text(results))
    return _status(results, complete=len(done) == len(names))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="manage.py bench", description="Measure the product beside its peers and its limits; all when none named."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=", ".join(NAMES))
    parser.add_argument("--full", action="store_true", help="full counts, up to an hour; else at most five minutes")
    parser.add_argument("--json", action="store_true", help="one line of JSON a benchmark instead of tables")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser


def _name(text: str) -> str:
    if text not in NAMES:
        raise argparse.ArgumentTypeError(f"there is no benchmark {text!r}, choose from {', '.join(NAMES)}")
    return text


def _run_apart(name: str, options: argparse.Namespace, seconds: int) -> bool:
    """One benchmark in its own interpreter; True when it left a result. It stops its servers before it is gone."""
    print(f"Measuring {name} …", file=sys.stderr, flush=True)
    flags = [flag for flag, wanted in (("--full", options.full), ("--json", options.json)) if wanted]
    child = subprocess.Popen([sys.executable, "-m", "bench", "--here", *flags, name], cwd=environment.ROOT)
    try:
        return child.wait(timeout=seconds) == DONE
    except subprocess.TimeoutExpired:
        print(f"{name} did not finish within {seconds} s.", file=sys.stderr)
        return False
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(timeout=60)


def _run_here(name: str, *, full: bool, as_json: bool) -> int:
    environment.choose(name, data_dir=environment.data_root())
    import django

    django.setup()
    environment.log_to_file()
    from django.utils.module_loading import import_string

    from bench.errors import BenchError

    try:
        result: report.Result = import_string(f"bench.{name}.run")(full=full)
    except BenchError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return WITH_FAILURES
    result.save(environment.RESULTS)
    print(json.dumps(result.as_dict(), separators=(",", ":")) if as_json else result.text(), flush=True)
    return DONE


def _status(results: Sequence[dict[str, Any]], *, complete: bool) -> int:
    verdicts = {goal["verdict"] for result in results for goal in result["goals"]}
    return DONE if complete and verdicts <= {report.PASS, report.LATER} else WITH_FAILURES


def _stop(_number: int, _frame: object) -> NoReturn:
    """SIGTERM as an exception, so that what was started is stopped on the way out."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
