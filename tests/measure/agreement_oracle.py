"""Writes tests/data/agreement_irrcac.json: kappa and AC1 of random tables as irrCAC, a package of others, has them.

    .venv/bin/python -m tests.measure.agreement_oracle

irrCAC pins an old SciPy, so it is installed in an environment of its own, which is thrown away afterwards.  The tests
hold callanalytics/evaluation/agreement.py against the file; without a change of this script it never changes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from tests.support.paths import DATA

VERSION = "0.4.4"  # of irrCAC
SEED = 20260
TARGET = DATA / "agreement_irrcac.json"

# Runs in irrCAC's environment: ratings in, figures out.  Conger's kappa of two raters is Cohen's; of more who all
# answered everything it is Cohen's pooled over each two.  Conger fills gaps in another way than pooling does, so
# with gaps only AC1 is asked for.
ASK = """
import json, math, sys
import pandas
from irrCAC.raw import CAC

def asked(method):
    value = float(method()["est"]["coefficient_value"])
    return None if math.isnan(value) else value

for table in (tables := json.load(sys.stdin)):
    cac = CAC(pandas.DataFrame(table["ratings"], dtype=float), categories=table["categories"], digits=9)
    is_whole = all(answer is not None for call in table["ratings"] for answer in call)
    table["kappa"], table["ac1"] = asked(cac.conger) if is_whole else None, asked(cac.gwet)
json.dump(tables, sys.stdout)
"""


def draw_tables() -> list[dict[str, object]]:
    """Return calls by raters, an answer each; from a coin's agreement to nearly perfect, from even to lopsided."""
    rng = np.random.default_rng(SEED)
    tables: list[dict[str, object]] = []
    for raters, answers, gaps in [(2, 2, 0), (2, 3, 0), (2, 5, 0), (3, 2, 0), (4, 3, 0), (3, 3, 0.2), (5, 4, 0.3)]:
        for agreeing in (0.0, 0.4, 0.7, 0.95):
            for evenness in (0.3, 1.0, 10.0):
                habits = rng.dirichlet([evenness] * answers, size=raters)
                truth = rng.choice(answers, size=(calls := int(rng.integers(8, 40))), p=habits.mean(axis=0))
                own = np.stack([rng.choice(answers, size=calls, p=habit) for habit in habits], axis=1)
                given = np.where(rng.random(own.shape) < agreeing, truth[:, None], own)
                # A gap is nobody's answer; the first two raters have none, because a call needs a pair.
                is_gap = (rng.random(own.shape) < gaps) & (np.arange(raters) > 1)
                rows = [[None if gap else int(a) for a, gap in zip(*row, strict=True)]
                        for row in zip(given, is_gap, strict=True)]  # fmt: skip
                tables.append({"categories": list(range(answers)), "ratings": rows})
    return tables


def main() -> None:
    """Install irrCAC, ask it, write the file."""
    with tempfile.TemporaryDirectory(prefix="callanalytics-irrcac-") as scratch:
        venv.create(scratch, with_pip=True)
        python = Path(scratch) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"irrCAC=={VERSION}"], check=True)
        command = [python, "-W", "ignore", "-c", ASK]
        answer = subprocess.run(command, input=json.dumps(draw_tables()), capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(answer.stderr)
    tables = [json.dumps(table, separators=(",", ":")) for table in json.loads(answer.stdout)]
    TARGET.write_text(f'{{"irrCAC": "{VERSION}", "tables": [\n' + ",\n".join(tables) + "\n]}\n", encoding="utf-8")
    print(f"{TARGET}: {len(tables)} tables")


if __name__ == "__main__":
    main()
