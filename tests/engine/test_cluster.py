"""The same rows from a real Ray cluster of two raylets, also when an actor or a whole node is lost in the middle."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callanalytics.config import Config
from callanalytics.engine.cluster import run_on_ray
from callanalytics.errors import CallError
from callanalytics.records import CallResult
from tests.support.fakes import FaultyWorker, RayWorker
from tests.support.paths import ROOT
from tests.support.processes import shards_of

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores for work and two nodes of one core each: three raylets."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        memory = {"object_store_memory": 100 << 20}
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **memory})
        nodes = [cluster.add_node(num_cpus=1, **memory) for _ in range(2)]
        cluster.wait_for_nodes()
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        try:
            yield cluster, nodes
        finally:
            ray.shutdown()
            cluster.shutdown()


def became(outcomes: Any) -> dict[str, str]:
    """What became of each call, each exactly once."""
    found: list[tuple[str, str]] = []
    for shard, (results, _) in outcomes:
        for call, result in zip(shard, results, strict=True):
            is_done = isinstance(result, CallResult)
            assert is_done or isinstance(result, CallError)
            found.append((call.call_id, "done" if is_done else f"{result.stage}: {result.state}"))
    assert len(found) == len(dict(found))
    return dict(found)


def test_an_actor_that_dies_costs_the_call_at_fault_alone(config: Config, tmp_path: Path, cluster: Any) -> None:
    texts = [["a", "b"], ["c", "die"], ["e"], ["g", "die once"], ["i"]]
    waiting = iter(shards_of(tmp_path, texts))
    found = became(run_on_ray(FaultyWorker, config, lambda: next(waiting, None), 2, 1))
    assert len(found) == sum(map(len, texts))
    assert {call: end for call, end in found.items() if end != "done"} == {"11": "worker: quarantined"}


def test_a_node_that_is_lost_costs_nothing(config: Config, tmp_path: Path, cluster: Any) -> None:
    whole, nodes = cluster
    waiting = iter(shards_of(tmp_path, [[f"topic {i}"] for i in range(400)]))
    given: list[Any] = []
    places: set[Any] = set()

    def upcoming() -> Any:
        """Shards until both nodes have worked, and ten more for the node that is left."""
        if sum(len(places) == 2 for _, places in given) >= 10:
            return None
        given.append((next(waiting), set(places)))
        return given[-1][0]

    outcomes = run_on_ray(RayWorker, config, upcoming, 2, 1)
    done: list[Any] = []
    while len(places) < 2 and len(done) < 380:
        done.append(next(outcomes))
        places |= {results[0].call.queue for _, (results, _) in done[-1:]}
        time.sleep(0.0 if len(places) == 2 else 0.3)  # a node of a busy machine may take a minute to begin
    assert len(places) == 2
    whole.remove_node(nodes[0], allow_graceful=False)
    whole.add_node(num_cpus=1, object_store_memory=100 << 20)
    found = became([*done, *outcomes])
    assert found == {call.call_id: "done" for (call,), _ in given}
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
