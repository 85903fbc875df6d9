"""What Ray costs: the same calls by local processes and by actors of a Ray cluster; wall time, and are rows equal?

usage: .venv/bin/python -m tests.bench.cluster [--recordings DIR] [--workers N] [--rounds N] [--json FILE]

Runs alternate, each a process of its own with its start.  The fastest round of each counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.support.paths import DEV

MOVING = {"run_id", "processed_at"}


def rows_of(out: Path) -> list[str]:
    """Every row of the calls' datasets without what differs between two runs, sorted."""
    found = []
    for dataset in ("calls", "turns", "criteria", "promises", "events"):
        for part in (out / dataset).glob("*/*.parquet"):
            for row in pq.read_table(part, partitioning=None).to_pylist():
                found.append(repr((dataset, {k: v for k, v in row.items() if k not in MOVING})))
    return sorted(found)


def measure(engine: str, options: argparse.Namespace, out: Path) -> dict[str, Any]:
    """The row of a run; raises CalledProcessError when it could not run."""
    command = [sys.executable, "-m", "callanalytics.cli.main", "run", str(options.recordings), "--output", str(out)]
    command += ["--engine", engine, "--workers", str(options.workers), "--json", "--log", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return dict(json.loads(done.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=DEV / "recordings")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.recordings.is_dir():
        print(f"skipped: no recordings at {options.recordings}", file=sys.stderr)
        return 0
    wall: dict[str, list[float]] = {"local": [], "ray": []}
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for engine, seconds in wall.items():
                out = Path(folder) / f"{engine}{number}"
                row = measure(engine, options, out)
                seconds.append(row["wall_ms"] / 1000)
                rows[engine] = rows_of(out)
                print(f"{engine}: {row['published']} calls, {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
    local, ray = min(wall["local"]), min(wall["ray"])
    is_same = rows["local"] == rows["ray"]
    print(f"local {local:.1f} s, Ray {ray:.1f} s: {ray / local:.3f} x; {len(rows['ray'])} rows, equal: {is_same}")
    if options.json:
        options.json.write_text(json.dumps({"wall_s": wall, "rows": len(rows["ray"]), "equal": is_same}, indent=1))
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
