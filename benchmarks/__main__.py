"""The command: `python -m benchmarks` measures every figure, `python -m benchmarks mcp image` some, one result file each."""

import argparse
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from datetime import UTC, datetime
from typing import Any

from benchmarks import report
from benchmarks.measure import Row
from benchmarks.servers import OTHER_PYTHON, ROOT
from benchmarks.sizes import FULL, TINY, Size

FIGURES = ("account", "mcp", "ledger", "image", "waiting", "bulk", "delivery", "start", "lists", "processes")
"""In the order of docs/performance.md."""

RESULTS = ROOT / "benchmarks" / "results"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, "install", "report", []], help="default: all")
    parser.add_argument("--tiny", action="store_true", help="only show that everything works; nothing is kept")
    parser.add_argument("--missing", action="store_true", help="only figures that have no result of this commit yet")
    asked = parser.parse_args(arguments)
    if "install" in asked.figures:
        install()
    _open_many_files()
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")
    for figure in [each for each in asked.figures if each in FIGURES] or (FIGURES if not asked.figures else ()):
        if not (asked.missing and _has_result(figure)):
            run(figure, TINY if asked.tiny else FULL, keep=not asked.tiny)
    if not asked.tiny:
        report.write(RESULTS, ROOT / "docs")


def run(figure: str, size: Size, *, keep: bool) -> list[Row]:
    module = importlib.import_module(f"benchmarks.figures.{figure}")
    print(f"\n{module.TITLE}", flush=True)
    began = time.monotonic()
    rows: list[Row] = module.measure(size)
    for row in rows:
        print(f"  {report.sentence(row.data())}", flush=True)
    if keep:
        result = {"figure": figure, "title": module.TITLE, **_circumstances(time.monotonic() - began)}
        result["rows"] = [row.data() for row in rows]
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{figure}.json").write_text(json.dumps(result, indent=1) + "\n")
    return rows


def install() -> None:
    """What Limner is measured beside, into an environment of its own."""
    uv, venv = str(ROOT / ".venv" / "bin" / "uv"), str(OTHER_PYTHON.parent.parent)
    lock = str(ROOT / "requirements-bench.lock")
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, venv], check=True)
    command = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--compile-bytecode",
        "--require-hashes",
        "--python",
        str(OTHER_PYTHON),
        lock,
    ]
    subprocess.run(command, check=True)


def _circumstances(seconds: float) -> dict[str, Any]:
    return {
        "measuredAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "seconds": round(seconds),
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
        "loadAverage": round(os.getloadavg()[1], 1),
    }


def _has_result(figure: str) -> bool:
    path = RESULTS / f"{figure}.json"
    return path.exists() and json.loads(path.read_text())["commit"] == _commit()


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def _processor() -> str:
    with open("/proc/cpuinfo") as told:
        names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _open_many_files() -> None:
    """Ten thousand connections; the servers inherit the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
