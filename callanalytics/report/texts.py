"""What the report says, in Dutch and English.  Braces take marked-up numbers and names."""

from __future__ import annotations

from datetime import date
from typing import Literal

Lang = Literal["nl", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    # --- the two pages ---
    "title": ("Bespreekrapport gesprekskwaliteit", "Call quality: report for discussion"),
    "appendix_title": ("Bijlage bij het bespreekrapport", "Appendix to the report for discussion"),
    "register_title": ("Toezeggingenregister", "Promise register"),
    "of_municipality": ("Gemeente {names}", "Municipality of {names}"),
    "until": ("{first} t/m {last}", "{first} to {last}"),
    "made_on": ("stand van {today}", "as of {today}"),
    "lead": (
        "{calls} gesprekken, waarvan {scorable} te beoordelen. Daarvan zijn er {reviewed} door een collega nagekeken; "
        "{contested} zijn betwist en tellen niet mee. Niet te verwerken: {failures} opnamen.",
        "{calls} calls, of which {scorable} can be scored. Of these a colleague reviewed {reviewed}; {contested} are "
        "contested and don't count. Could not be processed: {failures} recordings.",
    ),
    "lead_whose": (
        "Een oordeel komt van de computer, tot een collega het gesprek heeft nagekeken: dan telt wat de collega zegt. "
        "Dit rapport gaat over het werk van het hele team, niet over personen. Groepen van minder dan {smallest} "
        "gesprekken blijven weg.",
        "A verdict is the computer's until a colleague has reviewed the call: then the colleague's counts. This report "
        "is about the work of the whole team, not about persons. Groups of fewer than {smallest} calls are left out.",
    ),
    "no_calls": (
        "In deze periode zijn er geen gesprekken die te beoordelen zijn.",
        "There are no calls in this period that can be scored.",
    ),
    "card": ("Scorekaart", "Scorecard"),
    "card_caption": ("Aandeel goed per onderdeel", "Share met by item"),
    "item": ("Onderdeel", "Item"),
    "share": ("Goed", "Met"),
    "interval": ("{level}%\u2011interval", "{level}\u00a0% interval"),
    "n": ("n", "n"),
    "na": ("n.v.t.", "n/a"),
    "unsure": ("on\u00adzeker", "un\u00adsure"),
    "reviewed": ("nage\u00adkeken", "re\u00adviewed"),
    "change": ("Verschil", "Change"),
    "norm": ("Norm", "Norm"),
    "course": ("Regelkaart per week", "Control chart by week"),
    "course_weeks": ("week tot {first} … {last}", "week to {first} … {last}"),
    "no_charts": (
        "Regelkaarten staan er bij minstens {smallest} gesprekken per week.",
        "Control charts are drawn from {smallest} calls a week on.",
    ),
    "few": ("te weinig gesprekken per week", "too few calls a week"),
    "gauged_none": (
        "Van geen onderdeel is nog vastgesteld dat de computer oordeelt zoals collega’s dat doen (kalibratie).",
        "Of no item it is established yet that the computer judges as colleagues do (calibration).",
    ),
    "gauged_some": (
        "°: nog niet vastgesteld dat de computer hier oordeelt zoals collega’s dat doen (kalibratie).",
        "°: not established yet that the computer judges here as colleagues do (calibration).",
    ),
    "card_legend": (
        "n: gesprekken met het oordeel goed of niet goed. Verschil: in procentpunten ten opzichte van {before}; vet "
        "als toeval het niet goed verklaart (het {level}%-interval bevat geen nul).",
        "n: calls with the verdict met or not met. Change: percentage points from {before}; bold where chance "
        "explains it badly (the {level} % interval holds no zero).",
    ),
    "card_legend_none": (
        "n: gesprekken met het oordeel goed of niet goed. Van {before} zijn er geen gesprekken om mee te vergelijken.",
        "n: calls with the verdict met or not met. Of {before} there are no calls to compare with.",
    ),
    "chart_legend": (
        "Regelkaart: elke stip is een week (dicht: deze periode). Blauwe lijn: eigen gemiddelde van eerdere weken; "
        "blauw vlak: wat bij gewone schommeling hoort. Oranje ruit: een week daarbuiten, zoek de oorzaak. "
        "Stippellijn: norm. Verticale streep: andere regels. Elke "
        "kaart heeft een eigen schaal.",
        "Control chart: each dot is a week (filled: this period). Blue line: own mean of earlier weeks; blue area: "
        "what ordinary variation brings. Orange diamond: a week beyond it, look for the cause. Dotted line: norm. "
        "Vertical line: other rules. Each chart has a scale of its own.",
    ),
    "chart_provisional": (
        "De grenzen zijn voorlopig: ze worden pas stevig na {firm} eerdere weken.",
        "The limits are provisional: they become firm after {firm} earlier weeks.",
    ),
    "chart_no_limits": (
        "Grenzen staan er pas bij minstens {least} eerdere weken met genoeg gesprekken en dezelfde regels.",
        "Limits are drawn from {least} earlier weeks on with calls enough and the same rules.",
    ),
    "broken": (
        "De regels van de beoordeling of de spraakherkenning zijn gewijzigd binnen of tussen deze perioden. Daarom "
        "vergelijkt dit rapport ze niet. Beoordeel oude gesprekken opnieuw met: callanalytics rescore.",
        "The rules of scoring or the speech recognition changed within or between these periods. So this report does "
        "not compare them. Score old calls again with: callanalytics rescore.",
    ),
    "compliance": ("Wettelijk, apart van de score", "Compliance, apart from the score"),
    "compliance_caption": ("Wat de wet vraagt", "What the law asks for"),
    "criterion": ("Punt", "Point"),
    "is_signal": ("{name} (hoe vaak, geen oordeel)", "{name} (how often, no verdict)"),
    "movers": ("Wat het meest veranderde", "What changed most"),
    "movers_caption": (
        "De grootste verschillen met {before}; eerst wat geen toeval lijkt",
        "The largest changes from {before}; first what does not look like chance",
    ),
    "was": ("Was", "Was"),
    "now": ("Nu", "Now"),
    "why": ("Waar het vooral vandaan komt", "Where it mostly comes from"),
    "no_movers": (
        "Geen onderdeel heeft in beide perioden genoeg gesprekken om te vergelijken.",
        "No item has calls enough in both periods to compare.",
    ),
    "clear": ("duidelijk", "clear"),
    "by_chance": ("kan toeval zijn", "may be chance"),
    "cause_part": (
        "‘{name}’ lukte in {before} en nu in {now} van de gesprekken",
        "‘{name}’ went well in {before} and now in {now} of the calls",
    ),
    "cause_queue": (
        "wachtrij {name}: {before} → {now} (n\u00a0{n_before} en\u00a0{n_now}), goed voor\u00a0{points} punten",
        "queue {name}: {before} → {now} (n\u00a0{n_before} and\u00a0{n_now}), worth\u00a0{points} points",
    ),
    "cause_topic": (
        "onderwerp {name}: {before} → {now} (n\u00a0{n_before} en\u00a0{n_now}), goed voor\u00a0{points} punten",
        "topic {name}: {before} → {now} (n\u00a0{n_before} and\u00a0{n_now}), worth\u00a0{points} points",
    ),
    "no_cause": ("verspreid over wachtrijen en onderwerpen", "spread over queues and topics"),
    "movers_note": (
        "Bij zoveel onderdelen valt er af en toe één toevallig op: leg het naast de regelkaart. Het kan ook "
        "schelen dat nu meer of minder gesprekken zijn nagekeken dan toen.",
        "Of so many items one stands out by chance now and then: hold it against the control chart. That more "
        "or fewer calls are reviewed now than then may make a difference, too.",
    ),
    "moments": ("Om samen te bespreken", "To discuss together"),
    "moments_note": (
        "Namen en nummers zijn vervangen. Gevoelige onderwerpen en betwiste gesprekken staan er niet bij. Wat "
        "‘machine, niet nagekeken’ heet, is er alleen om samen te bespreken, niet om iemand erop aan te spreken.",
        "Names and numbers are replaced. Sensitive topics and contested calls are not among them. What says "
        "‘machine, not reviewed’ is to be discussed only, nobody is held to it.",
    ),
    "no_moments": ("Geen fragmenten die hier mogen staan.", "No fragments that may stand here."),
    "good": ("Goed voorbeeld", "Good example"),
    "bad": ("Kan beter", "Could be better"),
    "is_reviewed": ("nagekeken", "reviewed"),
    "is_machine": ("machine, niet nagekeken", "machine, not reviewed"),
    "at": ("op {at}", "at {at}"),
    "promises": ("Toezeggingen", "Promises"),
    "promises_lead": (
        "{promises} toezeggingen in {calls} gesprekken, {dated} met een datum.",
        "{promises} promises in {calls} calls, {dated} with a date.",
    ),
    "promises_kept": (
        "Van {n} is bekend hoe het afliep: {share} nagekomen ({interval}), {in_time} op tijd ({in_time_interval}).",
        "Of {n} it is known how they ended: {share} kept ({interval}), {in_time} in time ({in_time_interval}).",
    ),
    "promises_few": (
        "Van te weinig toezeggingen is bekend hoe het afliep om er een aandeel van te geven.",
        "Of too few promises it is known how they ended to give a share.",
    ),
    "promises_absent": (
        "Nooit geregistreerd: {hits} van {n} die een collega opzocht.",
        "Never registered: {hits} of {n} that a colleague looked up.",
    ),
    "promises_unasked": (
        "Of ze geregistreerd zijn, heeft nog niemand opgezocht.",
        "Nobody has looked up yet whether they are registered.",
    ),
    "fate": ("Stand", "State"),
    "count": ("Aantal", "Count"),
    "fates_caption": ("Stand van de toezeggingen", "State of the promises"),
    "fate_today": ("vandaag nakomen", "due today"),
    "fate_overdue": ("termijn voorbij, niets bekend", "overdue, nothing known"),
    "fate_broken": ("niet nagekomen, zegt de beller of een collega", "not kept, says the caller or a colleague"),
    "fate_late": ("nagekomen, te laat", "kept, too late"),
    "fate_kept": ("nagekomen", "kept"),
    "fate_open": ("loopt nog", "not due yet"),
    "fate_vague": ("zonder datum, niets bekend", "without a date, nothing known"),
    "fate_rule": (
        "Nagekomen: een collega zegt het, of de gemeente belde de beller later terug over hetzelfde. Niet nagekomen: "
        "een collega zegt het, of de beller zei het in een later gesprek over hetzelfde.",
        "Kept: a colleague says so, or the municipality called the caller back later about the same. Not kept: a "
        "colleague says so, or the caller said so in a later call about the same.",
    ),
    "see_register": (
        "Elke toezegging staat in het register (register.html, register.csv).",
        "Each promise is in the register (register.html, register.csv).",
    ),
    "repeats": ("Herhaalverkeer", "Repeat calls"),
    "repeats_lead": (
        "Zelfde beller, zelfde onderwerp, binnen {days} dagen: {rate}.",
        "Same caller, same topic, within {days} days: {rate}.",
    ),
    "repeats_after": ("Daarvan na een toezegging: {rate}.", "Of these after a promise: {rate}."),
    "repeats_told": (
        "Beller meldt een niet nagekomen toezegging: {rate}.",
        "Caller reports a promise that was not kept: {rate}.",
    ),
    "repeats_status": (
        "Belt om te horen hoe het ermee staat: {rate}.",
        "Calls to hear how things stand: {rate}.",
    ),
    "repeats_none": (
        "Zonder caller_ref in calls.csv is niet te zien wie opnieuw belt.",
        "Without caller_ref in calls.csv it can't be seen who calls again.",
    ),
    "rate": ("{share} ({interval}, n\u00a0{n})", "{share} ({interval}, n\u00a0{n})"),
    "rate_few": ("te weinig gesprekken (n {n})", "too few calls (n {n})"),
    "action": ("De actie voor de komende weken", "The action for the weeks to come"),
    "action_chosen": ("Gekozen door het team, sinds {day}", "Chosen by the team, since {day}"),
    "action_proposed": ("Voorstel; het team kiest", "Proposal; the team chooses"),
    "action_about": ("Onderdeel: {item}", "Item: {item}"),
    "action_hypothesis": ("Verwachting: {text}", "Hypothesis: {text}"),
    "action_result": (
        "Goed was {before} (n {n_before}) en is sindsdien {after} (n {n_after}); verschil {diff} punten ({low} tot "
        "{high}).",
        "Met was {before} (n {n_before}) and has since been {after} (n {n_after}); change {diff} points ({low} to "
        "{high}).",
    ),
    "action_early": ("Nog te weinig gesprekken om iets te zeggen.", "Too few calls to say anything yet."),
    "action_broken": (
        "De regels zijn tussendoor gewijzigd: voor en na zijn niet te vergelijken.",
        "The rules changed in between: before and after can't be compared.",
    ),
    "proposal": (
        "Werk aan ‘{item}’: goed in {share} van {n} gesprekken, hoogstens {high}. Hier is het meest te winnen.",
        "Work on ‘{item}’: met in {share} of {n} calls, {high} at most. There is most to win here.",
    ),
    "proposal_norm": (
        "Werk aan ‘{item}’: goed in {share} van {n} gesprekken, hoogstens {high}; de norm is {norm}. Hier is het meest "
        "te winnen.",
        "Work on ‘{item}’: met in {share} of {n} calls, {high} at most; the norm is {norm}. There is most to win here.",
    ),
    "proposal_part": (
        "Het vaakst ontbreekt ‘{part}’, in zoveel van de gesprekken: {rate}.",
        "What lacks most often is ‘{part}’, in so many of the calls: {rate}.",
    ),
    "proposal_next": (
        "Kies samen één ding om te oefenen, schrijf het in het PDCA-log (in de beoordelingsapp) en kijk over twee "
        "weken of het helpt.",
        "Choose one thing together to practise, write it in the PDCA log (in the review app) and see in two "
        "weeks whether it helps.",
    ),
    "proposal_none": (
        "Er zijn te weinig gesprekken voor een voorstel. Kies samen iets uit de fragmenten.",
        "There are too few calls for a proposal. Choose something from the fragments together.",
    ),
    "see_appendix": (
        "In de bijlage (appendix): regelkaarten, herhaalverkeer, doorverbinden, kennishiaten, PDCA-log en normen.",
        "In the appendix: control charts, repeat calls, hand-overs, knowledge gaps, PDCA log and norms.",
    ),
    "no_pdf": (
        "De HTML-bestanden zijn gemaakt, de PDF's niet: daarvoor zijn Pango en WeasyPrint nodig. Op Debian: "
        'apt-get install libpango-1.0-0 libpangoft2-1.0-0, en pip install "callanalytics[review]". Geef daarna '
        "dezelfde opdracht.",
        "The HTML files are made, the PDFs are not: they take Pango and WeasyPrint. On Debian: "
        'apt-get install libpango-1.0-0 libpangoft2-1.0-0, and pip install "callanalytics[review]". Then give the same '
        "command again.",
    ),
    # --- the appendix ---
    "charts": ("Regelkaarten", "Control charts"),
    "chart_of": (
        "Regelkaart van {name}; de cijfers staan in de tabel met weken in de bijlage",
        "Control chart of {name}; its figures stand in the table of weeks in the appendix",
    ),
    "chart_mean": ("gemiddelde", "mean"),
    "chart_norm": ("norm", "norm"),
    "chart_few": ("Te weinig gesprekken per week voor een kaart.", "Too few calls a week for a chart."),
    "chart_base": (
        "Gemiddelde {mean} over {n} eerdere weken; buiten de grenzen: {out} weken.",
        "Mean {mean} of {n} earlier weeks; beyond the limits: {out} weeks.",
    ),
    "weeks_caption": (
        "Aandeel goed per week (n), de laatste weken; een week eindigt op de dag die erboven staat",
        "Share met by week (n), the last weeks; a week ends on the day above it",
    ),
    "weeks_rule": (
        "Grenzen: gemiddelde ± drie standaardafwijkingen voor de n van die week (p-kaart; Shewhart, Montgomery). Bij "
        "heel veel gesprekken per week zijn ze aan de krappe kant.",
        "Limits: mean ± three standard deviations for that week's n (p-chart; Shewhart, Montgomery). With very many "
        "calls a week they are on the narrow side.",
    ),
    "by_topic": ("Per onderwerp", "By topic"),
    "by_queue": ("Per wachtrij", "By queue"),
    "few_topic": ("Onderwerpen met te weinig gesprekken om te tonen:", "Topics of too few calls to show:"),
    "few_queue": ("Wachtrijen met te weinig gesprekken om te tonen:", "Queues of too few calls to show:"),
    "topic": ("Onderwerp", "Topic"),
    "queue": ("Wachtrij", "Queue"),
    "repeat_share": ("Herhaald", "Repeated"),
    "handovers": ("Doorverbinden: onderwerp × wachtrij", "Hand-overs: topic × queue"),
    "handovers_caption": (
        "Warm / koud / mislukt, aantal gesprekken",
        "Warm / cold / failed, number of calls",
    ),
    "handovers_rule": (
        "Warm: aangekondigd, en de collega is ingelicht. Mislukt: er volgde in hetzelfde gesprek een "
        "terugbeltoezegging, of dezelfde beller belde binnen {days} dagen opnieuw over hetzelfde. Koud: de rest. "
        "‘&lt;{smallest}’: te weinig om te tonen, of anders zou zo’n groep uit te rekenen zijn. Onderwerpen met te "
        "weinig gesprekken staan samen onder ‘overige’.",
        "Warm: announced, and the colleague was told. Failed: in the same call a callback was promised, or the same "
        "caller called again about the same within {days} days. Cold: the rest. ‘&lt;{smallest}’: too few to show, or "
        "such a group could be worked out otherwise. Topics of too few "
        "calls stand together under ‘other’.",
    ),
    "handovers_none": (
        "Er is niet doorverbonden, of minder dan {smallest} keer.",
        "There were no hand-overs, or fewer than {smallest}.",
    ),
    "other_topics": ("overige onderwerpen", "other topics"),
    "together": ("Samen", "Together"),
    "warm": ("warm", "warm"),
    "cold": ("koud", "cold"),
    "failed": ("mislukt", "failed"),
    "gaps": ("Kennishiaten", "Knowledge gaps"),
    "gaps_caption": (
        "Hoe vaak per onderwerp: aandeel van de gesprekken, interval en n",
        "How often by topic: share of the calls, interval and n",
    ),
    "gaps_rule": (
        "Onuitgelegde vaktaal, twijfel, wachtstand en stilte wijzen op vragen die de kennisbank nog niet beantwoordt.",
        "Unexplained jargon, hedging, holds and dead air point at questions that the knowledge base does not answer.",
    ),
    "gaps_none": ("Geen onderwerp heeft genoeg gesprekken.", "No topic has calls enough."),
    "gap_unexplained_jargon": ("Vaktaal", "Jargon"),
    "gap_hedging": ("Twijfel", "Hedging"),
    "gap_hold": ("Wachtstand", "Hold"),
    "gap_dead_air": ("Stilte", "Dead air"),
    "jargon": ("Vaktaal die het vaakst zonder uitleg bleef:", "Jargon most often left unexplained:"),
    "jargon_word": ("{word} ({plain}; {calls} gesprekken)", "{word} ({plain}; {calls} calls)"),
    "jargon_bare": ("{word} ({calls} gesprekken)", "{word} ({calls} calls)"),
    "plan": ("PDCA-log", "PDCA log"),
    "plan_caption": (
        "Acties met het onderdeel ervoor en erna, even lange perioden van hoogstens vier weken",
        "Actions with their item before and after, periods of the same length of four weeks at most",
    ),
    "plan_none": ("Het PDCA-log is nog leeg.", "The PDCA log is empty yet."),
    "plan_action": ("Actie en verwachting", "Action and hypothesis"),
    "plan_start": ("Sinds", "Since"),
    "plan_before": ("Ervoor", "Before"),
    "plan_after": ("Erna", "After"),
    "plan_conclusion": ("Slotsom: {text}", "Conclusion: {text}"),
    "plan_broken": ("Breuk: de regels zijn gewijzigd.", "Break: the rules changed."),
    "plan_open": ("loopt", "open"),
    "plan_closed": ("afgesloten", "closed"),
    "norms": ("Normen en eigen verleden", "Norms and own past"),
    "norms_caption": (
        "Gemeten tegen de normen van de gemeente, en tegen {before}",
        "Measured against the municipality's norms, and against {before}",
    ),
    "norms_none": (
        "Er zijn geen normen ingesteld. Zet ze in [norms] van uw instellingen, bijvoorbeeld die van de VNG of van uw "
        "eigen college.",
        "No norms are set. Put them in [norms] of your settings, such as those of VNG or of your own council.",
    ),
    "norm_name": ("Norm", "Norm"),
    "norm_now": ("Deze periode", "This period"),
    "norm_before": ("Vorige periode", "Period before"),
    "norm_verdict": ("Gehaald?", "Met?"),
    "norm_answer_s": ("Beantwoord binnen {limit} seconden", "Answered within {limit} seconds"),
    "norm_callback_working_days": (
        "Terugbellen beloofd binnen {limit} werkdag(en)",
        "Callback promised within {limit} working day(s)",
    ),
    "norm_transfers": ("Hoogstens {limit} keer doorverbonden", "At most {limit} transfers"),
    "norm_handled_share": (
        "Afgehandeld zonder doorverbinden of terugbellen, norm {limit}",
        "Handled without transfer or callback, norm {limit}",
    ),
    "norm_item": ("{item}, norm {limit}", "{item}, norm {limit}"),
    "verdict_yes": ("ja", "yes"),
    "verdict_no": ("nee", "no"),
    "verdict_open": ("niet te zeggen", "can't be told"),
    "verdict_limit": ("zie aandeel", "see share"),
    "verdict_few": ("te weinig gesprekken", "too few calls"),
    "sources": ("Waar de fragmenten vandaan komen", "Where the fragments come from"),
    "sources_caption": (
        "Voor wie het gesprek wil nalezen; hang deze bladzijde niet op",
        "For who wants to read the call; don't put this page on the wall",
    ),
    "call": ("Gesprek", "Call"),
    "moment": ("Moment", "Moment"),
    # --- the register ---
    "register_lead": (
        "Toezeggingen uit gesprekken van {first} t/m {last}, en oudere waarvan de termijn sinds {first} afliep. "
        "De computer heeft ze gehoord; kijk het gesprek na voordat u er iemand op aanspreekt.",
        "Promises of calls of {first} to {last}, and older ones that fell due since {first}. The computer heard them; "
        "check the call before holding anybody to one.",
    ),
    "register_private": (
        "Dit overzicht gaat over afzonderlijke inwoners. Deel het alleen met wie de toezeggingen nakomt, en gooi het "
        "daarna weg.",
        "This list is about single citizens. Share it only with those who keep the promises, and throw it away after.",
    ),
    "register_none": ("Er zijn geen toezeggingen.", "There are no promises."),
    "what": ("Wat", "What"),
    "by": ("Door", "By"),
    "due": ("Uiterlijk", "Due"),
    "late_by": ("{n} werkdag(en) te laat", "{n} working day(s) late"),
    "overdue_by": ("Werkdagen te laat", "Working days late"),
    "registered": ("Geregistreerd", "Registered"),
    "said": ("Gezegd", "Said"),
    "said_on": ("Beloofd op", "Promised on"),
    "quote_sensitive": ("(gevoelig onderwerp: lees het gesprek)", "(sensitive topic: read the call)"),
    "quote_gone": ("(tekst niet meer bewaard)", "(text no longer kept)"),
    "yes": ("ja", "yes"),
    "no": ("nee", "no"),
    "unknown": ("onbekend", "unknown"),
    "none": ("–", "–"),
    "no_queue": ("zonder wachtrij", "without a queue"),
    "no_topic": ("onderwerp onbekend", "topic unknown"),
    "type_callback": ("terugbellen", "callback"),
    "type_action": ("actie", "action"),
    "type_letter_or_email": ("brief of e-mail", "letter or e-mail"),
    "type_visit": ("bezoek", "visit"),
    "callback.who": ("Wie terugbelt", "Who calls back"),
    "callback.when": ("Wanneer er wordt teruggebeld", "When the callback is"),
}

MONTHS: dict[Lang, tuple[str, ...]] = {
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip


def write_day(day: date, lang: Lang, is_short: bool = False) -> str:
    """A date as people write it: 9 november 2026, or 9 nov."""
    month = MONTHS[lang][day.month - 1]
    if is_short:
        return f"{day.day} {'mrt' if month == 'maart' else month[:3]}"
    return f"{day.day} {month} {day.year}"
