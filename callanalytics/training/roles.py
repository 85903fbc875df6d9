"""Train the small models that the project ships.  Offline, on the data beside each model, reproducible by seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callanalytics.call.roles import ARTEFACT, KNOWN_ROLES
from callanalytics.dutch.words import plain_text
from callanalytics.errors import InputError
from callanalytics.texts import Message
from callanalytics.training.lines import NOISY_COPIES, Utterance, _features, _simplify, misrecognise, read_utterances


def fit_roles(utterances: Sequence[Utterance], seed: int = 0) -> Any:
    """Return a scikit-learn pipeline that gives the probability of every role from a plain text (see `plain_text`)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    rng = random.Random(seed)
    texts, roles = [], []
    for utterance in utterances:
        copies = [plain_text(utterance.text)]
        copies += [misrecognise(utterance.text, rng) for _ in range(NOISY_COPIES)]
        copies = [copy for copy in copies if copy]
        texts += copies
        roles += [utterance.role] * len(copies)
    features, vectorizers = _features()
    # Balanced: announcements are few in the data, yet open many real calls.
    classifier = LogisticRegression(C=5.0, class_weight="balanced", max_iter=500, random_state=seed)
    pipeline = Pipeline([("features", features), ("roles", classifier)])
    pipeline.fit(texts, roles)
    _simplify(vectorizers)
    return pipeline


def train_roles(data: Path, out: Path, seed: int = 0) -> dict[str, Any]:
    """Train the role model on `data` (.jsonl) and write it into the folder `out`; returns what was learnt from.

    The same data and seed give a model with the same predictions.  Raises InputError when the data can't be used.
    """
    import zipfile

    from skops import io as skops_io

    utterances = read_utterances(data)
    counts = Counter(utterance.role for utterance in utterances)
    missing = [role for role in KNOWN_ROLES if not counts[role]]
    if missing:
        raise InputError(path=data, reason=Message("errors.no_utterance_role", role=missing[0]))
    pipeline = fit_roles(utterances, seed)
    out.mkdir(parents=True, exist_ok=True)
    path = out / ARTEFACT
    skops_io.dump(pipeline, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        "seed": seed,
        "utterances": dict(sorted(counts.items())),
        "noisy_copies": NOISY_COPIES,
    }


# --- topics ---------------------------------------------------------------------------------------------------------
