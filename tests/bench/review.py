"""How long the pages of the review app take over 100 and over 10,000 calls, in the parts of nights and merged.

usage: CALLANALYTICS_KEY=... .venv/bin/python -m tests.bench.review [--counts 100,10000] [--times 15] [--json FILE]

Scripted calls with all criteria of the card, 4 in a part as a night writes them, over sixty days and eight queues, are
published by the store; a tenth of them was reviewed.  The app runs in a process of its own and is asked over HTTP.
Prints the median answer time of each page and how many times longer it takes beside the most calls than beside the
fewest: at most 10 is wanted.  The two are asked in turns, so that what else the machine does hits both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx

from callanalytics.config import Config, load_config
from callanalytics.records import CallResult, CriterionRow, PromiseRow
from callanalytics.review.desk import Desk
from callanalytics.review.session import COOKIE
from callanalytics.scoring import load_files
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.people import add_user, log_in_by_proxy
from tests.support.fakes import MOMENT, call_result

QUEUES = ("algemeen", "burgerzaken", "afval", "belastingen", "parkeren", "vergunningen", "meldingen", "zorg")
PART, DAYS, TURNS, BAR = 4, 60, 40, 10
SERVE = """
import sys
from pathlib import Path
import uvicorn
from callanalytics.config import load_config
from callanalytics.review.web import create_app
uvicorn.run(create_app(load_config(), Path(sys.argv[1])), port=int(sys.argv[2]), log_level="error")
"""


def make_call(config: Config, criteria: tuple[str, ...], i: int) -> CallResult:
    """A call of any day and queue, with a verdict on every criterion and a promise; by its number alone."""
    rng, call_id = random.Random(i), f"gesprek-{i:05}"
    started = MOMENT - timedelta(days=rng.randrange(DAYS), minutes=rng.randrange(600))
    result = call_result(
        call_id, started.date().isoformat(), TURNS, started_at=started, processed_at=started, queue=rng.choice(QUEUES),
        topic=rng.choice(("afval", "parkeren", "reisdocumenten", "wmo")), topic_sensitive=rng.random() < 0.2,
        recording=f"{call_id}.wav", recording_sha256=f"{i:064x}", agent_ref=None,
        duration_ms=rng.randrange(60_000, 600_000),
        normalized_score=rng.random(), compliance_status=rng.choice(("met", "met", "uncertain", "not_met")),
        scorecard_version=config.scorecard.version,
    )  # fmt: skip
    rows = []
    for one in criteria:
        p = rng.random()
        status = (
            "not_applicable"
            if rng.random() < 0.3
            else "uncertain"
            if 0.4 < p < 0.6
            else "met"
            if p >= 0.6
            else "not_met"
        )
        evidence = result.criteria[0].evidence
        rows.append(CriterionRow(call_id, one, status != "not_applicable", p > 0.5, status, p, "both", evidence, "1"))
    due = started + timedelta(days=rng.randrange(60))
    promise = PromiseRow(call_id, 0, "callback", "ik", "morgen", due, True, "ik bel u morgen", 0, 400)
    items = dict.fromkeys(config.scorecard.items, "met")
    return replace(result, criteria=tuple(rows), promises=(promise,), items=items)


def make_out(config: Config, out: Path, count: int) -> float:
    """An OUT of so many calls, indexed and in part reviewed; returns the seconds that the index took."""
    criteria = load_files(config).ids
    store = Store(out, criteria, tuple(config.scorecard.items), config.storage)
    store.open()
    by_day: dict[str, list[CallResult]] = {}
    for i in range(count):
        one = make_call(config, criteria, i)
        by_day.setdefault(str(one.local_date), []).append(one)
    for day, calls in by_day.items():
        for i in range(0, len(calls), PART):
            store.publish(calls[i : i + PART], f"{day}-{i:05}")
    store.close()
    desk = Desk(config, out)
    began = time.perf_counter()
    desk.refresh()
    seconds = time.perf_counter() - began
    add_user(desk.reviews, "eva", "een lang wachtwoord", "lead")
    for i in range(0, count, 10):
        desk.reviews.finish(1, f"gesprek-{i:05}", {}, 0.5, f"token-{i}")
    desk.close()
    return seconds


def compact(config: Config, out: Path) -> None:
    """Merge the parts of every day, and let the index follow."""
    store = Store(out, load_files(config).ids, tuple(config.scorecard.items), config.storage)
    store.open()
    store.compact()
    store.close()
    desk = Desk(config, out)
    desk.refresh()
    desk.close()


@contextmanager
def served(config: Config, out: Path, port: int) -> Iterator[httpx.Client]:
    """The app in a process of its own, and somebody who is logged in."""
    desk = Desk(config, out)
    token = log_in_by_proxy(desk.reviews, "eva")
    desk.close()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(out), str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies={COOKIE: token or ""}, timeout=120) as client:
            for _ in range(600):
                try:
                    client.get("/log-in")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait()


def pages(count: int) -> dict[str, list[str]]:
    """The pages by name, each with the addresses that are asked in turns."""
    some = [f"gesprek-{i:05}" for i in range(1, count, max(1, count // 10))]
    return {
        "work list, newest": ["/"],
        "work list, most instructive": ["/?order=uncertain"],
        "work list, legal duties first": ["/?order=compliance"],
        "work list, not reviewed": ["/?state=machine"],
        "work list, queue and criterion": ["/?queue=afval&criterion=empathy&verdict=not_met"],
        "work list, second page": ["/?page=2"],
        "samples": ["/samples"],
        "promise register": ["/register?view=soon"],
        "contests": ["/contests"],
        "call": [f"/call?id={quote(one)}" for one in some],
    }


def measure(clients: dict[int, httpx.Client], times: int) -> dict[str, dict[int, float]]:
    """Median milliseconds by page and number of calls; the first answer of each is not counted."""
    found: dict[str, dict[int, float]] = {}
    every = {count: pages(count) for count in clients}
    for name in next(iter(every.values())):
        took: dict[int, list[float]] = {count: [] for count in clients}
        for i in range(times + 1):
            for count, client in clients.items():
                addresses = every[count][name]
                began = time.perf_counter()
                answer = client.get(addresses[i % len(addresses)])
                took[count].append(1000 * (time.perf_counter() - began))
                if answer.status_code != 200:
                    sys.exit(f"{name}: {answer.status_code}")
        found[name] = {count: statistics.median(all_of[1:]) for count, all_of in took.items()}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="100,10000")
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    counts = [int(n) for n in options.counts.split(",")]
    os.environ.setdefault("CALLANALYTICS_KEY", "a key of twenty signs")
    config = load_config()
    results: dict[str, dict[str, dict[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        outs = {count: Path(folder) / f"out-{count}" for count in counts}
        for count, out in outs.items():
            seconds = make_out(config, out, count)
            print(f"{count} calls: the first index took {seconds:.1f} s", file=sys.stderr, flush=True)
        for how in ("parts of 4", "merged"):
            if how == "merged":
                for out in outs.values():
                    compact(config, out)
            with ExitStack() as stack:
                clients = {
                    count: stack.enter_context(served(config, out, options.port + i))
                    for i, (count, out) in enumerate(outs.items())
                }
                time.sleep(3)  # the look at OUT that every start begins with
                results[how] = measure(clients, options.times)
    few, many = counts[0], counts[-1]
    heads = " | ".join(f"{n} calls, ms | {m} calls, ms | ratio" for n, m in [(few, many)] * 2)
    print(f"| page | {heads} |\n| --- |" + " --- |" * 6)
    worst = 0.0
    for name in results["merged"]:
        cells = []
        for how in results:
            one = results[how][name]
            worst = max(worst, one[many] / one[few])
            cells += [f"{one[few]:.0f}", f"{one[many]:.0f}", f"{one[many] / one[few]:.1f}"]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nLeft: parts of {PART} calls; right: merged.  The largest ratio is {worst:.1f}; at most {BAR} is wanted.")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return int(worst > BAR)


if __name__ == "__main__":
    sys.exit(main())
