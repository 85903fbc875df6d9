"""Error messages in Dutch.  English is what the code raises; each template of it has its Dutch one here.

A finished message is traced back to its template: a field of the template takes any text, and what it took goes into
the Dutch one.  A field whose name ends in "reason" holds a message itself and is translated too; what Python, pydantic
or the operating system said stays English.
"""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from callanalytics.texts import Lang

# The docstrings of errors.py: always the outermost, so they are tried first.
ERRORS = {
    "The configuration {path} can't be used: {reason}": "De configuratie {path} is niet te gebruiken: {reason}",
    "The list of calls {path} can't be used: {reason}": "De lijst met gesprekken {path} is niet te gebruiken: {reason}",
    'The model "{name}" is not on this machine ({reason}); run: callanalytics models pull {name}': (
        'Het model "{name}" staat niet op deze machine ({reason}); voer uit: callanalytics models pull {name}'
    ),
    'The model "{name}" is refused: {file} is not the file that the manifest names (sha256 differs); '
    "run: callanalytics models pull {name}": (
        'Het model "{name}" is geweigerd: {file} is niet het bestand dat het manifest noemt (sha256 verschilt); '
        "voer uit: callanalytics models pull {name}"
    ),
    'The model "{name}" can\'t be fetched: {reason}': 'Het model "{name}" is niet op te halen: {reason}',
    'device = "cuda" is configured, but this machine offers no CUDA device; set device = "auto" or "cpu".': (
        'device = "cuda" is ingesteld, maar deze machine heeft geen CUDA-apparaat; kies device = "auto" of "cpu".'
    ),
    "The output {path} can't be used: {reason}": "De uitvoer {path} is niet te gebruiken: {reason}",
    "Another run is writing to {path}; wait until it has finished, or choose another --output.": (
        "Een andere run schrijft naar {path}; wacht tot die klaar is of kies een andere --output."
    ),
    "The processes that work on calls end one after the other, whatever the call; free memory, lower --workers, or "
    "see what the system's log says of them.": (
        "De processen die aan gesprekken werken stoppen een voor een, bij welk gesprek ook; maak geheugen vrij, "
        "verlaag --workers, of kijk wat het systeemlogboek erover zegt."
    ),
    "{path} can't be read: {reason}": "{path} is niet te lezen: {reason}",
    "The user can't be made or changed: {reason}": "De gebruiker is niet te maken of te wijzigen: {reason}",
    "This query can't be run: {reason}": "Deze query kan niet worden uitgevoerd: {reason}",
    "Call {call_id} failed at stage {stage}: {reason}": "Gesprek {call_id} mislukt bij {stage}: {reason}",
}

# What went wrong at each source of a model, one behind the other; split before a reason's last field takes it all.
SOURCES = {
    "{reason}; folder {folder}: {next_reason}": "{reason}; map {folder}: {next_reason}",
    "{reason}; package {package}: {next_reason}": "{reason}; pakket {package}: {next_reason}",
    "{reason}; hub {repository}: {next_reason}": "{reason}; hub {repository}: {next_reason}",
    "folder {folder}: {reason}": "map {folder}: {reason}",
    "package {package}: {reason}": "pakket {package}: {reason}",
    "hub {repository}: {reason}": "hub {repository}: {reason}",
}

REASONS = {
    "the recording changed while it was read; the next run takes it as it is then.": (
        "de opname veranderde terwijl zij gelezen werd; de volgende run neemt haar zoals zij dan is."
    ),
    # bucket.py
    "the object storage did not give it ({storage_reason}); the next run tries again.": (
        "de objectopslag gaf haar niet ({storage_reason}); de volgende run probeert het opnieuw."
    ),
    "the object storage says: {storage_reason}.": "de objectopslag zegt: {storage_reason}.",
    "access denied": "geen toegang",
    "no such bucket": "die bucket bestaat niet",
    "not there": "niet gevonden",
    "no connection": "geen verbinding",
    "timeout": "geen antwoord op tijd",
    "server error": "storing bij de server",
    "files in object storage are not merged.": "bestanden in objectopslag worden niet samengevoegd.",
    # rights.py, ledger.py and privacy_report.py
    "the call is under legal hold; end that first: hold --end.": (
        "het gesprek valt onder een bewaarplicht; beëindig die eerst: hold --end."
    ),
    "the call is not under legal hold.": "het gesprek valt niet onder een bewaarplicht.",
    'there is no call "{call_id}" in it.': 'er zit geen gesprek "{call_id}" in.',
    "the reason stays in the ledger; give one without the call's id, numbers and addresses of mail.": (
        "de reden blijft in het logboek staan; geef er een zonder het kenmerk van het gesprek, nummers en mailadressen."
    ),
    "line {number} of {name} is not as it was written; restore the file from a backup.": (
        "regel {number} van {name} is niet zoals hij geschreven is; zet het bestand terug uit een reservekopie."
    ),
    "privacy.legal_basis is empty; fill in on what ground calls are processed.": (
        "privacy.legal_basis is leeg; vul in op welke grondslag gesprekken verwerkt worden."
    ),
    # places.py
    "the object storage says: {storage_reason}; nothing that is published is lost.": (
        "de objectopslag zegt: {storage_reason}; van wat gepubliceerd is ging niets verloren."
    ),
    "this run was away too long and another took it over.": (
        "deze run was te lang weg en een andere heeft het overgenomen."
    ),
    # store.py
    "{calls} calls want {needed} MB there, {free} MB are free; make room or take another disk.": (
        "{calls} gesprekken vragen daar {needed} MB, er is {free} MB vrij; maak ruimte of neem een andere schijf."
    ),
    # workers.py
    "the process that worked on it gave no sign of life, twice; export the recording again in another format, or "
    "raise engine.patience_s.": (
        "het proces dat eraan werkte gaf twee keer geen teken van leven; exporteer de opname opnieuw in een ander "
        "formaat, of verhoog engine.patience_s."
    ),
    "the process that worked on it took more memory than engine.memory_mib, twice; raise it, or cut the recording in "
    "two.": (
        "het proces dat eraan werkte nam twee keer meer geheugen dan engine.memory_mib; verhoog die, of knip de opname "
        "in tweeën."
    ),
    "it killed the process that worked on it, twice; export the recording again in another format.": (
        "het proces dat eraan werkte is er twee keer aan gestorven; exporteer de opname opnieuw in een ander formaat."
    ),
    # dutch.py and dutch_training.py: the pipeline and its treebank
    'language.pipeline = "{name}" is neither a folder with a spaCy pipeline nor an installed package of one; '
    'set it to "models/dutch", or install the package in .venv.': (
        'language.pipeline = "{name}" is geen map met een spaCy-pijplijn en ook geen geïnstalleerd pakket daarvan; '
        'zet hem op "models/dutch" of installeer het pakket in .venv.'
    ),
    'the package "{name}" finds no names; set language.pipeline to "models/dutch".': (
        'het pakket "{name}" vindt geen namen; zet language.pipeline op "models/dutch".'
    ),
    "{manifest} with the sha256 of its files is missing; fetch the folder again or train it anew.": (
        "{manifest} met de sha256 van de bestanden ontbreekt; haal de map opnieuw op of train hem opnieuw."
    ),
    "{file} is not the file that {manifest} names; fetch the folder again or train it anew.": (
        "{file} is niet het bestand dat {manifest} noemt; haal de map opnieuw op of train hem opnieuw."
    ),
    "there is no such file; --treebank names the folder that holds train.conllu, dev.conllu and test.conllu, and "
    "models/dutch/card.md says how they are made from Universal Dependencies.": (
        "dat bestand is er niet; --treebank noemt de map met train.conllu, dev.conllu en test.conllu, en "
        "models/dutch/card.md zegt hoe die van Universal Dependencies gemaakt worden."
    ),
    "its sha256 is not that of the file that the shipped model was trained on; make it as models/dutch/card.md says, "
    "or add --any-treebank to train on this one.": (
        "de sha256 is niet die van het bestand waarop het meegeleverde model getraind is; maak het zoals "
        "models/dutch/card.md zegt, of voeg --any-treebank toe om op dit bestand te trainen."
    ),
    "line {number} has {count} columns instead of 10.": "regel {number} heeft {count} kolommen in plaats van 10.",
    "line {number}: a head above it is no number.": "regel {number}: een hoofd erboven is geen getal.",
    "the section [{title}] is missing.": "het deel [{title}] ontbreekt.",
    # redact_audio.py
    "copies would lie among the recordings; choose a folder outside of them.": (
        "kopieën zouden tussen de opnamen staan; kies een map daarbuiten."
    ),
    "{reason}; the copies that are there are whole.": "{reason}; de kopieën die er staan zijn heel.",
    "no Dutch was recognised, so personal data in it can't be found; no copy is made.": (
        "er is geen Nederlands herkend, dus zijn persoonsgegevens niet te vinden; er is geen kopie gemaakt."
    ),
    # audio.py and pipeline.py: a recording
    "the file is empty; record or copy it again.": (
        "het bestand is leeg; neem het gesprek opnieuw op of kopieer het opnieuw."
    ),
    "this is no audio file that can be read; check what the recorder wrote.": (
        "dit is geen leesbaar geluidsbestand; kijk na wat de opnameapparatuur heeft geschreven."
    ),
    "the file can't be opened ({problem}); check that it exists and may be read.": (
        "het bestand is niet te openen ({problem}); controleer of het bestaat en gelezen mag worden."
    ),
    "the file holds no audio; check what the recorder wrote.": (
        "er zit geen geluid in het bestand; kijk na wat de opnameapparatuur heeft geschreven."
    ),
    "the recording has {channels} channels; export it as mono or stereo.": (
        "de opname heeft {channels} kanalen; exporteer haar als mono of stereo."
    ),
    "the recording is longer than {seconds} s; raise audio.max_duration_s.": (
        "de opname is langer dan {seconds} s; verhoog audio.max_duration_s."
    ),
    "the number of channels changes inside the file; export it again.": (
        "het aantal kanalen verandert midden in het bestand; exporteer het opnieuw."
    ),
    "the sound in the file is damaged; record or copy it again.": (
        "het geluid in het bestand is beschadigd; neem het gesprek opnieuw op of kopieer het opnieuw."
    ),
    "the file holds no sound at all; record or copy it again.": (
        "het bestand bevat helemaal geen geluid; neem het gesprek opnieuw op of kopieer het opnieuw."
    ),
    "speech recognition broke down on it; try again, and report its format if it stays.": (
        "de spraakherkenning liep erop vast; probeer het opnieuw en meld het bestandsformaat als het zo blijft."
    ),
    "an unexpected {error}; try again, and report its format if it stays.": (
        "een onverwachte fout ({error}); probeer het opnieuw en meld het bestandsformaat als het zo blijft."
    ),
    # intake.py: what is known about the calls
    "there is no such file or folder.": "dat bestand of die map bestaat niet.",
    "line {line}: {reason}": "regel {line}: {reason}",
    "the recording that calls.csv names is not in the folder; copy it there or remove the row.": (
        "de opname die calls.csv noemt staat niet in de map; kopieer haar daarheen of verwijder de regel."
    ),
    "it is a link to a file outside of the folder; copy the recording itself.": (
        "het is een koppeling naar een bestand buiten de map; kopieer de opname zelf."
    ),
    "calls.csv names this recording twice; keep one row.": "calls.csv noemt deze opname twee keer; houd één regel.",
    'the column "recording" is missing in its first line.': 'de kolom "recording" ontbreekt in de eerste regel.',
    "unknown column {column}; it knows {known}.": "onbekende kolom {column}; bekend zijn {known}.",
    "line {line}: no recording is named, or a value too many.": (
        "regel {line}: er staat geen opname, of een waarde te veel."
    ),
    "it is not a CSV file in UTF-8.": "het is geen CSV-bestand in UTF-8.",
    'started_at "{started}" is no date and time like 2026-10-05T09:42:00+02:00.': (
        'started_at "{started}" is geen datum en tijd zoals 2026-10-05T09:42:00+02:00.'
    ),
    'started_at "{started}" has no time zone; write +01:00 or +02:00 behind it.': (
        'started_at "{started}" heeft geen tijdzone; zet er +01:00 of +02:00 achter.'
    ),
    'agent_channel "{channel}" must be 0, 1 or empty.': 'agent_channel "{channel}" moet 0, 1 of leeg zijn.',
    'wait_s "{wait}" is no number of seconds.': 'wait_s "{wait}" is geen aantal seconden.',
    "call_id may hold letters, digits and . _ - @ : + = only, 200 at most.": (
        "call_id mag alleen letters, cijfers en . _ - @ : + = bevatten, hoogstens 200."
    ),
    "it holds types that a model of names does not need.": "het bevat typen die een namenmodel niet nodig heeft.",
    "it is no model of names.": "het is geen namenmodel.",
    "the recording changed while it was read.": "de opname is gewijzigd terwijl die werd gelezen.",
    "the call is not there any more.": "het gesprek is er niet meer.",
    "no words of an agent or a citizen are kept of this call.": (
        "van dit gesprek zijn geen woorden van een medewerker of een inwoner bewaard."
    ),
    'the review app needs more packages; run: pip install "callanalytics[review]"': (
        'voor de reviewapp zijn meer pakketten nodig; voer uit: pip install "callanalytics[review]"'
    ),
    "port {port} of {host} is taken, or not ours to use; choose another --port or --host.": (
        "poort {port} van {host} is bezet, of niet te gebruiken; kies een andere --port of --host."
    ),
    "a name has letters, digits and . _ @ + - alone, 80 at most.": (
        "een naam heeft alleen letters, cijfers en . _ @ + -, hoogstens 80."
    ),
    "a password has {n} characters or more.": "een wachtwoord heeft {n} tekens of meer.",
    "an agent, and nobody else, has the keyed hash of the agent's id.": (
        "een medewerker, en niemand anders, hoort bij een agent_id (--agent)."
    ),
    "there is somebody with that name already.": "er is al iemand met die naam.",
    "there is nobody with that name.": "er is niemand met die naam.",
    "an agent stays one; make somebody of another name.": (
        "een medewerker blijft dat; maak een gebruiker met een andere naam."
    ),
    "this is the last admin; make another one first.": "dit is de laatste beheerder; maak eerst een andere.",
    "the review store does not answer; see whether its disk is full or its server runs, and try again.": (
        "de reviewopslag antwoordt niet; kijk of de schijf vol is en of de databaseserver draait, en probeer opnieuw."
    ),
    "the review store can't be opened ({kind}); see review.database.": (
        "de reviewopslag gaat niet open ({kind}); kijk naar review.database."
    ),
    "it is larger than 1 MB.": "het is groter dan 1 MB.",
    "it holds no JSON object.": "het bevat geen JSON-object.",
    "its dialog is no list.": "de dialog erin is geen lijst.",
    "it can't be read as JSON.": "het is niet als JSON te lezen.",
    "its sidecar {file} can't be used: {reason}": "het bijbehorende bestand {file} is niet te gebruiken: {reason}",
    "another recording has the same call_id; give each its own in calls.csv.": (
        "een andere opname heeft hetzelfde call_id; geef elke opname een eigen call_id in calls.csv."
    ),
    # config.py, pseudonyms.py and topics.py: settings
    "there is no such file.": "dat bestand bestaat niet.",
    'unknown key "{key}".': 'onbekende sleutel "{key}".',
    'key "{key}": {problem}.': 'sleutel "{key}": {problem}.',
    "others may read this key; run: chmod 600 {path}": "anderen mogen deze sleutel lezen; voer uit: chmod 600 {path}",
    "the key for pseudonyms is shorter than {length} characters.": (
        "de sleutel voor pseudoniemen is korter dan {length} tekens."
    ),
    "it holds no topic.": "het bevat geen onderwerp.",
    "needs name.nl and name.en": "heeft name.nl en name.en nodig",
    "must be true or false": "moet true of false zijn",
    "must be a list of texts in quotes": "moet een lijst van teksten tussen aanhalingstekens zijn",
    "is missing or empty": "ontbreekt of is leeg",
    # criteria: phrase files
    "the folder holds no criterion files (*.toml).": "de map bevat geen bestanden met criteria (*.toml).",
    "table [{table}] stands in {file} already.": "tabel [{table}] staat al in {file}.",
    '"{name}" stands outside any table; begin with [{table}].': (
        '"{name}" staat buiten elke tabel; begin met [{table}].'
    ),
    'scorecard.{key} names "{name}", but no file has a table [{table}].': (
        'scorecard.{key} noemt "{name}", maar geen bestand heeft een tabel [{table}].'
    ),
    "table [{table}], key {key}: {reason}.": "tabel [{table}], sleutel {key}: {reason}.",
    "table [{table}], key {key} (line {line}): {reason}.": "tabel [{table}], sleutel {key} (regel {line}): {reason}.",
    "is missing": "ontbreekt",
    "must be text in quotes, not {value}": "moet tekst tussen aanhalingstekens zijn, niet {value}",
    "must be a number, not {value}": "moet een getal zijn, niet {value}",
    "must be a list of texts in quotes, with a comma between them": (
        "moet een lijst van teksten tussen aanhalingstekens zijn, met een komma ertussen"
    ),
    "must be a table": "moet een tabel zijn",
    '"{part}" is no regular expression ({error})': '"{part}" is geen reguliere expressie ({error})',
    '"{value}" is not one of {choices}': '"{value}" is geen van {choices}',
    '"{value}" is not one of {choices}; perhaps you mean "{near}"': (
        '"{value}" is geen van {choices}; misschien bedoelt u "{near}"'
    ),
    "is not known; known are: {known}": "is niet bekend; bekend zijn: {known}",
    'is not known; perhaps you mean "{near}". Known are: {known}': (
        'is niet bekend; misschien bedoelt u "{near}". Bekend zijn: {known}'
    ),
    '"{name}" is no criterion and no cue; perhaps you mean "{near}"': (
        '"{name}" is geen criterium en geen aanwijzing; misschien bedoelt u "{near}"'
    ),
    'line {line}: a quotation mark (") is missing in: {text}': (
        'regel {line}: er ontbreekt een aanhalingsteken (") in: {text}'
    ),
    "line {line}: a comma is missing between two phrases in: {text}": (
        "regel {line}: tussen twee zinnen ontbreekt een komma in: {text}"
    ),
    "line {line}: a list of phrases is not closed with ] before: {text}": (
        "regel {line}: een lijst met zinnen is niet afgesloten met ] voor: {text}"
    ),
    "line {line}: this key or table stands in the file already: {text}": (
        "regel {line}: deze sleutel of tabel staat al in het bestand: {text}"
    ),
    "line {line}: this makes no sense here: {text}": "regel {line}: dit kan hier niet staan: {text}",
    'there is no criterion "{name}"; there are: {names}.': 'er is geen criterium "{name}"; er zijn: {names}.',
    '"{name}" is no criterion, no cue and none of {choices}': (
        '"{name}" is geen criterium, geen cue en geen van {choices}'
    ),
    '"{window}" needs a share of the call, such as "first 40%"': (
        '"{window}" heeft een deel van het gesprek nodig, zoals "first 40%"'
    ),
    "needs name.{language}, the criterion's name in that language": (
        "heeft name.{language} nodig, de naam van het criterium in die taal"
    ),
    '"{term}" needs its plain meaning as text in quotes': (
        '"{term}" heeft een uitleg in gewone woorden nodig, als tekst tussen aanhalingstekens'
    ),
    "is missing or empty; a criterion needs at least one phrase": (
        "ontbreekt of is leeg; een criterium heeft minstens één zin nodig"
    ),
    '"{line}" has a "{part}" that nothing opened': '"{line}" heeft een "{part}" die nergens is geopend',
    '"{line}" can match without any word; leave at least one word outside [ ]': (
        '"{line}" past ook zonder één woord; laat minstens één woord buiten [ ]'
    ),
    '"{line}" begins with "..."; begin with the word that has to come first': (
        '"{line}" begint met "..."; begin met het woord dat eerst moet komen'
    ),
    '"{line}" closes with "{part}" where "{closing}" is expected': (
        '"{line}" sluit met "{part}" waar "{closing}" hoort'
    ),
    '"{line}" has a "|" outside ( ) or [ ]': '"{line}" heeft een "|" buiten ( ) of [ ]',
    '"{line}" stands for more than {most} phrases; split it into several lines': (
        '"{line}" staat voor meer dan {most} zinnen; verdeel het over meer regels'
    ),
    '"{line}" opens a bracket that "{closing}" never closes': (
        '"{line}" opent een haakje dat nergens met "{closing}" wordt gesloten'
    ),
    '"{line}" uses the slot {part}; there are: {known}': '"{line}" gebruikt het vak {part}; er zijn: {known}',
    '"{line}" uses the list {part}; the [words] table has: {known}': (
        '"{line}" gebruikt de lijst {part}; in de tabel [words] staan: {known}'
    ),
    '"{line}" uses the list {part}; the [words] table has: none': (
        '"{line}" gebruikt de lijst {part}; in de tabel [words] staat er geen'
    ),
    '"{line}" has an unfinished "{part}"': '"{line}" heeft een "{part}" die niet af is',
    # report
    "--from is a later day than --to; give the first day and the last one.": (
        "--from is een latere dag dan --to; geef de eerste dag en de laatste."
    ),
    'the report needs more packages; run: pip install "callanalytics[review]"': (
        'voor het rapport zijn meer pakketten nodig; voer uit: pip install "callanalytics[review]"'
    ),
    "the report can't be written to {folder}: {why}.": "het rapport is niet te schrijven in {folder}: {why}.",
    # catalog.py and exports.py
    "SQL reads a folder of this machine; copy OUT to one first.": (
        "SQL leest een map op deze machine; kopieer OUT daar eerst naartoe."
    ),
    "there is no SQL in it.": "er staat geen SQL in.",
    "it may read the views and nothing else; to keep an answer use --csv or --excel.": (
        "een query mag alleen de views lezen; gebruik --csv of --excel om een antwoord te bewaren."
    ),
    "it wants more memory than it may have; ask for fewer rows or columns at a time.": (
        "de query heeft meer geheugen nodig dan is toegestaan; vraag minder rijen of kolommen tegelijk op."
    ),
    "a file of OUT is gone or damaged; if something writes to OUT now, ask again after it.": (
        "een bestand van OUT is weg of beschadigd; wordt er nu naar OUT geschreven, probeer het daarna dan opnieuw."
    ),
    "there is no view {view}; .tables lists them.": "er is geen view {view}; .tables geeft een overzicht.",
    "Excel files need openpyxl; run: pip install openpyxl": (
        "voor Excel-bestanden is openpyxl nodig; voer uit: pip install openpyxl"
    ),
    # models.py
    'it holds no model "{name}"; it knows {known}.': 'er staat geen model "{name}" in; bekend zijn {known}.',
    "{file} is missing in {folder}": "{file} ontbreekt in {folder}",
    "{file} is not there": "{file} is er niet",
    "pip could not download {package}": "pip kon {package} niet downloaden",
    "the hub does not answer or refuses ({error}); on a machine without internet bring the files in a folder and use "
    "--from, for a gated model accept its conditions and set {variable}": (
        "de hub antwoordt niet of weigert ({error}); neem op een machine zonder internet de bestanden mee in een map "
        "en gebruik --from, accepteer bij een afgeschermd model de voorwaarden en zet {variable}"
    ),
    # store.py, evaluate.py and truth.py
    "{problem}; choose a folder you may write to.": "{problem}; kies een map waarin geschreven mag worden.",
    "{problem}; nothing that is published is lost.": "{problem}; niets wat gepubliceerd is gaat verloren.",
    "{problem}; nothing published is lost.": "{problem}; niets wat gepubliceerd is gaat verloren.",
    "criteria alone learn from reviews; say: train criteria.": (
        "alleen criteria leren van beoordelingen; geef: train criteria."
    ),
    "nobody has reviewed calls here; start with `callanalytics review`.": (
        "hier heeft nog niemand gesprekken beoordeeld; begin met `callanalytics review`."
    ),
    "the new models can't be written there ({error}).": "de nieuwe modellen zijn daar niet te schrijven ({error}).",
    "there is no such folder; give the --output of a run.": "die map bestaat niet; geef de --output van een run.",
    "no call of {out} has its truth there; compare the call ids.": (
        "bij geen gesprek van {out} staat hier de waarheid; vergelijk de call_id's."
    ),
    "it holds no calls; give the folder that `run --output` wrote.": (
        "het bevat geen gesprekken; geef de map die `run --output` heeft geschreven."
    ),
    "its columns are not those of this version; run again.": (
        "de kolommen zijn niet die van deze versie; start de run opnieuw."
    ),
    "it is no JSON.": "het is geen JSON.",
    "the truth lacks, or does not know, {key}.": "in de waarheid ontbreekt {key}, of het is daar niet bekend.",
    "it is JSON, but not laid out as a truth file.": "het is JSON, maar niet ingedeeld als bestand met de waarheid.",
    "it holds no truth files (*.json).": "er staan geen bestanden met de waarheid in (*.json).",
    # cli.py, roles.py, topics.py and training.py
    "it is not text in UTF-8.": "het is geen tekst in UTF-8.",
    "line {line}: this is no JSON.": "regel {line}: dit is geen JSON.",
    "document {number}: the key {key} is missing.": "document {number}: de sleutel {key} ontbreekt.",
    "document {number}: a role, a time in ms or the ISO date of started_at is not one.": (
        "document {number}: een rol, een tijd in ms of de ISO-datum van started_at klopt niet."
    ),
    "{problem}; run: callanalytics train roles": "{problem}; voer uit: callanalytics train roles",
    "it holds types that a role model does not need.": "het bevat typen die een model voor de rollen niet nodig heeft.",
    "it is no role model; run: callanalytics train roles": (
        "het is geen model voor de rollen; voer uit: callanalytics train roles"
    ),
    "line {line} is no call ({problem}).": "regel {line} is geen gesprek ({problem}).",
    "it holds no models of criteria ({problem}).": "er staan geen modellen van criteria in ({problem}).",
    "it holds no calibration of criteria ({problem}).": "er staat geen ijking van criteria in ({problem}).",
    "{problem}; run: callanalytics train topics": "{problem}; voer uit: callanalytics train topics",
    "it holds types that a topic model does not need.": (
        "het bevat typen die een model voor de onderwerpen niet nodig heeft."
    ),
    "it is no topic model; run: callanalytics train topics": (
        "het is geen model voor de onderwerpen; voer uit: callanalytics train topics"
    ),
    "line {line} is no opening ({problem}).": "regel {line} is geen opening van een gesprek ({problem}).",
    "line {line} has the topic {topic}.": "regel {line} heeft het onderwerp {topic}.",
    "the topic {topic} has fewer than {count} lines.": "het onderwerp {topic} heeft minder dan {count} regels.",
    "line {line} is no utterance ({problem}).": "regel {line} is geen uiting ({problem}).",
    "line {line} has the role {role}.": "regel {line} heeft de rol {role}.",
    "no utterance has the role {role}.": "geen uiting heeft de rol {role}.",
}


def translate(message: str, lang: Lang) -> str:
    """A finished English message in a language; one that no template fits is returned as it is.

    "call.wav can't be read: it is no JSON."   ->   "call.wav is niet te lezen: het is geen JSON."
    """
    if lang == "en":
        return message
    for pattern, dutch in _patterns():
        if found := pattern.fullmatch(message):
            fields = found.groupdict()
            return dutch.format(**{k: translate(v, lang) if k.endswith("reason") else v for k, v in fields.items()})
    return message


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Every template as a pattern, outermost level first, in a level the one with most to go by first."""
    return [
        (_compile(english), level[english])
        for level in (ERRORS, SOURCES, REASONS)
        for english in sorted(level, key=_looseness)
    ]


def _looseness(template: str) -> tuple[bool, int]:
    """What begins with a field fits nearly anything before its first word; else, the more own text the better."""
    own_text = sum(len(text) for text, *_ in Formatter().parse(template))
    return template.startswith("{"), -own_text


def _compile(template: str) -> re.Pattern[str]:
    parts, seen = [], set[str]()
    for text, field, *_ in Formatter().parse(template):
        parts.append(re.escape(text))
        if field:
            parts.append(f"(?P={field})" if field in seen else f"(?P<{field}>.*?)")
            seen.add(field)
    return re.compile("".join(parts), re.DOTALL)
