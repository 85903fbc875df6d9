"""The facts a privacy officer asks for: what is processed, why, how long, by which models, who saw it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from callanalytics import __version__
from callanalytics.call.fingerprint import fingerprint, scoring_fingerprint
from callanalytics.config import Config, hash_of, project_root
from callanalytics.errors import ConfigError
from callanalytics.models import model_entry, model_fingerprint
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights, day_of
from callanalytics.records import DATASETS, PLACEHOLDER
from callanalytics.store.bucket import is_remote
from callanalytics.store.datasets import Store
from callanalytics.texts import Message, say


def privacy_report(store: Store, config: Config) -> str:
    """Return the report as Markdown in the language of `config`.

    Raises ConfigError without a legal basis, StoreError when the ledger was tampered with.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if not config.privacy.legal_basis:
        reason = Message("errors.privacy_legal_basis_empty")
        raise ConfigError(path="[privacy]", reason=reason)
    # Markdown for people, made of settings and counts: nothing to escape.
    pages = Environment(  # nosec B701  # see above
        loader=PackageLoader("callanalytics.report", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    with store.reading():
        facts = dict(_facts(store, config))
    lang = config.lang
    return pages.get_template(f"privacy.{lang}.md").render(
        facts,
        say=lambda key: say(key, lang),
        share=lambda value: f"{value:.1%}".replace(".", "," if lang == "nl" else "."),
        days=lambda n: say("cli.days", lang, n=n) if n else say("cli.no_end", lang),
    )


def _facts(store: Store, config: Config) -> Iterator[tuple[str, Any]]:
    now, privacy, terms = datetime.now(UTC), config.privacy, config.retention
    calls, failures, entries = store.calls(), store.failures(), Ledger(store.place, Pseudonyms(privacy)).entries()
    with_text = store.calls_with_text()
    days = {row["call_id"]: day_of(row) for row in calls}
    yield from {
        "now": now, "version": __version__, "place": store.root, "remote": is_remote(store.root),
        "municipality": ", ".join(config.municipality.names), "basis": privacy.legal_basis,
        "consent": privacy.agents_may_be_told_apart, "consent_ref": privacy.or_consent_ref,
        "consent_date": privacy.or_consent_date, "terms": terms, "smallest": privacy.smallest_group,
    }.items()  # fmt: skip
    yield "datasets", [(name, store.count(name)) for name in DATASETS]
    yield "texts", len(with_text)
    found = Counter(kind.strip("[]") for text in store.texts() for kind in PLACEHOLDER.findall(text))
    yield "placeholders", sorted(found.items(), key=lambda item: -item[1])
    yield "oldest_call", min(days.values(), default=None)
    yield "oldest_text", min((day for call_id, day in days.items() if call_id in with_text), default=None)
    yield "oldest_failure", min((row["failed_at"].date() for row in failures), default=None)
    yield "holds", len(store.holds())
    overdue = Rights(store, config).overdue(now.date())
    yield "overdue", len(overdue.calls) + len(overdue.texts)
    queues = Counter(row["queue"] or "–" for row in calls)
    yield "queues", [(name, n if n >= privacy.smallest_group else None) for name, n in sorted(queues.items())]
    yield "entries", len(entries)
    yield "last", entries[-1].hash if entries else ""
    yield "actions", sorted(Counter(entry.action for entry in entries).items())
    yield "fingerprint", fingerprint(config)
    yield "scoring", scoring_fingerprint(config)
    yield "models", [_model(name) for name in config.models.used]
    yield from _review_facts(store, config).items()
    figures = project_root() / "models" / "figures.toml"
    yield "figures", tomllib.loads(figures.read_text(encoding="utf-8"))["figure"]


def _review_facts(store: Store, config: Config) -> dict[str, Any]:
    """Return who may log in to the review app, by role, and what was said there."""
    from callanalytics.store.reviews.people import users
    from callanalytics.store.reviews.reviews import existing_reviews

    reviews = existing_reviews(config, store.root)
    if reviews is None:
        return {"people": [], "reviews": 0, "contests": 0, "oldest_review": None}
    try:
        roles = Counter(user.role for user in users(reviews) if not user.disabled_at)
        tables = reviews.as_arrow()
        said = tables["judgements"]["made_at"].to_pylist()
        settled = tables["contests"]["settled_at"]
        return {
            "people": sorted(roles.items()),
            "reviews": len(said),
            "contests": settled.null_count,
            "oldest_review": min(said).date() if said else None,
        }
    finally:
        reviews.close()


def _model(name: str) -> dict[str, str]:
    entry = model_entry(name)
    return {"name": name, "task": entry.task, "licence": entry.licence, "fingerprint": hash_of(model_fingerprint(name))}
