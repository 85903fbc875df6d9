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
    "plan_standing": (
        "Eerder mislukt, en zou dat weer doen: {n}. Die blijven liggen (callanalytics retry OUT geeft ze vrij).",
        "Failed before, and would again: {n}. They are left alone (callanalytics retry OUT releases them).",
    ),
    "plan_duplicates": (
        "Dezelfde inhoud als een andere opname: {n}. Die worden niet nog eens verwerkt.",
        "The same content as another recording: {n}. They are not processed again.",
    ),
    "plan_growing": (
        "Wordt nog geschreven: {n}. Die zijn voor de volgende run.",
        "Still being written: {n}. They are for the next run.",
    ),
    "review_at": (
        "Reviewapp op {url} (stoppen met Ctrl-C).",
        "Review app at {url} (Ctrl-C stops it).",
    ),
    "review_nobody": (
        "Nog niemand kan inloggen. Maak eerst een gebruiker: callanalytics review {output} --add-user NAAM --role lead",
        "Nobody can log in yet. Make a user first: callanalytics review {output} --add-user NAME --role lead",
    ),
    "ask_password": ("Nieuw wachtwoord (12 tekens of meer): ", "New password (12 characters or more): "),
    "user": ("gebruiker", "user"),
    "role": ("rol", "role"),
    "since": ("sinds", "since"),
    "user_in": ("mag inloggen", "may log in"),
    "user_out": ("buitengesloten", "shut out"),
    "role_reviewer": ("beoordelaar", "reviewer"),
    "role_lead": ("teamleider", "lead"),
    "role_privacy_officer": ("privacy officer", "privacy officer"),
    "role_admin": ("beheerder", "admin"),
    "role_agent": ("medewerker", "agent"),
    "sql_welcome": (
        "SQL eindigt met een puntkomma. .tables: de views; .schema VIEW: de kolommen; .quit: stoppen.",
        "SQL ends with a semicolon. .tables: the views; .schema VIEW: the columns; .quit: stop.",
    ),
    "sql_more": (
        "En nog {left} rijen; met --csv of --excel krijgt u ze allemaal.",
        "And {left} rows more; --csv or --excel give them all.",
    ),
    "tables_written": (
        "De tabellen staan in {path}. Wat erase en purge later uit OUT wissen, blijft in deze kopieën staan: "
        "gooi ze zelf weg.",
        "The tables are in {path}. What erase and purge remove from OUT stays in these copies: delete them yourself.",
    ),
    "view": ("view", "view"),
    "meaning": ("betekenis", "meaning"),
    "rows": ("rijen", "rows"),
    "notify_failed": ("Niet gelukt te melden via {what}: {why}.", "Could not be told by {what}: {why}."),
    "mail_subject": ("callanalytics: {failed} gesprekken mislukt", "callanalytics: {failed} calls failed"),
    "mail_text": (
        "Run {run_id}: {published} gepubliceerd, {failed} mislukt, {left} over.\n"
        "Per gesprek: callanalytics failures OUT, of de pagina in OUT/reports.",
        "Run {run_id}: {published} published, {failed} failed, {left} left.\n"
        "Call by call: callanalytics failures OUT, or the page in OUT/reports.",
    ),
    "page_title": ("Nachtrun callanalytics", "callanalytics run"),
    "page_published": ("gepubliceerd", "published"),
    "page_resumed": ("al klaar", "done before"),
    "page_failed": ("nu mislukt", "failed now"),
    "page_standing": ("eerder mislukt", "failed before"),
    "page_left": ("over", "left"),
    "page_speed": (
        "{found} opnamen gevonden; {hours} uur geluid verwerkt in {minutes} minuten, {speed} × realtime.",
        "{found} recordings found; {hours} hours of audio processed in {minutes} minutes, {speed} × realtime.",
    ),
    "page_failures": ("Wat er misging", "What went wrong"),
    "page_retry": (
        "Wat blijft zoals het is geeft u vrij met: callanalytics retry OUT.",
        "What stays as it is you release with: callanalytics retry OUT.",
    ),
    "page_stages": ("Waar de tijd bleef (opgeteld over kernen)", "Where the time went (added over cores)"),
    "page_versions": ("Waarmee", "With what"),
    "subject": ("onderwerp", "subject"),
    "level_ok": ("goed", "good"),
    "level_warning": ("let op", "mind"),
    "level_bad": ("fout", "wrong"),
    "doctor_of_models": ("modellen", "models"),
    "doctor_of_key": ("sleutel", "key"),
    "doctor_of_processor": ("processor", "processor"),
    "doctor_of_memory": ("geheugen", "memory"),
    "doctor_of_codecs": ("geluidsformaten", "audio formats"),
    "doctor_of_clock": ("klok", "clock"),
    "doctor_of_output": ("uitvoer", "output"),
    "doctor_says": ("{message}", "{message}"),
    "doctor_model": ("{name}: aanwezig en gecontroleerd", "{name}: here and verified"),
    "doctor_key": ("de sleutel voor pseudoniemen is er", "the key for pseudonyms is there"),
    "doctor_no_key": (
        "er is nog geen sleutel voor pseudoniemen; de eerste run maakt {path}. Bewaar een kopie buiten de uitvoer",
        "there is no key for pseudonyms yet; the first run makes {path}. Keep a copy outside the output",
    ),
    "doctor_cores": ("{cores} kernen, rekent op {device}", "{cores} cores, computes on {device}"),
    "doctor_workers": (
        "engine.workers = {workers}, maar er zijn {cores} kernen; verlaag het",
        "engine.workers = {workers}, but there are {cores} cores; lower it",
    ),
    "doctor_memory": (
        "{free} MiB vrij; {workers} werkproces(sen) met de standaardmodellen vragen samen {needed} MiB",
        "{free} MiB free; {workers} worker(s) with the default models want {needed} MiB together",
    ),
    "doctor_codecs": ("leest {names}", "reads {names}"),
    "doctor_no_codecs": (
        "kan niet lezen: {names}; installeer PyAV opnieuw: make install",
        "can't read: {names}; install PyAV again: make install",
    ),
    "doctor_clock": ("het is {now}", "it is {now}"),
    "doctor_clock_behind": (
        "de klok zegt {now}, maar er is al iets van {newest}; zet haar gelijk (timedatectl set-ntp true)",
        "the clock says {now}, but there is something of {newest} already; set it (timedatectl set-ntp true)",
    ),
    "doctor_not_writable": (
        "in {path} mag deze gebruiker niet schrijven; kies een andere map of pas de rechten aan",
        "this user may not write in {path}; choose another folder or change its rights",
    ),
    "doctor_open": (
        "anderen op deze machine mogen in {path} kijken; voer uit: chmod 700 {path}",
        "others on this machine may look into {path}; run: chmod 700 {path}",
    ),
    "doctor_disk": ("{path}: {free} MB vrij", "{path}: {free} MB free"),
    "plan_erased": (
        "Gewist uit OUT: {n}. Die worden niet opnieuw verwerkt.",
        "Erased from OUT: {n}. They are not processed again.",
    ),
    "plan_no_basis": (
        "privacy.legal_basis is niet ingevuld: leg eerst vast op welke grondslag gesprekken verwerkt worden.",
        "privacy.legal_basis is not filled in: first lay down on what legal basis calls are processed.",
    ),
    "doctor_of_law": ("grondslag", "legal basis"),
    "doctor_basis": (
        "grondslag: {basis}; uitvoer per medewerker: {agents}.",
        "legal basis: {basis}; output about single agents: {agents}.",
    ),
    "erased": (
        "Het gesprek is uit OUT gewist. Wis ook de opname en de reservekopieën van OUT.",
        "The call is erased from OUT. Erase its recording and the backups of OUT as well.",
    ),
    "holds": ("Gesprekken onder bewaarplicht: {n}.", "Calls under legal hold: {n}."),
    "purged": (
        "Opgeruimd: {calls} gesprekken, van {texts} andere de tekst, van {reviews} de reviews, {failures} mislukte, "
        "{recordings} opnamen; {held} bleven onder bewaarplicht.",
        "Purged: {calls} calls, of {texts} others the text, of {reviews} the reviews, {failures} failed ones, "
        "{recordings} recordings; {held} stayed under legal hold.",
    ),
    "at": ("wanneer", "when"),
    "who": ("wie", "who"),
    "done": ("handeling", "what was done"),
    "reason": ("reden", "reason"),
    "action_view": ("ingezien", "viewed"),
    "action_export": ("verstrekt", "exported"),
    "action_erase": ("gewist", "erased"),
    "action_purge_texts": ("tekst opgeruimd", "text purged"),
    "action_purge_call": ("opgeruimd", "purged"),
    "action_purge_failure": ("mislukte opgeruimd", "failed one purged"),
    "action_purge_reviews": ("reviews opgeruimd", "reviews purged"),
    "action_hold": ("onder bewaarplicht", "legal hold"),
    "action_release": ("einde bewaarplicht", "end of legal hold"),
    "own_call_id": ("Gesprek", "Call"),
    "own_started_at": ("Begonnen op (UTC)", "Began at (UTC)"),
    "own_queue": ("Wachtrij", "Queue"),
    "own_topic": ("Onderwerp, door de computer bepaald", "Topic, found by the computer"),
    "own_legal_basis": ("Grondslag", "Legal basis"),
    "own_kept_texts": ("De tekst wordt bewaard tot", "The text is kept until"),
    "own_kept_rest": ("De overige gegevens worden bewaard tot", "The rest is kept until"),
    "own_exported_at": ("Verstrekt op (UTC)", "Handed over at (UTC)"),
    "own_transcript": (
        "Wat de computer heeft verstaan (persoonsgegevens zijn vervangen, fouten zijn mogelijk):",
        "What the computer heard (personal data are replaced, mistakes are possible):",
    ),
    "own_promises": ("Wat de gemeente volgens de computer heeft toegezegd:", "What the municipality promised:"),
    "own_by_citizen": ("Inwoner", "Citizen"),
    "own_by_municipality": ("Gemeente", "Municipality"),
    "own_by_ivr": ("Bandje", "Recorded voice"),
    "own_by_unknown": ("Onbekend", "Unknown"),
    "data_calls": (
        "per gesprek: tijdstip, duur, wachtrij, spreektijden, onderwerp, score; beller en (met instemming) medewerker "
        "als hash",
        "per call: when, how long, queue, talk times, topic, score; caller and (with consent) agent as a hash",
    ),
    "data_turns": (
        "wat er gezegd is, per spreekbeurt, met vervangen persoonsgegevens",
        "what was said, turn by turn, personal data replaced",
    ),
    "data_criteria": (
        "per criterium van de scorekaart: behaald of niet, met het bewijs (citaat en moment)",
        "per criterion of the scorecard: met or not, with the evidence (quote and moment)",
    ),
    "data_promises": (
        "toezeggingen aan de inwoner: soort, uiterste datum, citaat",
        "promises to the citizen: kind, deadline, quote",
    ),
    "data_events": (
        "wachtstand, stilte, door elkaar praten, doorverbinden: wanneer en hoe lang",
        "holds, silence, talking at the same time, transfers: when and how long",
    ),
    "data_score_history": ("eerdere scores van een gesprek, zonder tekst", "earlier scores of a call, without text"),
    "data_failures": (
        "gesprekken die niet verwerkt konden worden: stap en reden",
        "calls that could not be processed: stage and reason",
    ),
    "data_runs": ("aantallen en tijden per nachtrun", "counts and times of each run"),
    "task_recognition": ("spraakherkenning", "speech recognition"),
    "task_segmentation": ("wie spreekt wanneer", "who speaks when"),
    "task_embedding": ("stemmen onderscheiden, alleen in het geheugen", "telling voices apart, in memory alone"),
    "task_diarization": ("wie spreekt wanneer", "who speaks when"),
    "days": ("{n} dagen", "{n} days"),
    "no_end": ("zonder einde", "without end"),
    "figure_word_error_rate": ("woordfouten (n woorden)", "word error rate (n words)"),
    "figure_role_accuracy": (
        "juiste spreker, aandeel van de spreektijd (n gesprekken)",
        "right speaker, share of spoken time (n calls)",
    ),
    "figure_role_accuracy_stereo": ("idem, opnamen in stereo (ook afgestelde)", "the same, stereo (tuned ones too)"),
    "figure_role_accuracy_mono": ("idem, opnamen in mono (ook afgestelde)", "the same, mono (tuned ones too)"),
    "figure_criteria_macro_f1": ("criteria, macro F1 (n gesprekken)", "criteria, macro F1 (n calls)"),
    "figure_promise_recall": ("toezeggingen gevonden (n toezeggingen)", "promises found (n promises)"),
    "figure_redaction_recall": ("persoonsgegevens vervangen, foutloze tekst", "personal data replaced, perfect text"),
    "figure_redaction_recall_recognised": (
        "persoonsgegevens vervangen, wat verstaanbaar bleef bij herkenning",
        "personal data replaced, what recognition kept intelligible",
    ),
    "figure_redaction_precision_recognised": (
        "terecht vervangen bij herkenning (n vervangen stukken)",
        "rightly replaced, as recognised (n replaced pieces)",
    ),
    "figure_redaction_recall_harder": (
        "vervangen van wat verstaanbaar bleef, in moeilijker eigen gesprekken (n gegevens)",
        "replaced of what stayed intelligible, in harder calls of our own (n data)",
    ),
    "figure_redaction_precision_harder": (
        "terecht vervangen in moeilijker eigen gesprekken (n vervangen stukken)",
        "rightly replaced in harder calls of our own (n replaced pieces)",
    ),
    "compacted": ("{before} delen samengevoegd tot {after}.", "{before} parts merged into {after}."),
    "compact_held": (
        "Van {dates} datum(s) zijn de bestanden in gebruik; probeer het later nog eens.",
        "The files of {dates} date(s) are being read; try again later.",
    ),
    "released": (
        "Vrijgegeven: {n}. De volgende run probeert ze opnieuw.",
        "Released: {n}. The next run tries them again.",
    ),
    "not_failed": ("Niet bij de mislukte gesprekken: {calls}", "Not among the failed calls: {calls}"),
    "waiting": ("wachtend", "waiting"),
    "quarantined": ("waarvan in quarantaine", "of these quarantined"),
    "state_failed": ("opnieuw te proberen", "to be tried again"),
    "state_final": ("blijft zo", "stays so"),
    "state_quarantined": ("quarantaine", "quarantined"),
    "status_running": ("Er loopt nu een run.", "A run is going on now."),
    "status_killed": (
        "De laatste run is afgebroken; hetzelfde commando gaat verder waar hij was.",
        "The last run was cut off; the same command goes on where it was.",
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
    "copied": (
        "{call_id}: {data} gegevens onhoorbaar gemaakt, {s} s in totaal.",
        "{call_id}: {data} data made inaudible, {s} s in all.",
    ),
    "copies_done": (
        "{copies} kopieën in {folder}; {failed} opnamen mislukt.",
        "{copies} copies in {folder}; {failed} recordings failed.",
    ),
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
    "demo_review": (
        "Nakijken en beluisteren (eerst uzelf toelaten, met een wachtwoord van 12 tekens of meer):\n"
        "  callanalytics review {output} --add-user ikzelf --role lead\n"
        "  callanalytics review {output} --recordings {recordings}",
        "Review and listen (let yourself in first, with a password of 12 characters or more):\n"
        "  callanalytics review {output} --add-user myself --role lead\n"
        "  callanalytics review {output} --recordings {recordings}",
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
    "learnt_better": (
        "De nieuwe modellen zijn aantoonbaar beter op gesprekken die geen van beide kende. Zet de regel onder `config` "
        "in uw instellingen en geef daarna `callanalytics rescore`.",
        "The new models are shown to be better on calls that neither side knew. Put the line under `config` into your "
        "settings, then run `callanalytics rescore`.",
    ),
    "learnt_not_better_beyond_doubt": (
        "De nieuwe modellen zijn niet aantoonbaar beter; de oude blijven. Met meer beoordeelde gesprekken kan dat "
        "anders worden.",
        "The new models are not shown to be better; the old ones stay. More reviewed calls may change that.",
    ),
    "learnt_other_figures_worse": (
        "De nieuwe modellen zijn op een ander cijfer slechter (macro F1 of log loss); de oude blijven.",
        "The new models are worse by another figure (macro F1 or log loss); the old ones stay.",
    ),
    "learnt_compliance_worse": (
        "De nieuwe modellen zijn slechter op een complianceregel; de oude blijven.",
        "The new models are worse on a compliance criterion; the old ones stay.",
    ),
    "learnt_too_few": (
        "Te weinig beoordeelde gesprekken. Nodig zijn er ongeveer {reviewed_calls} (daarvan blijven er minstens "
        "{held_back} apart; nu {held_back_short} te weinig), met bij minstens één criterium elk antwoord "
        "{each_answer_to_learn_from} keer om van te leren en {each_answer_held_back} keer apart.",
        "Too few reviewed calls. It takes about {reviewed_calls} (of which at least {held_back} are held back; now "
        "{held_back_short} short), with each answer to at least one criterion {each_answer_to_learn_from} times to "
        "learn from and {each_answer_held_back} times held back.",
    ),
}


def say(lang: Lang, key: str, **fields: Any) -> str:
    """The line `key` in a language, its braces filled."""
    return TEXTS[key][0 if lang == "nl" else 1].format(**fields)
