"""Damaged recordings and metadata by the hundred, through the real engine: no crash, and each in exactly one state.

FUZZ=500 with tests/whole/test_fuzz.py takes some minutes; the suite is content with fewer.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.config import Config
from callanalytics.engine import batch as engine
from callanalytics.engine.intake import list_calls
from callanalytics.errors import ManifestError
from callanalytics.store.datasets import DETAILS, Store
from tests.support.centre import with_engine
from tests.support.fakes import Clip, Watcher, write_audio

FILES = int(os.environ.get("FUZZ", "100"))
KINDS = {
    "pcm16": "wav", "mulaw": "wav", "alaw": "wav", "float": "wav", "mp3": "mp3", "opus": "opus", "flac": "flac",
    "m4a": "m4a",
}  # fmt: skip


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 8, 64, 512))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 4, 16))):
        data[chance.randrange(min(128, len(data)))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def cut_out(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randrange(1, 4000)]


def insert_noise(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.randbytes(chance.randrange(1, 4000))


def replace_all(data: bytearray, chance: random.Random) -> None:
    data[:] = chance.randbytes(chance.randrange(0, 20_000))


def huge_numbers(data: bytearray, chance: random.Random) -> None:
    """Lengths and rates that promise gigabytes."""
    for _ in range(3):
        at = chance.randrange(0, min(200, len(data)), 4)
        data[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00"))


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    flip_bits, flip_header, truncate, cut_out, insert_noise, replace_all, huge_numbers,
]  # fmt: skip


@pytest.mark.models
@pytest.mark.timeout(1500)
def test_damaged_recordings_and_sidecars_end_in_one_state_each(
    config: Config, tmp_path: Path, mono_clip: Clip, stereo_clip: Clip
) -> None:
    chance = random.Random(17)
    whole: list[tuple[str, bytes]] = []
    for kind, suffix in KINDS.items():
        for clip in (mono_clip, stereo_clip):
            path = write_audio(tmp_path / f"whole.{suffix}", clip.samples[:, : 8000 * 2], 8000, kind)
            whole.append((suffix, path.read_bytes()))
    folder = tmp_path / "recordings"
    folder.mkdir()
    for i in range(FILES):
        suffix, data = chance.choice(whole)
        mutated = bytearray(data)
        chance.choice(MUTATIONS)(mutated, chance)
        if chance.random() < 0.1:
            suffix = chance.choice(list(KINDS.values()))  # a wrong name for what it holds
        (folder / f"f{i:03d}.{suffix}").write_bytes(mutated)
        if i % 4 == 0:
            sidecar = bytearray(json.dumps({"started_at": "2026-11-17T10:00:00+01:00", "wait_s": 12.5}).encode())
            chance.choice(MUTATIONS)(sidecar, chance)
            (folder / f"f{i:03d}.json").write_bytes(sidecar)
    watcher = Watcher()
    real = with_engine(config, isolated=True, skip_duplicates=False, shard_calls=8, memory_mib=4000)
    row = engine.run(real, folder, tmp_path / "out", watcher)
    assert (row.found, row.left, row.published + row.failed) == (FILES, 0, FILES)
    states: Counter[str] = Counter()
    for part in (tmp_path / "out" / "calls").glob("*/*.parquet"):
        states.update(pq.read_table(part, columns=["recording"], partitioning=None)["recording"].to_pylist())
    failures = Store(tmp_path / "out").failures()
    states.update(failure["recording"] for failure in failures)
    assert set(states) == {path.name for path in folder.iterdir() if path.suffix != ".json"}
    assert set(states.values()) == {1}
    # Nothing was near to ending a process, and nothing broke that wasn't foreseen.
    assert {failure["stage"] for failure in failures} <= {"intake", "decode"}
    print(f"{row.published} published, {row.failed} failed: {Counter(f['message'] for f in failures).most_common(12)}")
    assert row.published > FILES / 4
    assert row.failed > FILES / 10
    for dataset in DETAILS:
        for part in (tmp_path / "out" / dataset).glob("*/*.parquet"):
            pq.read_table(part, partitioning=None).validate(full=True)


HEADER = b"recording,started_at,agent_id,queue,wait_s,agent_channel\n"
CSV = HEADER + b"a.wav,2026-11-17T10:00:00+01:00,7,afval,3,0\nb.wav,,,,,\n"


@given(edits=st.lists(st.tuples(st.integers(0, len(CSV) - 1), st.binary(max_size=4), st.integers(0, 4)), max_size=6))
def test_a_damaged_calls_csv_is_read_or_refused_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes, int]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "csv"
    folder.mkdir(exist_ok=True)
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(name.encode())
    data = bytearray(CSV)
    for at, new, length in edits:
        data[at : at + length] = new
    (folder / "calls.csv").write_bytes(data)
    try:
        calls = list_calls(folder, folder / "calls.csv")
    except ManifestError:
        return  # the run does not begin, and says which line it is
    sources = [call if hasattr(call, "recording") else call.call for call in calls]
    assert {Path(source.path).name for source in sources} >= {"a.wav", "b.wav"}
    assert max(Counter(Path(s.path).resolve() for s in sources if Path(s.path).is_file()).values()) == 1
