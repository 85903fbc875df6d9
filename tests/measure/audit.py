"""Known vulnerabilities of the installed packages, by pip-audit; part of `make check`.

Exit 1 when there are any.  Where the advisories can't be reached it says that it was skipped, and why, and exits 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

IGNORED: dict[str, str] = {}  # advisory -> why it does not concern us


def main() -> int:
    """Print what is known."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    try:
        done = subprocess.run([*command, "--timeout", "10"], capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        print("skipped: the advisory service does not answer")
        return 0
    return judge(done.stdout, done.stderr)


def judge(found: str, said: str) -> int:
    """What pip-audit's JSON comes to; without any it could not ask."""
    try:
        packages = json.loads(found)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = said.strip().splitlines()[-1:] or ["it says nothing"]
        print(f"skipped: pip-audit could not ask the advisory service: {last[0][:200]}")
        return 0
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        print(f"skipped: the advisory service knows none of the {len(packages)} packages, as a bare mirror does")
        return 0
    bad = [(p, v) for p in asked for v in p["vulns"] if v["id"] not in IGNORED]
    for package, advisory in bad:
        mended = ", ".join(advisory["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}")
    print(f"{len(asked)} of {len(packages)} packages looked up, {len(bad)} known vulnerabilities")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
