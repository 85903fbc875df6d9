"""What the command line says, in Dutch and English.  One table, so that neither language can miss a line."""

from __future__ import annotations

from typing import Any, Literal

Lang = Literal["nl", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    "plan": (
        "{found} opnamen gevonden: {resumed} al klaar, {outdated} opnieuw (instellingen of modellen gewijzigd), "
        "{new} nieuw.",
        "{found} recordings found: {resumed} done before, {outdated} again (settings or models changed), {new} new.",
    ),
    "plan_rescored": (
        "Van {calls} daarvan is alleen de scorekaart gewijzigd: die worden opnieuw beoordeeld, zonder geluid.",
        "Of these, {calls} have only a new scorecard: they are scored again, without audio.",
    ),
    "rescored": (
        "{calls} gesprekken opnieuw beoordeeld, {standing} waren al zo beoordeeld.",
        "{calls} calls scored again, {standing} were scored this way already.",
    ),
    "rescored_version": (
        "Scorekaart {before} → {after}: {calls} gesprekken. De oude oordelen staan in score_history.",
        "Scorecard {before} → {after}: {calls} calls. The old verdicts are in score_history.",
    ),
    "rescored_because": ("Gewijzigd: {causes}.", "Changed: {causes}."),
    "cause_card": ("de scorekaart (onderdelen, gewichten, grenzen)", "the scorecard (items, weights, thresholds)"),
    "cause_phrases": ("de zinnen van de criteria", "the phrases of the criteria"),
    "cause_models": ("de getrainde modellen", "the trained models"),
    "cause_topics": ("de onderwerpen", "the topics"),
    "cause_municipality": ("de gegevens van de gemeente", "the municipality's particulars"),
    "rescored_mean": ("Gemiddelde score: {before} → {after}.", "Mean score: {before} → {after}."),
    "rescored_same": ("Geen enkel oordeel is veranderd.", "No verdict has changed."),
    "mistakes": ("Fouten: {n}.", "Mistakes: {n}."),
    "no_mistakes": ("De instellingen en zinnen zijn in orde.", "Settings and phrases are in order."),
    "finds": ("gevonden", "finds"),
    "phrase": ("zin", "phrase"),
    "taken_back": ("ingetrokken", "taken back"),
    "why_speaker": ("verkeerde spreker", "wrong speaker"),
    "why_not": ("een zin onder not", "a phrase under not"),
    "why_negation": ("ontkenning", "negation"),
    "why_request": ("verzoek", "request"),
    "why_past": ("verleden tijd", "past"),
    "why_offer": ("aanbod", "offer"),
    "why_question": ("vraag", "question"),
    "why_condition": ("voorwaarde", "condition"),
    "why_window": ("buiten het venster", "outside the window"),
    "why_cancelled": ("goedgemaakt door wat volgt", "made good by what follows"),
    "was": ("was", "was"),
    "becomes": ("wordt", "becomes"),
    "loading": ("Modellen laden …", "Loading models …"),
    "calls": ("gesprekken", "calls"),
    "hours": ("uur geluid", "hours of audio"),
    "realtime": ("× realtime", "× realtime"),
    "left": ("nog", "left"),
    "call_failed": ("Gesprek {call_id} mislukt bij {stage}: {message}", "Call {call_id} failed at {stage}: {message}"),
    "run_done": (
        "Klaar: {published} gepubliceerd, {failed} mislukt, {resumed} waren al klaar, {left} over. "
        "{hours} uur geluid in {wall}, {speed} × realtime.",
        "Done: {published} published, {failed} failed, {resumed} done before, {left} left. "
        "{hours} hours of audio in {wall}, {speed} × realtime.",
    ),
    "run_failures_hint": (
        "Bekijk wat er mis ging: callanalytics failures {output}",
        "See what went wrong: callanalytics failures {output}",
    ),
    "no_start": (
        "{n} gesprekken hebben geen begintijd: toezeggingen krijgen daar geen datum. Geef started_at in calls.csv.",
        "{n} calls have no start time: promises in them get no date. Give started_at in calls.csv.",
    ),
    "report": ("Verslag van deze run: {path}", "Report of this run: {path}"),
    "status_none": ("In {output} staat nog niets.", "There is nothing in {output} yet."),
    "status_title": ("Stand van {output}", "State of {output}"),
    "published": ("gepubliceerd", "published"),
    "failed": ("mislukt", "failed"),
    "not_scorable": ("niet te scoren", "not scorable"),
    "last_run": ("laatste run", "last run"),
    "state": ("stand", "state"),
    "count": ("aantal", "count"),
    "no_failures": ("Er zijn geen mislukte gesprekken.", "No call has failed."),
    "call": ("gesprek", "call"),
    "recording": ("opname", "recording"),
    "stage": ("stap", "stage"),
    "message": ("wat er mis is en wat helpt", "what is wrong and what mends it"),
    "attempts": ("pogingen", "attempts"),
    "demo_intro": (
        "Vijf meegeleverde gesprekken worden beluisterd, zonder internet.",
        "Listening to the five bundled calls, without internet.",
    ),
    "demo_card": ("Scorekaart van {call_id}", "Scorecard of {call_id}"),
    "demo_all": ("Alle gesprekken", "All calls"),
    "demo_promises": ("Toezeggingen", "Promises"),
    "demo_next": (
        "Verder met de gegevens (DuckDB):",
        "Go on with the data (DuckDB):",
    ),
    "item": ("onderdeel", "item"),
    "criterion": ("criterium", "criterion"),
    "callback.who": ("Wie terugbelt", "Who calls back"),
    "callback.when": ("Wanneer", "When"),
    "say_instead": ("zeg liever: {plain}", "plainer: {plain}"),
    "verdict": ("oordeel", "verdict"),
    "probability": ("kans", "probability"),
    "evidence": ("bewijs", "evidence"),
    "layout": ("opzet", "layout"),
    "duration": ("duur", "length"),
    "topic": ("onderwerp", "topic"),
    "score": ("score", "score"),
    "hold": ("wacht", "hold"),
    "agent_share": ("medewerker spreekt", "agent speaks"),
    "compliance": ("Wettelijk (apart van de score)", "Compliance (apart from the score)"),
    "signal": ("signaal", "signal"),
    "what": ("wat", "what"),
    "due": ("uiterlijk", "due"),
    "said": ("gezegd", "said"),
    "met": ("goed", "met"),
    "not_met": ("niet goed", "not met"),
    "not_applicable": ("n.v.t.", "n/a"),
    "uncertain": ("onzeker", "uncertain"),
    "yes": ("ja", "yes"),
    "no": ("nee", "no"),
    "callback": ("terugbellen", "callback"),
    "action": ("actie", "action"),
    "letter_or_email": ("brief of e-mail", "letter or e-mail"),
    "visit": ("bezoek", "visit"),
    "models_ok": ("aanwezig en goed", "here and verified"),
    "models_missing": ("niet aanwezig", "not here"),
    "models_bad": ("geweigerd: inhoud klopt niet", "refused: contents differ"),
    "model": ("model", "model"),
    "task": ("taak", "task"),
    "licence": ("licentie", "licence"),
    "column": ("kolom", "column"),
    "type": ("type", "type"),
    "description": ("omschrijving", "description"),
    "stopping": (
        "Er is gevraagd te stoppen: de gesprekken die bezig zijn worden afgemaakt, er begint niets nieuws.",
        "Asked to stop: the calls under way are finished, nothing new is begun.",
    ),
    "interrupted": (
        "Gestopt. Wat gepubliceerd is blijft; start dezelfde opdracht opnieuw om verder te gaan.",
        "Stopped. What is published stays; run the same command again to go on.",
    ),
}


def say(lang: Lang, key: str, **fields: Any) -> str:
    """The line `key` in a language, its braces filled."""
    return TEXTS[key][0 if lang == "nl" else 1].format(**fields)
