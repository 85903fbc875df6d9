"""The page of a call as an answer to requests."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select

from callanalytics.config import Config, load_config
from callanalytics.review.app import create_app
from callanalytics.review.desk import Desk
from callanalytics.review.judging import group_criteria
from callanalytics.review.opened import CallTools
from callanalytics.scoring import load_files
from callanalytics.store.reviews.people import add_user, users
from callanalytics.store.reviews.tables import Contest, Finished, Judgement, PromiseJudgement, RoleSwap, Sample, User
from callanalytics.texts import texts_of
from tests.support.browser import review_call, write_recording
from tests.support.centre import changed, opened, publish
from tests.support.paths import PACKAGE
from tests.support.visitor import FIRST, SECOND, THIRD, Visitor

MET, DOUBTED = "greeting_municipality", "repeat_contact"


class Team:
    """An app over a fresh OUT, and its people."""

    def __init__(self, config: Config, out: Path) -> None:
        self.app = create_app(config, out)
        self.desk: Desk = self.app.state.desk
        self.desk.refresh()
        self.app.state.call_tools = Tools(config, self.desk)
        self._visitors: dict[str, Visitor] = {}

    def __call__(self, name: str) -> Visitor:
        if name not in self._visitors:
            self._visitors[name] = Visitor(self.app, name)
        return self._visitors[name]

    def rows(self, table: Any) -> list[Any]:
        """All that a table of the review store holds."""
        with self.desk.reviews.reading() as orm:
            return list(orm.scalars(select(table).order_by(table.id)))

    def id_of(self, name: str) -> int:
        """Of a user."""
        return next(user.id for user in users(self.desk.reviews) if user.name == name)


@pytest.fixture
def team(tmp_path: Path, review_config: Config, review_out: Path) -> Iterator[Team]:
    """Three calls, everybody of browser.USERS, notes cleaned by what needs no models."""
    recordings = shutil.copytree(review_config.review.recordings, tmp_path / "recordings")
    team = Team(
        changed(review_config, "review", recordings=str(recordings)), shutil.copytree(review_out, tmp_path / "out")
    )
    yield team
    team.desk.close()


class Tools(CallTools):
    """The real ones, but what cleans notes takes every Piet for a person."""

    def _redactor(self) -> Any:
        from callanalytics.redaction.redactor import Redacted

        def redact(said: Any) -> Redacted:
            turns = tuple(replace(turn, text=turn.text.replace("Piet", "[NAME]")) for turn in said.turns)
            return Redacted(replace(said, turns=turns))

        return redact


def test_who_may_not_see_a_call_gets_the_answer_of_one_that_is_not_there(team: Team) -> None:
    missing = team("eva").get("/call", id="nergens")
    assert missing.status_code == 404
    for name in ("fien", "otto"):
        answer = team(name).get("/call", id=FIRST)
        assert (answer.status_code, answer.text) == (404, team(name).get("/call", id="nergens").text)
    for path in ("/call/next", "/call/sound", "/call/peaks"):
        assert team("otto").get(path, id=FIRST).status_code == 404
    assert team("eva").get("/call", id=FIRST, sample=99).status_code == 404


def test_every_opening_of_a_page_is_told_in_the_ledger_and_listening_is_part_of_it(team: Team) -> None:
    team("bram").call()
    team("bram").get("/call/sound", id=FIRST)
    team("bram").get("/call/peaks", id=FIRST)
    team("bram").call()
    team("eva").get("/call/sound", id=SECOND)  # without its page
    assert [(one.who, one.action) for one in team.desk.ledger.entries()] == [
        ("bram", "view"), ("bram", "view"), ("eva", "view"),
    ]  # fmt: skip


def test_accepting_keeps_the_machines_value_and_correcting_wants_a_reason(team: Team) -> None:
    eva = team("eva")
    assert eva.post("/call/judge", criterion=MET, answer="accept").status_code == 303
    assert eva.post("/call/judge", criterion=MET, answer="not_met").status_code == 422
    assert len(team.rows(Judgement)) == 1
    fields = {"criterion": MET, "answer": "not_met", "reason": "wrong_recognition", "note": "Dit zei  Piet niet."}
    assert eva.post("/call/judge", **fields).status_code == 303
    accepted, corrected = team.rows(Judgement)
    assert (accepted.answer, accepted.reason, accepted.how) == ("met", None, "single")
    assert (corrected.answer, corrected.reason) == ("not_met", "wrong_recognition")
    assert corrected.note == "Dit zei [NAME] niet."
    assert (corrected.machine_status, corrected.machine_probability) == ("met", 0.99)
    page = eva.call()
    assert "verkeerd verstaan" in page
    assert "Dit zei [NAME] niet." in page


def test_an_uncertain_verdict_that_is_accepted_is_unclear(team: Team) -> None:
    team("eva").post("/call/judge", criterion=DOUBTED, answer="accept")
    (row,) = team.rows(Judgement)
    assert (row.answer, row.machine_status) == ("unclear", "uncertain")


def test_a_save_that_comes_twice_is_kept_once(team: Team) -> None:
    page = team("eva").call()
    for _ in range(2):
        assert team("eva").post("/call/judge", page=page, criterion=MET, answer="accept").status_code == 303
    assert len(team.rows(Judgement)) == 1


def test_a_form_of_somebody_else_or_of_nobody_is_refused(team: Team) -> None:
    page = team("eva").call()
    assert team("bram").post("/call/judge", page=page, criterion=MET, answer="accept").status_code == 403
    assert team("eva").post("/call/judge", criterion=MET, answer="accept", csrf="").status_code == 403
    assert team("eva").post("/call/judge", criterion="no_such_thing", answer="accept").status_code == 404
    assert team("eva").post("/call/judge", criterion=MET, answer="wonderful").status_code == 422
    assert not team.rows(Judgement)


def test_a_note_that_cannot_be_cleaned_is_not_kept(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Any) -> Any:
        raise RuntimeError("Piet")

    monkeypatch.setattr(Tools, "_redactor", breaks)
    fields = {"criterion": MET, "answer": "not_met", "reason": "other", "note": "Piet"}
    answer = team("eva").post("/call/judge", **fields)
    assert answer.status_code == 422
    assert "persoonsgegevens" in answer.text
    assert team("eva").post("/call/contest", note="Piet").status_code == 503
    assert team("eva").post("/call/promise", index="0", kind="callback", action="keep", note="Piet").status_code == 503
    assert not [*team.rows(Judgement), *team.rows(Contest), *team.rows(PromiseJudgement)]
    assert team("eva").post("/call/judge", **(fields | {"note": " "})).status_code == 303


def test_notes_are_cleaned_by_the_redaction_of_the_calls_themselves(config: Config) -> None:
    tools = CallTools(config, None)  # type: ignore[arg-type]
    cleaned = tools.clean("Mevrouw De Vries heeft nummer 06 12345678, \n en dat telt niet.")
    assert "Vries" not in cleaned
    assert "12345678" not in cleaned
    assert cleaned.endswith("en dat telt niet.")


def test_values_that_were_not_on_the_page_are_not_accepted(team: Team) -> None:
    eva = team("eva")
    page = eva.call()
    assert eva.post("/call/swap", page=page).status_code == 303
    answer = eva.post("/call/judge", page=page, criterion=MET, answer="accept")
    assert answer.status_code == 409
    assert "intussen opnieuw beoordeeld" in answer.text
    assert eva.post("/call/finish", page=page).status_code == 409
    assert not [*team.rows(Judgement), *team.rows(Finished)]


def test_finishing_accepts_what_nobody_answered_and_keeps_the_score(team: Team) -> None:
    bram, eva = team("bram"), team("eva")
    bram.post("/call/judge", criterion=MET, answer="not_met", reason="rule_too_loose")
    eva.post("/call/judge", criterion="empathy", answer="accept")
    assert eva.post("/call/finish").status_code == 303
    rows = team.rows(Judgement)
    result = team.desk.read(FIRST)
    assert result
    assert {row.how for row in rows[2:]} == {"rest"}
    assert {row.criterion for row in rows} == {row.criterion for row in result.criteria}
    assert len(rows) == len(result.criteria)  # a colleague's answer stands
    (finished,) = team.rows(Finished)
    assert finished.items["opening"] == "not_met"
    assert finished.normalized_score is not None
    assert finished.sample_id is None
    assert team.desk.reviews.states([FIRST])[FIRST] == "reviewed"
    assert team.desk.read(FIRST) == result  # the machine's values stand as they were
    assert "afgerond door eva" in bram.call()


def test_two_reviewers_are_both_kept_and_see_each_other(team: Team) -> None:
    team("bram").post("/call/judge", criterion=MET, answer="accept")
    team("tess").post("/call/judge", criterion=MET, answer="not_met", reason="wrong_speaker")
    assert [row.answer for row in team.rows(Judgement)] == ["met", "not_met"]
    assert '<span class="label">tess</span>' in team("bram").call()
    assert '<span class="label">bram</span>' in team("tess").call()


def test_an_answer_by_htmx_is_the_card_and_what_hangs_on_it(team: Team) -> None:
    eva = team("eva")
    page = eva.call()
    fields = {"csrf": eva.field(page, "csrf"), "token": "a-token-of-ours", "id": FIRST, "criterion": MET}
    fields |= {"answer": "not_met", "mark": eva.field(page, "mark")}
    refused = eva.client.post("/call/judge", data=fields, headers={"HX-Request": "true"})
    assert refused.status_code == 200
    assert 'data-error="yes"' in refused.text
    kept = eva.client.post("/call/judge", data=fields | {"reason": "other"}, headers={"HX-Request": "true"})
    assert f'id="c-{MET}"' in kept.text
    assert '<html' not in kept.text
    assert re.search(r'id="s-opening" hx-swap-oob="true"><span class="status not_met"', kept.text)
    assert "1 van" in kept.text


def draw(team: Team, *call_ids: str, is_blind: bool = True) -> int:
    return team.desk.reviews.draw(team.id_of("eva"), "kalibratie 1", "chosen", call_ids, 1, is_blind=is_blind)


def test_a_blind_page_tells_nothing_of_the_machine_or_of_others(team: Team) -> None:
    team("tess").post("/call/judge", criterion=MET, answer="not_met", reason="other", note="let op")
    team("tess").post("/call/contest", note="oneens")
    sample = draw(team, FIRST)
    team("tess").post("/call/judge", criterion=MET, answer="unclear", sample=sample)
    page = team("bram").call(sample=sample)
    for told in ("kans ", "class=\"machine\"", "class=\"hear\"", "tess", "let op", "oneens", "score ", "accept",
                 'id="promises"', "/call/swap", "openbare", "event dead_air", 'class="status'):  # fmt: skip
        assert told not in page, told
    assert "Om welke straat gaat het?" in re.sub(r"<[^>]+>", "", page).replace("  ", " ")


def test_blind_answers_belong_to_their_sample_alone(team: Team) -> None:
    sample = draw(team, FIRST, SECOND)
    bram = team("bram")
    assert bram.post("/call/judge", criterion=MET, answer="not_met", sample=sample).status_code == 303
    assert bram.post("/call/judge", criterion=MET, answer="accept", sample=sample).status_code == 404
    (row,) = team.rows(Judgement)
    assert (row.how, row.sample_id, row.reason) == ("blind", sample, None)
    assert team.desk.reviews.answers(FIRST) == []
    assert bram.post("/call/promise", sample=sample, index="0", kind="callback", action="keep").status_code == 404
    assert bram.post("/call/swap", sample=sample).status_code == 404


def test_a_blind_card_is_finished_once_all_that_counts_is_answered(team: Team) -> None:
    sample = draw(team, FIRST, SECOND)
    bram = team("bram")
    assert bram.post("/call/finish", sample=sample).status_code == 422
    needed = re.findall(r'id="c-(\w+)"[^>]*>\s*<h4[^>]*>[^<]*<span class="must"', bram.call(sample=sample))
    assert MET in needed
    assert DOUBTED not in needed
    for criterion in needed:
        answer = "not_met" if criterion == MET else "met"
        bram.post("/call/judge", criterion=criterion, answer=answer, sample=sample)
    answer = bram.post("/call/finish", sample=sample, onward="1")
    assert answer.headers["location"].startswith("/call/next?")
    (finished,) = team.rows(Finished)
    assert finished.sample_id == sample
    assert finished.items["opening"] == "not_met"
    assert team.desk.reviews.states([FIRST])[FIRST] == "machine"


def test_a_reviewer_does_not_get_round_a_blind_sample(team: Team) -> None:
    sample = draw(team, SECOND)
    assert team("bram").get("/call", id=SECOND).headers["location"] == f"/call?id={SECOND}&sample={sample}"
    assert 'class="machine"' in team("eva").call(SECOND)  # who draws samples and settles them
    team.desk.reviews.finish(team.id_of("bram"), SECOND, {}, None, "a-token", sample)
    assert 'class="machine"' in team("bram").call(SECOND)
    assert team("tess").get("/call", id=SECOND).status_code == 303


def test_a_closed_sample_is_blind_no_more(team: Team) -> None:
    sample = draw(team, FIRST)
    with team.desk.reviews.saving() as orm:
        orm.get_one(Sample, sample).closed_at = datetime.now(UTC)
    assert 'class="machine"' in team("bram").call(sample=sample)


def test_next_is_the_next_of_the_sample(team: Team) -> None:
    sample = draw(team, THIRD, FIRST, SECOND, is_blind=False)
    assert team("eva").get("/call/next", id=THIRD, sample=sample).headers["location"] == (
        f"/call?id={quote(FIRST, safe='').replace('%20', '+')}&sample={sample}"
    )
    team("bram").post("/call/finish", FIRST, sample=sample)
    location = team("eva").get("/call/next", id=THIRD, sample=sample).headers["location"]
    assert location == f"/call?id={SECOND}&sample={sample}"


def test_next_without_a_sample_is_the_next_unreviewed_call_newest_first(team: Team) -> None:
    eva = team("eva")
    assert eva.get("/call/next", id=THIRD).headers["location"] == f"/call?id={SECOND}"
    assert eva.get("/call/next", id=FIRST).headers["location"] == f"/call?id={THIRD}"
    eva.post("/call/finish", THIRD)
    eva.post("/call/finish", SECOND)
    assert "alles is beoordeeld" in eva.get("/call/next", id=FIRST).text


def test_next_goes_on_to_a_sensitive_call_from_a_sensitive_one_alone(team: Team) -> None:
    folder = Path(team.desk.config.review.recordings)
    store = opened(team.desk.output, team.desk.config)
    made = []
    for number, day in ((4, 8), (5, 9)):
        path = folder / f"{number}.wav"
        path.write_bytes((folder / "mono.wav").read_bytes() + b"\0" * number)
        one = review_call(team.desk.config, team.desk.files.criteria, f"gesprek-{number}", day, path, layout="mono")
        made.append(replace(one, call=replace(one.call, topic_sensitive=True)))
    store.publish(made, "r2")
    store.close()
    team.desk.refresh()
    assert team("eva").get("/call/next", id=FIRST).headers["location"] == f"/call?id={THIRD}"
    assert team("eva").get("/call/next", id="gesprek-5").headers["location"] == "/call?id=gesprek-4"


def test_promises_are_confirmed_corrected_rejected_and_added(team: Team) -> None:
    eva = team("eva")
    due = re.search(r'type="datetime-local" name="due" value="([^"]+)"', eva.call())
    assert due
    keep = {"index": "0", "kind": "callback", "action": "keep", "due": due[1]}
    eva.post("/call/promise", **keep, registered="yes")
    eva.post("/call/promise", **(keep | {"kind": "action", "due": "2026-12-01T12:00"}), kept="no", note="volgens Piet")
    eva.post("/call/promise", **(keep | {"action": "reject"}))
    eva.post("/call/promise", index="", moment="0:31", kind="visit", action="keep")
    confirmed, corrected, rejected, missed = team.rows(PromiseJudgement)
    assert (confirmed.answer, confirmed.registered, confirmed.kept) == ("confirmed", True, None)
    assert (corrected.answer, corrected.type, corrected.kept) == ("corrected", "action", False)
    assert corrected.due_at.isoformat() == "2026-12-01T11:00:00+00:00"
    assert corrected.note == "volgens [NAME]"
    assert (rejected.answer, rejected.promise_index) == ("rejected", 0)
    assert (missed.answer, missed.promise_index, missed.start_ms, missed.type) == ("missed", None, 31_000, "visit")
    page = eva.call()
    assert "geen toezegging" in page
    assert "toegevoegd" in page
    for wrong in ({"moment": "9:99:99"}, {"moment": "99:00"}, {"moment": ""}, {"moment": "0:10", "due": "morgen"}):
        answer = eva.post("/call/promise", index="", kind="visit", action="keep", **wrong)
        assert answer.status_code == 422
    assert eva.post("/call/promise", index="7", kind="visit", action="keep").status_code == 422
    assert len(team.rows(PromiseJudgement)) == 4


def test_a_contest_is_noted_shown_and_settled_by_the_lead_alone(team: Team) -> None:
    bram, eva = team("bram"), team("eva")
    assert bram.post("/call/contest", note="  ").status_code == 422
    assert bram.post("/call/contest", criterion="empathy", note="Dat zei Piet wel.").status_code == 303
    (row,) = team.rows(Contest)
    assert (row.criterion, row.note) == ("empathy", "Dat zei [NAME] wel.")
    assert "state-contested" in eva.call()
    assert bram.post("/call/settle", contest_id=row.id, outcome="upheld").status_code == 404
    assert eva.post("/call/settle", SECOND, contest_id=row.id, outcome="upheld").status_code == 404
    assert eva.post("/call/settle", contest_id=row.id, outcome="upheld").status_code == 303
    assert "gegrond" in eva.call()
    assert "state-contested" not in eva.call()


def test_swapping_scores_the_call_anew_and_says_so(team: Team) -> None:
    eva = team("eva")
    assert "omgewisseld" not in eva.call()
    assert eva.post("/call/swap").status_code == 303
    result = team.desk.read(FIRST)
    assert result
    assert result.turns[1].role == "citizen"
    assert len(result.score_history) == 1
    page = eva.call()
    assert "omgewisseld" in page
    assert len(team.rows(RoleSwap)) == 1
    assert eva.get("/call/peaks", id=FIRST).json()["sides"] == ["citizen", "agent"]


def test_a_swap_while_a_run_is_busy_changes_nothing_and_says_so(team: Team) -> None:
    busy = opened(team.desk.output, team.desk.config)
    answer = team("eva").post("/call/swap")
    busy.close()
    assert answer.status_code == 503
    assert "Niet omgewisseld" in answer.text
    assert not team.rows(RoleSwap)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Team]]:
    """A call of the agent ag-1 and one of somebody else; whether the works council agreed is the test's."""
    made = []

    def make(**consent: Any) -> Team:
        config = changed(load_config(), "privacy", **consent)
        criteria, path = load_files(config).criteria, write_recording(tmp_path / "a.wav")
        calls = [review_call(config, criteria, one, 0, path) for one in (FIRST, SECOND)]
        refs = ("ag-1", "ag-2")
        calls = [replace(c, call=replace(c.call, agent_ref=r)) for c, r in zip(calls, refs, strict=True)]
        made.append(Team(config, publish(tmp_path / "out", calls, config=config)))
        add_user(made[0].desk.reviews, "bram", None, "reviewer")
        add_user(made[0].desk.reviews, "ayla", None, "agent", "ag-1")
        return made[0]

    yield make
    made[0].desk.close()


def test_agents_see_their_own_calls_once_the_works_council_agreed(own: Callable[..., Team]) -> None:
    team = own(or_consent_ref="OR 2026-3", or_consent_date=date(2026, 1, 1))
    team("bram").post("/call/judge", criterion=MET, answer="not_met", reason="other", note="slordig")
    page = team("ayla").call()
    for hidden in ("bram", "slordig", "/call/judge", "/call/finish", "/call/swap", "/call/promise"):
        assert hidden not in page, hidden
    assert "niet voldaan" in page
    assert team("ayla").get("/call", id=SECOND).status_code == 404
    assert team("ayla").post("/call/contest", note="Ik ben het er niet mee eens.").status_code == 303
    assert team("ayla").post("/call/judge", criterion=MET, answer="accept").status_code == 404
    assert len(team.rows(Contest)) == 1
    assert "alles is beoordeeld" in team("ayla").get("/call/next", id=FIRST).text


def test_agents_see_nothing_before_the_works_council_agreed(own: Callable[..., Team]) -> None:
    assert own()("ayla").get("/call", id=FIRST).status_code == 404


def test_sound_comes_in_parts_and_is_not_stored_on_the_way(team: Team) -> None:
    eva = team("eva")
    whole = eva.get("/call/sound", id=FIRST)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.headers["cache-control"] == "no-store"
    url = f"/call/sound?{urlencode({'id': FIRST})}"
    part = eva.client.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert eva.client.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416


def test_without_a_recording_there_is_text_alone_and_it_says_why(team: Team) -> None:
    folder = Path(team.desk.config.review.recordings)
    (folder / "stereo.wav").unlink()
    page = team("eva").call()
    assert "de opname staat niet in de map" in page
    assert "<audio" not in page
    assert team("eva").get("/call/sound", id=FIRST).status_code == 404
    assert "<audio" in team("eva").call(SECOND)


def test_a_call_whose_words_are_purged_still_shows_its_scores(team: Team) -> None:
    store = opened(team.desk.output, team.desk.config)
    store.erase([], [FIRST])
    store.close()
    team.desk.refresh()
    page = team("eva").call()
    assert "na de bewaartermijn verwijderd" in page
    assert 'class="machine"' in page
    assert "/call/swap" not in page


def test_every_criterion_stands_on_the_page_once(team: Team) -> None:
    result = team.desk.read(FIRST)
    assert result
    groups = group_criteria(result, team.desk.files.criteria, team.desk.config.scorecard, [], {}, 1, {})
    shown = [one.id for group in groups for one in group.criteria]
    assert sorted(shown) == sorted(row.criterion for row in result.criteria)


def test_all_texts_of_the_page_exist_in_both_languages(team: Team) -> None:
    """A template that names a text which is not there would fail only when somebody comes along."""
    folder = PACKAGE / "review" / "templates"
    named = {
        key
        for path in folder.glob("call*.html")
        for key in re.findall(r"say\(['\"](\w+)['\"]\s*[,)]", path.read_text())
    }
    assert named - texts_of("review").keys() == set()
    assert all({"nl", "en"} <= text.keys() for key, text in texts_of("review").items() if key.startswith("call_"))
    with team.desk.reviews.saving() as orm:
        for user in orm.scalars(select(User)):
            user.lang = "en"
    assert "What was said" in team("eva").call()
    assert "Wat er" not in team("eva").call()
