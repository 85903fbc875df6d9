"""What there is to process: recordings in a folder, with what calls.csv, JSON sidecars or vCon files say about them."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from callanalytics.errors import InputError, ManifestError, Mistake
from callanalytics.records import CallSource
from callanalytics.store.bucket import Bucket
from callanalytics.texts import Message

AUDIO_SUFFIXES = {".wav", ".mp3", ".opus", ".ogg", ".oga", ".m4a", ".mp4", ".aac", ".flac", ".gsm", ".wma", ".webm"}
COLUMNS = {
    "call_id", "recording", "started_at", "agent_id", "queue", "direction", "agent_channel", "caller_ref", "wait_s",
}  # fmt: skip
MAX_BYTES = 1 << 20  # of a sidecar
SIDECARS = (".json", ".vcon", ".vcon.json")
RECENT_S = 60.0
RecordingPlace = TypeVar("RecordingPlace", Path, str)  # of a recording: on a disk, in a bucket


@dataclass(frozen=True, slots=True)
class Refused:
    """A recording that can't be taken in, and why."""

    call: CallSource
    reason: Message


def list_calls(recordings: Path, calls_csv: Path | None = None) -> list[CallSource | Refused]:
    """Return every recording of a folder (with its subfolders) or the one file given, sorted by call id.

    A row of `calls_csv` describes the recording it names, relative to the csv's folder or to `recordings`; a row
    whose recording isn't there, or lies in neither, is refused, so that it ends as a failure and not in silence.  A
    recording without a row is taken with its sidecar `<stem>.json` or vCon, else with what its name says.

    Raises InputError when `recordings` is not there, ManifestError when the csv can't be used.
    """
    if not recordings.exists():
        raise InputError(path=recordings, reason=Message("errors.no_such_file_folder"))
    root = recordings if recordings.is_dir() else recordings.parent
    found = sorted(_audio_files(recordings))
    inside = {path.resolve() for path in found if not _leads_out(path, recordings)}
    bases = [calls_csv.parent, root] if calls_csv else [root]
    named: set[Path] = set()

    def find(recording: str) -> tuple[Path | None, Path, bool]:
        named.update((base / recording).absolute() for base in bases)
        candidates = [(base / recording).resolve() for base in bases]
        path = next((p for p in candidates if p in inside or _is_named(p, recordings)), None)
        is_elsewhere = any(p.is_file() and not all(_leads_out(p, base) for base in bases) for p in candidates)
        return path, path or candidates[0], path is None and is_elsewhere

    described, refused = _from_csv(calls_csv, find)
    calls: list[CallSource | Refused] = [*described.values(), *refused]
    for path in found:
        if path.resolve() in inside:
            if path.resolve() not in described:
                calls.append(_from_sidecar(path, root))
        elif path.absolute() not in named:
            call = CallSource(_safe_id(path.stem), str(path.relative_to(root)), "")
            calls.append(Refused(call, Message("errors.link_file_outside_folder")))
    return _unique(calls)


def list_remote_calls(bucket: Bucket, calls_csv: Path | None = None) -> list[CallSource | Refused]:
    """Return the same for a bucket or a folder in one; `calls_csv` is a file of this machine.

    A recording that the csv names is looked for from `bucket`, with or without the folders of its name.
    Raises InputError when the bucket can't be listed, ManifestError when the csv can't be used.
    """
    objects = bucket.objects()

    def find(recording: str) -> tuple[str | None, Path, bool]:
        parts = PurePosixPath(recording).parts
        tails = ("/".join(parts[i:]) for i in range(len(parts)))
        return next((tail for tail in tails if tail in objects), None), Path(recording), False

    def placed(call: CallSource, key: str) -> CallSource:
        return replace(call, path=f"{bucket.url}/{key}", modified_at=objects[key])

    described, refused = _from_csv(calls_csv, find)
    calls: list[CallSource | Refused] = [*(placed(call, key) for key, call in described.items()), *refused]
    for key in sorted(objects):
        name = PurePosixPath(key)
        if key in described or name.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        plain = CallSource(_safe_id(name.stem), key, "")
        sidecar = next((s for suffix in SIDECARS if (s := str(name.with_suffix(suffix))) in objects), None)
        taken: CallSource | Refused = plain
        if sidecar:
            taken = _with_sidecar(plain, Path(key), PurePosixPath(sidecar).name, bucket.read(sidecar, MAX_BYTES + 1))
        calls.append(placed(taken, key) if isinstance(taken, CallSource) else taken)
    return _unique(calls)


def _from_csv(
    calls_csv: Path | None, find: Callable[[str], tuple[RecordingPlace | None, Path, bool]]
) -> tuple[dict[RecordingPlace, CallSource], list[Refused]]:
    """Return the calls that a csv describes, by where their recording is, and those that can't be taken.

    `find` tells of a recording where it is, what it is called, and whether it is there but not this run's business.
    """
    described: dict[RecordingPlace, CallSource] = {}
    refused: list[Refused] = []
    for line, row in _read_csv(calls_csv) if calls_csv else ():
        place, name, is_elsewhere = find(row["recording"])
        try:
            call = _describe(row, name)
        except Mistake as error:
            raise ManifestError(
                path=calls_csv, reason=Message("errors.line", line=line, reason=error.message)
            ) from None
        if is_elsewhere:
            continue  # listed, but not in the folder or file that this run was asked for
        if place is None:
            reason = Message("errors.recording_calls_csv_names")
            refused.append(Refused(replace(call, path=""), reason))  # nobody may look at what else lies there
        elif place in described:
            refused.append(Refused(call, Message("errors.calls_csv_names_recording")))
        else:
            described[place] = call
    return described, refused


def _audio_files(recordings: Path) -> Iterator[Path]:
    if recordings.is_file():
        yield recordings
        return
    for path in recordings.rglob("*"):
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file():
            yield path


def _leads_out(path: Path, folder: Path) -> bool:
    """Whether a path, or the link that it is, leads out of a folder: it could publish any file of this machine."""
    return folder.is_dir() and not path.resolve().is_relative_to(folder.resolve())


def _is_named(path: Path, recordings: Path) -> bool:
    """Return whether a file of the folder that calls.csv names is taken though its suffix says nothing of sound."""
    return recordings.is_dir() and path.is_file() and path.is_relative_to(recordings.resolve())


def _read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = set(reader.fieldnames or ())
            if "recording" not in names:
                raise ManifestError(path=path, reason=Message("errors.column_recording_missing_first"))
            if unknown := names - COLUMNS:
                known = ", ".join(sorted(COLUMNS))
                raise ManifestError(
                    path=path,
                    reason=Message("errors.unknown_column_knows", column=repr(sorted(unknown)[0]), known=known),
                )
            for row in reader:
                if None in row or not (row["recording"] or "").strip():
                    raise ManifestError(
                        path=path, reason=Message("errors.line_no_recording_named", line=reader.line_num)
                    )
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items()}
    except OSError as error:
        raise ManifestError(path=path, reason=f"{error.strerror or error}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise ManifestError(path=path, reason=Message("errors.not_utf8_csv")) from None


def _describe(row: Mapping[str, Any], path: Path) -> CallSource:
    """Return a call from metadata; raises ValueError with a sentence for the user when a value makes no sense."""

    def text(name: str) -> str | None:
        value = row.get(name)
        return str(value).strip() or None if value is not None else None

    started, channel, wait = text("started_at"), text("agent_channel"), text("wait_s")
    started_at = None
    if started:
        try:
            started_at = datetime.fromisoformat(started)
        except ValueError:
            raise Mistake(Message("errors.started_at_no_date", started=started)) from None
        if started_at.tzinfo is None:
            raise Mistake(Message("errors.started_at_no_time", started=started))
    if channel not in (None, "0", "1"):
        raise Mistake(Message("errors.agent_channel_not_0_or_1", channel=channel))
    try:
        wait_s = float(wait) if wait else None
    except ValueError:
        wait_s = -1.0
    if wait_s is not None and not 0 <= wait_s < math.inf:
        raise Mistake(Message("errors.wait_s_no_number", wait=wait))
    call_id = text("call_id") or path.stem
    if not re.fullmatch(r"[\w.@:+=-]{1,200}", call_id):
        raise Mistake(Message("errors.call_id_hold_letters"))
    return CallSource(
        call_id=call_id,
        recording=str(row.get("recording") or path.name),
        path=str(path),
        started_at=started_at,
        agent_id=text("agent_id"),
        queue=text("queue"),
        direction=text("direction"),
        agent_channel=int(channel) if channel else None,
        caller_ref=text("caller_ref"),
        wait_s=wait_s,
    )


def _from_sidecar(path: Path, root: Path) -> CallSource | Refused:
    plain = CallSource(_safe_id(path.stem), str(path.relative_to(root)), str(path))
    for sidecar in (path.with_suffix(suffix) for suffix in SIDECARS):
        if not sidecar.is_file() or _leads_out(sidecar, root):
            continue
        try:
            with sidecar.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError:
            content = b""
        return _with_sidecar(plain, path, sidecar.name, content)
    return plain


def _safe_id(stem: str) -> str:
    return re.sub(r"[^\w.@:+=-]", "_", stem)[:200] or "_"


def _with_sidecar(plain: CallSource, path: Path, name: str, content: bytes) -> CallSource | Refused:
    """Return the call with what its sidecar says."""
    try:
        if len(content) > MAX_BYTES:
            raise Mistake(Message("errors.larger_than_mb"))
        try:
            tree = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Mistake(Message("errors.not_readable_json")) from None
        if not isinstance(tree, dict):
            raise Mistake(Message("errors.holds_no_json_object"))
        row = _from_vcon(tree) if "vcon" in tree else {k: v for k, v in tree.items() if k in COLUMNS}
        described = _describe({"call_id": plain.call_id, **row, "recording": plain.recording}, path)
        return replace(described, path=plain.path)
    except Mistake as error:
        return Refused(plain, Message("errors.sidecar_cannot_used", file=name, reason=error.message))


def _from_vcon(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a vCon (draft-ietf-vcon-vcon-core) says about the call; names and numbers of parties are not taken."""
    dialogs = tree.get("dialog") or []
    if not isinstance(dialogs, list):
        raise Mistake(Message("errors.dialog_no_list"))
    dialog = next((d for d in dialogs if isinstance(d, dict) and d.get("type") == "recording"), {})
    return {
        "call_id": tree.get("uuid"),
        "started_at": dialog.get("start") or tree.get("created_at"),
    }


def _unique(calls: list[CallSource | Refused]) -> list[CallSource | Refused]:
    """Sorted by id; recordings that share an id are refused from the second on: their rows could not be told apart."""
    ids = Counter(_source(c).call_id for c in calls)
    ordered = sorted(calls, key=lambda c: (_source(c).call_id, _source(c).recording))
    seen: set[str] = set()
    result: list[CallSource | Refused] = []
    for call in ordered:
        source = _source(call)
        if ids[source.call_id] > 1 and source.call_id in seen and isinstance(call, CallSource):
            result.append(Refused(source, Message("errors.another_recording_same_call")))
        else:
            result.append(call)
        seen.add(source.call_id)
    return result


def split_settled(
    calls: Sequence[CallSource | Refused], settle_s: float
) -> tuple[list[CallSource | Refused], list[CallSource]]:
    """Return the calls to take, and those whose recording is still being written.

    Only recordings written within the last minute (or in the future, when a clock jumped) are looked at twice,
    `settle_s` apart.
    """
    now = time.time()

    def look(path: str) -> tuple[int, int] | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    recent: dict[str, tuple[int, int]] = {}
    for call in calls if settle_s else ():
        found = look(call.path) if isinstance(call, CallSource) else None
        if isinstance(call, CallSource) and found and found[1] / 1e9 > now - RECENT_S:
            recent[call.path] = found
    if recent:
        time.sleep(settle_s)
    growing = {path for path, before in recent.items() if look(path) != before}
    taken = [call for call in calls if isinstance(call, Refused) or call.path not in growing]
    return taken, [call for call in calls if isinstance(call, CallSource) and call.path in growing]


def _source(call: CallSource | Refused) -> CallSource:
    return call if isinstance(call, CallSource) else call.call
