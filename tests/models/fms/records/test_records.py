"""Persons and their screens in the database: kept, shared between processes, exported, and gone when removed."""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.fms.records import Grade, Records, RecordsError, default_path, schema
from fitmotion_models.fms.records.database import transaction
from fitmotion_models.fms.records.export import from_csv, from_json, read_tables, to_csv, to_json
from fitmotion_models.fms.screen import TESTS, ClearingTest, sides_to_do
from fitmotion_models.fms.values import Assessment, Criterion, Movement, Side, Variation, Verdict

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def assessment(movement=Movement.DEEP_SQUAT, side=Side.BOTH, score=2, repetition=1, **changes):
    criteria = (
        Criterion("femur_below_horizontal", 0.031, 0.02, "m", Verdict.NOT_MET, (1, 4), "go deeper"),
        Criterion("heels_down", math.inf, 0.03, "m", Verdict.NOT_SEEN, (), ""),
    )
    return Assessment(
        stamp=3.0, subject="Änne", movement=movement, variation=Variation(1), side=side, trial=1, repetition=repetition,
        score=score, reason='said "so", and\nmore', confidence=0.75, scorer="rules", criteria=criteria, start=1.0,
        end=3.0, **changes,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "persons.sqlite"


@pytest.fixture
def records(path):
    with Records(path) as records:
        yield records


@pytest.fixture
def anna(records):
    records.add_person("Änne", birth_year=1980, height_m=1.7, consent=True, today=date(2024, 5, 1))
    return records.start_session("Änne", measured_by="Ben", device="webcam", now=NOON)


def fill(records, session):
    for test in TESTS:
        for side in sides_to_do(test):
            records.add_assessment(session, assessment(test, side, score=3 if side is Side.RIGHT else 2))
    records.add_grade(session, Grade(Movement.DEEP_SQUAT, Side.BOTH, 1, "seen live", "Ben", NOON))
    records.set_pain(session, Movement.HURDLE_STEP, Side.LEFT)
    records.set_clearing(session, ClearingTest.ROCKING_FLEXION, pain=False)


def test_what_is_kept_comes_back(records, anna):
    fill(records, anna)
    records.set_clearing(anna, ClearingTest.ROCKING_FLEXION, pain=True)
    first = records.assessments(anna)[0]
    assert first.criteria[0] == assessment().criteria[0] and first.reason == assessment().reason
    assert math.isnan(first.criteria[1].value)
    result = records.screen(anna).result()
    # squat by grade 1; hurdle hurts 0; lunge, shoulder, leg raise, push-up lower side 2; rotary by clearing 0
    assert result.final == (1, 0, 2, 2, 2, 2, 0) and result.total == 9
    assert result.asymmetric == (False, True, True, True, True, False, False)
    assert records.screen(anna).measured(Movement.DEEP_SQUAT) == 2 and records.grades(anna)[0].graded_by == "Ben"
    records.set_pain(anna, Movement.HURDLE_STEP, Side.LEFT, pain=False)
    assert records.screen(anna).result().final[1] == 2
    assert records.sessions("änne") == [anna] and records.person("Änne").sessions == 1


def test_nothing_is_added_without_consent(records):
    records.add_person("P1")
    with pytest.raises(RecordsError, match="subjects consent P1"):
        records.start_session("P1", measured_by="Ben", device="webcam")
    assert records.set_consent("P1", True, today=date(2024, 5, 2)).consent_date == date(2024, 5, 2)
    records.start_session("P1", measured_by="Ben", device="webcam")
    records.set_consent("P1", False)
    with pytest.raises(RecordsError, match="has not agreed"):
        records.start_session("P1", measured_by="Ben", device="webcam")


def test_what_is_wrong_is_said(records, anna, tmp_path):
    records.add_assessment(anna, assessment())
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for call, said in [
        (lambda: records.add_person("A\u0308NNE"), "already"),
        (lambda: records.add_person(" "), "empty"),
        (lambda: records.add_person("P2", birth_year=1500), "between 1900"),
        (lambda: records.add_person("P2", height_m=170), "it can be 0.4 to 2.6 m"),
        (lambda: records.person("Otto"), "nobody is called 'Otto'"),
        (lambda: records.add_assessment(anna, assessment()), "is there already"),
        (lambda: records.add_grade(anna, Grade(Movement.DEEP_SQUAT, Side.BOTH, 2, " ", "Ben", NOON)), "a reason"),
        (lambda: records.set_pain(anna, Movement.DEEP_SQUAT, Side.LEFT), "no side LEFT"),
        (lambda: records.add_file(anna, tmp_path), "no folder of a run"),
        (lambda: records.add_file(anna, link), "is a link"),
    ]:
        with pytest.raises(ValueError, match=said):
            call()
    assert len(records.assessments(anna)) == 1 and [one.name for one in records.persons()] == ["Änne"]


def test_whoever_is_removed_leaves_nothing(records, anna, path, tmp_path):
    secret = "Geheimnis-4711"
    other = records.add_person("Otto", consent=True)
    kept = records.start_session("Otto", measured_by="Ben", device="webcam")
    fill(records, kept)
    for number in range(40):
        records.add_assessment(anna, assessment(repetition=number, learned_score=1, disagreement=True))
    records.add_grade(anna, Grade(Movement.DEEP_SQUAT, Side.BOTH, 1, secret, "Ben", NOON))
    run, lone = tmp_path / "run", tmp_path / "squat.mp4"
    run.mkdir()
    (run / "assessment.json").write_text("{}")
    lone.write_text("x")
    for one in (run, lone):
        records.add_file(anna, one)
    before = read_tables(records, other.name)
    removal = records.remove_person("Änne")
    assert set(removal.files) == {run, lone} and removal.wiped and not run.exists() and not lone.exists()
    assert read_tables(records) == before
    for file in path.parent.iterdir():
        assert secret.encode() not in file.read_bytes() and "Änne".encode() not in file.read_bytes()
    assert records.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_with_a_reader_the_traces_go_when_it_closes(records, anna, path):
    records.connection.execute("PRAGMA busy_timeout = 100")
    fill(records, anna)
    with Records(path) as reader:
        reader.connection.execute("BEGIN")
        assert len(reader.persons()) == 1
        assert not records.remove_person("Änne").wiped
        assert len(reader.persons()) == 1 and not records.persons()
        records.close()
        reader.connection.execute("COMMIT")
    assert [file.name for file in path.parent.iterdir() if "sqlite" in file.name] == [path.name]
    assert "Änne".encode() not in path.read_bytes()


def test_a_file_that_is_no_run_any_more_keeps_the_person(records, anna, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "assessment.json").write_text("{}")
    records.add_file(anna, run)
    (run / "assessment.json").rename(run / "holiday.jpg")
    with pytest.raises(RecordsError, match="Änne stays"):
        records.remove_person("Änne")
    assert (run / "holiday.jpg").exists() and records.person("Änne").sessions == 1


def test_export_and_back(records, anna, tmp_path):
    fill(records, anna)
    records.add_person("P2")
    for number, (give, take) in enumerate([(to_json, from_json), (csv_out, csv_in)]):
        given = give(records, tmp_path / "csv") if give is csv_out else give(records)
        with Records(tmp_path / f"other{number}.sqlite") as other:
            take(other, given)
            assert read_tables(other) == read_tables(records)
            before = read_tables(other)
            with pytest.raises(RecordsError, match="nothing was changed"):
                take(other, given)  # the names are taken
            assert read_tables(other) == before
    one = json.loads(to_json(records, "P2"))
    assert [person["name"] for person in one["person"]] == ["P2"] and one["repetition"] == []
    assert json.loads(to_json(records))["screens"][0]["asymmetric"][2] is True


def csv_out(records, folder):
    to_csv(records, folder)
    return folder


def csv_in(records, folder):
    from_csv(records, folder)


def test_other_ids_are_given_where_some_are_taken(records, anna, tmp_path):
    fill(records, anna)
    with Records(tmp_path / "other.sqlite") as other:
        other.add_person("Otto", consent=True)
        other.start_session("Otto", measured_by="Ben", device="webcam")
        from_json(other, to_json(records))
        (session,) = other.sessions("Änne")
        assert other.screen(session).result() == records.screen(anna).result()


def test_tables_are_brought_up_to_date_or_left_as_they_were(path, monkeypatch):
    with Records(path) as records:
        records.add_person("P1")
    first = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*first, ("ALTER TABLE person ADD COLUMN hand_m REAL", "nonsense")))
    with pytest.raises(RecordsError, match="cannot be used"):
        Records(path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*first, ("ALTER TABLE person ADD COLUMN hand_m REAL",)))
    with Records(path) as records:  # the failed one left no column behind
        assert read_tables(records)["person"][0]["hand_m"] is None
    monkeypatch.setattr(schema, "MIGRATIONS", first)
    with pytest.raises(RecordsError, match="use a newer one"):
        Records(path)


def test_other_files_are_refused_untouched(tmp_path):
    text, foreign = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    text.write_text("no database at all, but long enough to be read as a header of one" * 20)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    for file, said in ((text, "cannot be used"), (foreign, "another program's"), (tmp_path, "cannot open")):
        before = file.read_bytes() if file.is_file() else None
        with pytest.raises(RecordsError, match=said):
            Records(file)
        assert before is None or file.read_bytes() == before


def test_the_place_is_the_owners_alone(records, path):
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert default_path({"FITMOTION_ROOT": "/home/me/fit"}).as_posix() == "/home/me/fit/data/fitmotion.sqlite"


WRITER = """
import sys
from pathlib import Path
from fitmotion_models.fms.records import Records
with Records(Path(sys.argv[1])) as records:
    for number in range(int(sys.argv[3])):
        name = records.add_person(f"{sys.argv[2]}-{number}", consent=True).name
        records.start_session(name, measured_by="", device="")  # reads, then writes
        print(number, flush=True)
"""


def writer(path, name, count):
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE)


def test_several_processes_begin_and_write_at_once(path):
    writers = [writer(path, name, 15) for name in "abcd"]
    assert [one.wait(60) for one in writers] == [0] * 4
    for one in writers:
        one.stdout.close()
    with Records(path) as records:
        assert [one.sessions for one in records.persons()] == [1] * 60


def test_nobody_writes_between_what_a_change_reads_and_what_it_writes(records, path):
    with Records(path) as other:
        other.connection.execute("PRAGMA busy_timeout = 50")
        with transaction(records.connection):
            assert not records.persons()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.add_person("P1")
        assert other.add_person("P1").name == "P1"


def test_what_was_said_to_be_kept_survives_a_kill(path):
    process = writer(path, "p", 100000)
    said = [process.stdout.readline() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    with Records(path) as records:
        assert len(records.persons()) >= len([line for line in said if line.endswith(b"\n")])
        assert records.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_the_commands(path, tmp_path):
    def run(*arguments, code=0):
        result = CliRunner().invoke(app, [*map(str, arguments), "--database", str(path)])
        assert result.exit_code == code, result.output
        return result

    run("subjects", "add", "Änne", "--birth-year", 1980, "--height", 1.7, "--consent")
    assert "somebody is called" in run("subjects", "add", "Änne", code=2).stderr
    assert "withdrawn" in run("subjects", "consent", "Änne", "--withdraw").stdout
    run("subjects", "consent", "Änne")
    with Records(path) as records:
        for month in (1, 2):
            started = datetime(2024, month, 1, 12, tzinfo=UTC)
            fill(records, records.start_session("Änne", measured_by="Ben", device="webcam", now=started))
    (person,) = json.loads(run("subjects", "list", "--json").stdout)["persons"]
    assert person["sessions"] == 2 and person["height_m"] == 1.7
    assert "Änne" in run("subjects", "list").stdout
    assert (
        "hand 18.2 cm, female" in run("subjects", "measure", "Änne", "--hand-length", 0.182, "--sex", "female").stdout
    )
    assert "sex 'woman' is unknown; allowed" in run("subjects", "measure", "Änne", "--sex", "woman", code=2).stderr
    assert "hand_length_m is 18 m" in run("subjects", "measure", "Änne", "--hand-length", 18, code=2).stderr
    (person,) = json.loads(run("subjects", "list", "--json").stdout)["persons"]
    assert (person["height_m"], person["hand_length_m"], person["sex"]) == (1.7, 0.182, "female")
    picture = tmp_path / "trend.png"
    shown = run("history", "Änne", "--plot", picture).stdout
    assert "2024-02-01" in shown and "L 2 R 3" in shown and picture.read_bytes().startswith(b"\x89PNG")
    sessions = json.loads(run("history", "Änne", "--json").stdout)["sessions"]
    assert [one["total"] for one in sessions] == [11, 11]
    assert sessions[0]["tests"]["inline_lunge"] == {"left": 2, "right": 3, "final": 2, "asymmetric": True}
    assert sessions[0]["grades"][0]["reason"] == "seen live" and sessions[0]["finished"] is None
    assert "Änne: 1.70 m tall, hand 18.2 cm, female" in shown and "open" in shown
    run("subjects", "export", tmp_path / "all.json")
    run("subjects", "export", tmp_path / "all", "--person", "Änne")
    assert json.loads((tmp_path / "all.json").read_text())["person"][0]["name"] == "Änne"
    assert "exists" in run("subjects", "export", tmp_path / "all.json", code=2).stderr
    assert "nobody is called" in run("history", "Otto", code=2).stderr
    run("subjects", "remove", "Änne", "--yes")
    assert json.loads(run("subjects", "list", "--json").stdout) == {"persons": []}
