"""The review store, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import io
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import IntegrityError

from callanalytics.cli.main import main
from callanalytics.config import Config, load_config
from callanalytics.errors import StoreError, UserError
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import Rights
from callanalytics.report.privacy import privacy_report
from callanalytics.store.datasets import Store
from callanalytics.store.reviews import people, reviews
from callanalytics.store.reviews.index import measure_uncertainty, refresh
from callanalytics.store.reviews.people import (
    RIGHTS,
    add_user,
    change_user,
    log_in,
    log_in_by_proxy,
    log_out,
    person_of,
)
from callanalytics.store.reviews.reviews import FILE, Reviews, Said, SaidOfPromise, confirmed, corrected, open_reviews
from callanalytics.store.reviews.tables import (
    Attempt,
    Finished,
    IndexedCall,
    IndexedCriterion,
    Judgement,
    PromiseJudgement,
    Session,
    Table,
    User,
    arrow_schemas,
)
from tests.support.centre import SECRET, TODAY, fill, marked, traces
from tests.support.databases import new_database, postgres, why_no_postgres
from tests.support.fakes import CRITERIA, ITEMS, call_result
from tests.support.paths import ROOT

PASSWORD = "een lang wachtwoord"
CALL = call_result("a1")
FIRST, SECOND = CRITERIA[:2]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLANALYTICS_KEY", "a key of twenty signs")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if why_no_postgres():
        pytest.skip(str(why_no_postgres()))
    # A socket's path is 107 characters at most, and others than its owner must reach it.
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        with postgres(Path(folder) / "s") as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    """The configuration for a database of either kind, empty."""
    url = new_database(request.getfixturevalue("server")) if request.param == "postgresql" else ""
    return config.model_copy(update={"review": config.review.model_copy(update={"database": url})})


@pytest.fixture
def store(settings: Config, tmp_path: Path) -> Iterator[Reviews]:
    opened = open_reviews(settings, tmp_path)
    for name, role in (("eva", "reviewer"), ("bram", "lead")):
        add_user(opened, name, PASSWORD, role)
    yield opened
    opened.close()


def count(store: Reviews, table: type[Table]) -> int:
    with store.reading() as orm:
        return orm.scalar(select(func.count()).select_from(table)) or 0


# --- schema ---------------------------------------------------------------------------------------------------------


def test_migrations_make_what_the_tables_say(store: Reviews) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_opening_again_and_at_once_is_harmless(settings: Config, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_reviews(settings, tmp_path), range(4)))
    add_user(opened[0], "eva", PASSWORD, "reviewer")
    assert [user.name for user in people.users(opened[3])] == ["eva"]
    for one in opened:
        one.close()


def test_the_file_is_its_owners_alone(config: Config, tmp_path: Path) -> None:
    open_reviews(config, tmp_path).close()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_database_that_is_away_is_told_without_its_password(config: Config, tmp_path: Path) -> None:
    url = "postgresql+psycopg://kcc:geheim@127.0.0.1:1/kcc"
    away = config.model_copy(update={"review": config.review.model_copy(update={"database": url})})
    with pytest.raises(StoreError, match="can't be opened") as caught:
        open_reviews(away, tmp_path)
    assert "geheim" not in str(caught.value)


def test_every_table_with_calls_is_reached_by_forgetting() -> None:
    with_calls = {t.name for t in Table.metadata.sorted_tables if "call_id" in t.columns}
    assert with_calls == {table.__tablename__ for table in reviews.EVERYWHERE}


# --- what people say ------------------------------------------------------------------------------------------------


def test_the_machines_verdict_stands_beside_a_correction(store: Reviews) -> None:
    machine = CALL.criteria[0]
    assert store.judge(1, CALL, [Said(machine.criterion, "not_met", "wrong_speaker", "hoort bij beller")], "t1")
    (row,) = store.answers("a1")
    assert (row.machine_status, row.machine_probability) == (machine.status, machine.probability)
    assert (row.answer, row.reason, row.note, row.how) == ("not_met", "wrong_speaker", "hoort bij beller", "single")


def test_a_save_that_comes_twice_is_kept_once(store: Reviews) -> None:
    said = [Said(FIRST, "met"), Said(SECOND, "not_met", "other")]
    assert store.judge(1, CALL, said, "t1")
    assert not store.judge(1, CALL, said, "t1")
    assert count(store, Judgement) == 2
    assert store.finish(1, "a1", {"opening": "met"}, 1.0, "t2")
    assert not store.finish(1, "a1", {"opening": "met"}, 1.0, "t2")
    assert count(store, Finished) == 1


def test_a_save_of_somebody_unknown_is_no_known_save(store: Reviews) -> None:
    if store._engine.dialect.name == "sqlite":
        with store.reading() as orm:
            assert orm.scalar(select(func.count()).select_from(User)) == 2
    with pytest.raises(IntegrityError):
        store.judge(99, CALL, [Said(FIRST, "met")], "t1")
    assert count(store, Judgement) == 0


def test_a_changed_mind_is_added_and_counts(store: Reviews) -> None:
    store.judge(1, CALL, [Said(FIRST, "met")], "t1")
    store.judge(1, CALL, [Said(FIRST, "not_met", "rule_too_loose")], "t2")
    assert [row.answer for row in store.answers("a1")] == ["not_met"]
    assert count(store, Judgement) == 2


def test_two_people_on_one_call_are_both_kept(store: Reviews) -> None:
    def save(user_id: int) -> None:
        for number in range(25):
            answer = "met" if user_id == 1 else "not_met"
            assert store.judge(user_id, CALL, [Said(FIRST, answer)], f"{user_id}-{number}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(save, (1, 2)))
    assert count(store, Judgement) == 50
    assert {(row.user_id, row.answer) for row in store.answers("a1")} == {(1, "met"), (2, "not_met")}


def test_blind_answers_stay_apart(store: Reviews) -> None:
    sample = store.draw(2, "ronde 1", "random", ["a1"], seed=3, is_blind=True)
    store.judge(1, CALL, [Said(FIRST, "met")], "t1", "blind", sample)
    assert store.answers("a1") == []
    assert [row.answer for row in store.answers("a1", sample)] == ["met"]
    store.finish(1, "a1", {}, None, "t2", sample)
    assert store.states(["a1"]) == {"a1": "machine"}


def test_a_call_goes_from_machine_to_reviewed_to_contested_and_back(store: Reviews) -> None:
    assert store.states(["a1", "a2"]) == {"a1": "machine", "a2": "machine"}
    store.finish(1, "a1", {"opening": "met"}, 0.5, "t1")
    assert store.states(["a1"]) == {"a1": "reviewed"}
    store.contest(1, "a1", FIRST, "de begroeting was er wel", "t2")
    assert store.states(["a1"]) == {"a1": "contested"}
    assert store.settle(2, 1, "upheld")
    assert not store.settle(2, 1, "declined")
    assert store.states(["a1"]) == {"a1": "reviewed"}


def test_people_take_the_machines_place_on_a_card(store: Reviews) -> None:
    store.judge(1, CALL, [Said(FIRST, "not_applicable", "other"), Said(SECOND, "unclear", "other")], "t1")
    rows = {row.criterion: row for row in corrected(CALL, store.answers("a1"), ())}
    assert (rows[FIRST].status, rows[FIRST].applicable) == ("not_applicable", False)
    assert rows[SECOND].status == "uncertain"


@pytest.mark.parametrize(("is_undesired", "is_found"), [(False, True), (True, False)])
def test_met_means_found_but_for_what_is_not_desired(store: Reviews, is_undesired: bool, is_found: bool) -> None:
    store.judge(1, CALL, [Said(SECOND, "met", "other")], "t1")
    store.judge(1, CALL, [Said(FIRST, "not_met", "other")], "t2")
    both = (FIRST, SECOND) if is_undesired else ()
    rows = {row.criterion: row for row in corrected(CALL, store.answers("a1"), both)}
    assert rows[FIRST].detected is not is_found
    machine = {row.criterion: row for row in CALL.criteria}
    if machine[SECOND].status != "met":
        assert rows[SECOND].detected is is_found


def test_a_rejected_promise_leaves_the_register(store: Reviews) -> None:
    (promise,) = CALL.promises[:1]
    due = datetime(2026, 11, 20, 16, tzinfo=UTC)
    changed = SaidOfPromise(promise.promise_index, promise.start_ms, "corrected", "visit", due)
    store.judge_promise(1, "a1", changed, "t1")
    with store.reading() as orm:
        said = list(orm.scalars(select(PromiseJudgement)))
    assert [(one.type, one.due_at) for one in confirmed(CALL.promises, said)][:1] == [("visit", due)]
    gone = SaidOfPromise(promise.promise_index, promise.start_ms, "rejected", promise.type)
    store.judge_promise(2, "a1", gone, "t2")
    with store.reading() as orm:
        said = list(orm.scalars(select(PromiseJudgement)))
    assert promise.start_ms not in [one.start_ms for one in confirmed(CALL.promises, said)]


def test_the_log_of_actions_is_closed_once(store: Reviews) -> None:
    assert store.plan(2, "elke dag één opening voorlezen", "opening +10 %", "opening", date(2026, 11, 2), "t1")
    assert not store.plan(2, "dezelfde", "", "opening", date(2026, 11, 2), "t1")
    assert store.conclude(1, "werkte")
    assert not store.conclude(1, "toch niet")


def test_analysts_get_numbers_for_persons_and_no_notes(store: Reviews) -> None:
    store.judge(1, CALL, [Said(FIRST, "met", None, "vertrouwelijk")], "t1")
    store.draw(2, "week 47", "random", ["a1"], seed=3, filters={"queue": "afval"})
    tables = store.as_arrow()
    assert tables.keys() == arrow_schemas().keys()
    assert "users" not in tables
    assert "vertrouwelijk" not in repr([table.to_pylist() for table in tables.values()])
    assert tables["judgements"].to_pylist()[0]["user_id"] == 1
    assert tables["samples"].to_pylist()[0]["filters"] == '{"queue": "afval"}'


# --- a server that dies ---------------------------------------------------------------------------------------------

SAVER = """
import sys
from pathlib import Path
from callanalytics.config import load_config
from callanalytics.store.reviews.reviews import Said, open_reviews
sys.path.insert(0, {tests!r})
from tests.support.fakes import CRITERIA, call_result
config = load_config()
config = config.model_copy(update={{"review": config.review.model_copy(update={{"database": {url!r}}})}})
store, call = open_reviews(config, Path({folder!r})), call_result("a1")
print("ready", flush=True)
for line in sys.stdin:
    token = line.strip()
    store.judge(1, call, [Said(one, "met") for one in CRITERIA], token)
    print(token, flush=True)
"""


def test_a_server_killed_while_it_saves_loses_and_doubles_nothing(settings: Config, tmp_path: Path) -> None:
    store = open_reviews(settings, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    chance = random.Random(20261128)
    script = SAVER.format(tests=str(ROOT), url=settings.review.database, folder=str(tmp_path))
    sent, confirmed_tokens = 0, set()
    for _ in range(int(os.environ.get("KILLS", "20")) // 4):
        server = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdin
        assert server.stdout
        assert server.stdout.readline().strip() == "ready"
        # Every save is sent twice, as a page does that got no answer.
        tokens = [f"t{sent + i // 2}" for i in range(400)]
        server.stdin.write("\n".join(tokens) + "\n")
        server.stdin.flush()
        time.sleep(chance.uniform(0.02, 0.3))
        server.send_signal(signal.SIGKILL)
        confirmed_tokens |= {line.strip() for line in server.stdout if line.endswith("\n")}
        server.wait()
        sent += 200
    with store.reading() as orm:
        found = orm.execute(select(Judgement.token, func.count()).group_by(Judgement.token)).all()
    saved = dict((token, n) for token, n in found)
    assert confirmed_tokens
    assert confirmed_tokens <= saved.keys(), "a save that was answered is lost"
    assert set(saved.values()) == {len(CRITERIA)}, "a save is there half, or twice"
    store.close()


# --- people ---------------------------------------------------------------------------------------------------------


def test_the_right_password_begins_a_session_that_ends(store: Reviews) -> None:
    token = log_in(store, "eva", PASSWORD, "10.0.0.1")
    assert token
    person = person_of(store, token, 8)
    assert person
    assert (person.name, person.role) == ("eva", "reviewer")
    assert person_of(store, token, 0) is None
    log_out(store, token)
    assert person_of(store, token, 8) is None


def test_neither_password_nor_token_lies_in_the_store(config: Config, tmp_path: Path) -> None:
    store = open_reviews(config, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    token = log_in(store, "eva", PASSWORD, "10.0.0.1")
    assert token
    store.close()
    content = (tmp_path / FILE).read_bytes()
    assert PASSWORD.encode() not in content
    assert token.encode() not in content


@pytest.mark.parametrize("name", ["eva", "nobody-here"])
def test_after_five_wrong_tries_the_right_one_is_refused_too(store: Reviews, name: str) -> None:
    for _ in range(people.TRIES):
        assert log_in(store, name, "fout", "10.0.0.1") is None
    assert log_in(store, name, PASSWORD, "10.0.0.2") is None
    assert count(store, Attempt) == 2 * people.TRIES


def test_tries_are_forgiven_in_time(store: Reviews, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(people.TRIES):
        log_in(store, "eva", "fout", "10.0.0.1")
    monkeypatch.setattr(people, "TRIES_WINDOW", timedelta(0))
    assert log_in(store, "eva", PASSWORD, "10.0.0.1")


def test_one_place_that_tries_many_names_is_stopped(store: Reviews, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "TRIES", 1)
    for number in range(10):
        log_in(store, f"naam{number}", "fout", "10.0.0.1")
    assert log_in(store, "eva", PASSWORD, "10.0.0.1") is None
    assert log_in(store, "eva", PASSWORD, "10.0.0.2")


def test_who_is_shut_out_is_out_at_once(store: Reviews) -> None:
    token = log_in(store, "eva", PASSWORD, "x")
    assert token
    change_user(store, "eva", is_disabled=True)
    assert person_of(store, token, 8) is None
    assert log_in(store, "eva", PASSWORD, "x") is None
    assert log_in_by_proxy(store, "eva") is None
    change_user(store, "eva", is_disabled=False)
    assert log_in(store, "eva", PASSWORD, "x")


def test_a_new_password_ends_old_sessions(store: Reviews) -> None:
    token = log_in(store, "eva", PASSWORD, "x")
    change_user(store, "eva", password="een ander wachtwoord")
    assert token
    assert person_of(store, token, 8) is None
    assert log_in(store, "eva", PASSWORD, "x") is None
    assert log_in(store, "eva", "een ander wachtwoord", "x")
    assert count(store, Session) == 1


def test_a_proxy_lets_in_whom_we_know(store: Reviews) -> None:
    token = log_in_by_proxy(store, "bram")
    assert token
    person = person_of(store, token, 8)
    assert person
    assert person.role == "lead"
    assert log_in_by_proxy(store, "vreemd") is None


@pytest.mark.parametrize(
    ("name", "password", "role", "agent_ref"),
    [
        ("eva", PASSWORD, "reviewer", None),
        ("met spatie", PASSWORD, "reviewer", None),
        ("kort", "te kort", "reviewer", None),
        ("zonder", PASSWORD, "agent", None),
        ("teveel", PASSWORD, "lead", "ab12"),
    ],
)
def test_an_odd_user_is_refused(store: Reviews, name: str, password: str, role: str, agent_ref: str | None) -> None:
    with pytest.raises(UserError):
        add_user(store, name, password, role, agent_ref)  # type: ignore[arg-type]
    assert count(store, User) == 2


def test_who_gives_rights_and_who_guards_the_law_see_no_calls() -> None:
    for role in ("admin", "privacy_officer"):
        assert not RIGHTS[role] & {"see", "judge"}
    assert RIGHTS["agent"] == {"see", "contest"}


# --- the index ------------------------------------------------------------------------------------------------------


def opened(root: Path) -> Store:
    store = Store(root, CRITERIA, ITEMS)
    store.open()
    return store


def indexed(store: Reviews) -> dict[str, IndexedCall]:
    with store.reading() as orm:
        return {row.call_id: row for row in orm.scalars(select(IndexedCall))}


def test_the_index_follows_out(store: Reviews, tmp_path: Path) -> None:
    out = opened(tmp_path / "out")
    out.publish([marked("a1"), marked("a2", days=1)], "part-0")
    assert refresh(store, out) == 2
    assert refresh(store, out) == 0
    before = indexed(store)
    assert before.keys() == {"a1", "a2"}
    assert count(store, IndexedCriterion) == 2 * len(CRITERIA)
    out.publish([marked("a1", topic="afval"), marked("a3")], "part-1")
    refresh(store, out)
    after = indexed(store)
    assert after.keys() == {"a1", "a2", "a3"}
    assert (after["a1"].topic, after["a1"].part) != (before["a1"].topic, before["a1"].part)
    out.compact()
    refresh(store, out)
    assert indexed(store).keys() == {"a1", "a2", "a3"}
    out.erase(["a3"])
    refresh(store, out)
    assert indexed(store).keys() == {"a1", "a2"}
    for call_id, row in indexed(store).items():
        found = out.read_call(call_id, row.part)
        assert found
        assert found.call.call_id == call_id
        assert len(found.turns) == 2
    out.close()


def test_a_call_is_read_from_its_own_part_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = opened(tmp_path / "out")
    for number in range(20):
        out.publish([marked(f"a{number}"), marked(f"b{number}", days=number)], f"part-{number}")
    part = next(part for part in out.marks() if out.rows_of(part)[0]["call_id"] == "a7")
    read: list[str] = []
    original = pq.read_table

    def counted(path: Path, *given: object, **named: object) -> object:
        read.append(str(path))
        return original(path, *given, **named)

    monkeypatch.setattr(pq, "read_table", counted)
    found = out.read_call("a7", part)
    assert found
    assert len(found.criteria) == len(CRITERIA)
    assert 2 <= len(read) <= 6, "one file of each dataset, whatever OUT holds"
    assert all(path.endswith(part) for path in read)
    out.close()


def test_uncertainty_is_greatest_at_a_half() -> None:
    assert measure_uncertainty([0.5, 0.5]) == 1
    assert measure_uncertainty([0.0, 1.0]) == 0
    assert measure_uncertainty([]) == 0


# --- what has to go -------------------------------------------------------------------------------------------------


def say_much(store: Reviews, call_id: str) -> None:
    call = call_result(call_id)
    store.judge(1, call, [Said(FIRST, "not_met", "other", f"notitie over {call_id}")], f"j{call_id}")
    store.finish(1, call_id, {"opening": "met"}, 0.5, f"f{call_id}")
    store.contest(1, call_id, None, f"bezwaar over {call_id}", f"c{call_id}")
    store.judge_promise(1, call_id, SaidOfPromise(0, 0, "confirmed", "callback", note=call_id), f"p{call_id}")
    store.swap_roles(1, call_id, f"s{call_id}")
    store.draw(1, "steekproef", "random", [call_id], seed=1)


def dump(store: Reviews) -> str:
    """All that stands in the database."""
    with store._engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return repr([connection.exec_driver_sql(f'SELECT * FROM "{name}"').all() for name in tables])


def test_an_erased_call_is_erased_from_the_reviews(settings: Config, tmp_path: Path) -> None:
    out = fill(tmp_path)
    store = open_reviews(settings, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    refresh(store, out)
    for call_id in (SECRET, "a1"):
        say_much(store, call_id)
    assert SECRET in dump(store)
    Rights(out, settings).erase(SECRET, "op verzoek")
    assert SECRET not in dump(store)
    assert "a1" in store.call_ids()
    store.close()
    assert traces(tmp_path, SECRET) == []
    out.close()


def test_an_erasure_that_was_killed_is_finished_at_the_next_start(settings: Config, tmp_path: Path) -> None:
    out = fill(tmp_path)
    store = open_reviews(settings, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    say_much(store, SECRET)
    Ledger(out.place, Pseudonyms(settings.privacy)).add("erase", [(SECRET, None)], "op verzoek")
    Rights(out, settings).settle()
    assert SECRET not in dump(store)
    store.close()
    assert traces(tmp_path, SECRET) == []
    out.close()


def test_reviews_have_a_term_of_their_own_and_holds_keep_them(settings: Config, tmp_path: Path) -> None:
    out = fill(tmp_path)
    store = open_reviews(settings, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    for call_id in ("a1", "a2"):
        say_much(store, call_id)
    terms = settings.retention.model_copy(update={"reviews_days": 10})
    short = settings.model_copy(update={"retention": terms})
    rights = Rights(out, short)
    rights.hold("a2", "klacht")
    assert rights.purge(TODAY).reviews == []
    later = (datetime.now(UTC) + timedelta(days=12)).date()
    assert rights.purge(later).reviews == ["a1"]
    assert store.answers("a1") == []
    assert store.answers("a2") != []
    actions = [entry.action for entry in Ledger(out.place, Pseudonyms(settings.privacy)).entries()]
    assert actions.count("purge_reviews") == 1
    store.close()
    out.close()


def test_notes_go_with_the_words_of_the_call(settings: Config, tmp_path: Path) -> None:
    out = opened(tmp_path)
    out.publish([marked("old", days=100), marked("new")], "part-0")
    store = open_reviews(settings, tmp_path)
    add_user(store, "eva", PASSWORD, "reviewer")
    for call_id in ("old", "new"):
        say_much(store, call_id)
    Rights(out, settings).purge(TODAY)
    assert "notitie over old" not in dump(store)
    assert "bezwaar over old" not in dump(store)
    assert "notitie over new" in dump(store)
    assert [row.answer for row in store.answers("old")] == ["not_met"]
    store.close()
    out.close()


def test_the_privacy_report_tells_of_the_reviews(settings: Config, tmp_path: Path) -> None:
    out = fill(tmp_path)
    store = open_reviews(settings, tmp_path)
    add_user(store, "quirijn", PASSWORD, "reviewer")
    say_much(store, "a1")
    privacy = settings.privacy.model_copy(update={"legal_basis": "AVG art. 6"})
    report = privacy_report(out, settings.model_copy(update={"privacy": privacy}))
    assert "In de reviewapp (1 oordelen over gesprekken): beoordelaar 1." in report
    assert "open: 1." in report
    assert "quirijn" not in report
    store.close()
    out.close()


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path).close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["review", str(tmp_path), "--port", port]) == 2
    told = capsys.readouterr().err
    assert f"poort {port}" in told
    assert "kies een andere --port" in told


def test_printed_settings_hold_no_password_of_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "kcc.toml"
    settings.write_text('[review]\ndatabase = "postgresql+psycopg://kcc:geheim@db.intern/kcc"\n')
    assert main(["--config", str(settings), "config"]) == 0
    told = capsys.readouterr().out
    assert "geheim" not in told
    assert "db.intern" in told


def test_users_are_made_shown_and_shut_out_by_command(
    tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path).close()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["review", str(tmp_path), "--add-user", "eva", "--role", "lead"]) == 0
    assert main(["review", str(tmp_path), "--users"]) == 0
    assert "teamleider" in capsys.readouterr().out
    assert main(["review", str(tmp_path), "--disable", "eva"]) == 0
    assert main(["review", str(tmp_path), "--enable", "niemand"]) == 2
    assert "niemand met die naam" in capsys.readouterr().err
    store = open_reviews(load_config(), tmp_path)
    assert log_in(store, "eva", PASSWORD, "x") is None
    store.close()
