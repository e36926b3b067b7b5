"""Screens that are kept as they come and go on in another process, and what the records hold since version 2."""

import json
import math
import sqlite3
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.anthropometry import Anthropometry, Sex
from fitmotion_models.fms.records import Records, RecordsError, schema
from fitmotion_models.fms.records.export import from_csv, from_json, read_tables, to_csv, to_json
from fitmotion_models.fms.records.screens import ScreenKeeper, ScreenRequest
from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.session import Session
from fitmotion_models.fms.trial import Trial
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.mover import SquatParameters, squat_clip

SQUAT, LUNGE = Movement.DEEP_SQUAT, Movement.INLINE_LUNGE
CLIP = squat_clip(SquatParameters(repetitions=1), fps=20.0)
SHALLOW = squat_clip(SquatParameters(depth_m=0.12, repetitions=1), fps=20.0)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
ANNA = ScreenRequest("Anna", "Ben", consent=True, body=Anthropometry(1.7, 0.18, Sex.FEMALE))
NOTHING = ScreenRequest()


def keeper(path, *, assess="", runner="node of run 1", first=None):
    return ScreenKeeper(Session(first, assess=assess), Records(path), measured_by="Ben", runner=runner)


def play(kept, clip=CLIP, subject="person", shift=0.0):
    updates = [kept.update(replace(pose, subject=subject, stamp=pose.stamp + shift)) for pose in clip]
    return [update.assessment for update in updates if update.assessment is not None]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "persons.sqlite"


def test_a_kept_screen_goes_on_where_another_process_left_it(path):
    first = keeper(path)
    subject, visit = first.start("", ANNA)
    assert (subject, visit.person, visit.is_open) == ("", "Anna", True)  # nobody has been seen yet
    (failed,) = play(first, SHALLOW)
    first.start_test("", SQUAT, Variation.DEEP_SQUAT_BOARD, Side.BOTH)
    play(first, shift=20.0)
    first.report_pain("", LUNGE, Side.LEFT, None, pain=True, note="in the knee")
    first.report_pain("", SQUAT, Side.BOTH, ClearingTest.ROCKING_FLEXION, pain=False)
    first.set_score("", Movement.HURDLE_STEP, Side.RIGHT, 2, "seen live")
    first.set_score("", SQUAT, Side.BOTH, 3, "looked clean", beside=True)
    left = first.screen("")
    assert (left.final[0], left.right[1], left.left[2], left.person, left.open) == (2, 2, 0, "Anna", True)
    # the first process dies here without a word
    second = keeper(path)
    assert [one for one, _ in second.go_on(NOTHING)] == ["person"]
    assert second.screen("") == left
    assert second.session.trial("") == Trial(SQUAT, Variation.DEEP_SQUAT_BOARD, Side.BOTH, 1)
    (again,) = play(second)
    assert (again.variation, again.trial, again.repetition) == (Variation.DEEP_SQUAT_BOARD, 1, 2)
    result, missing = second.finish("")
    assert not result.open and result.total == -1
    assert missing == (
        "hurdle step left, shoulder mobility, active straight leg raise, trunk stability push up, rotary stability, "
        "clearing test shoulder impingement, clearing test press up extension"
    )
    third = keeper(path)  # what was asked when the first one started is not done again
    assert third.go_on(replace(ANNA, resume=True)) == third.go_on(ANNA) == []
    with Records(path) as records:
        (kept,) = records.sessions("Anna")
        assert kept.body == ANNA.body and not kept.is_open and records.open_sessions() == []
        assert [one.score for one in records.assessments(kept)] == [1, 2, 2]
        assert [(one.score, one.beside, one.graded_by) for one in records.grades(kept)] == [
            (2, False, "Ben"),
            (3, True, "Ben"),
        ]
        assert records.pain_notes(kept) == {"inline lunge left": "in the knee"}
        assert records.clip(kept, failed).subject == "person"
        assert [one.score for one in score_clip(records.clip(kept, failed))] == [1]
        assert (records.person("Anna").height_m, records.person("Anna").sex) == (1.7, Sex.FEMALE)


def test_another_run_goes_on_only_when_it_is_told_to(path):
    first = keeper(path)
    first.start("", ANNA)
    play(first)
    other = keeper(path, runner="node of run 2")
    assert other.go_on(NOTHING) == []
    ((subject, visit),) = other.go_on(ScreenRequest("anna", resume=True))
    assert (subject, visit.person) == ("person", "Anna")
    assert other.screen("").final[0] == 3
    assert other.open_before(visit) == ""
    third = keeper(path, runner="node of run 3")
    with pytest.raises(RecordsError, match="nobody is called 'Otto'"):
        third.go_on(ScreenRequest("Otto", resume=True))
    third.start("", replace(ANNA, resume=True))
    assert third.screen("").final[0] == 3
    third.finish("")
    fourth = keeper(path, runner="node of run 4")
    _, again = fourth.start("", ANNA)
    _, twice = keeper(path, runner="node of run 5").start("", ANNA)
    assert fourth.open_before(again) == "" and "is still open: resume" in fourth.open_before(twice)
    with Records(path) as records:
        for one in records.open_sessions("Anna"):
            records.finish_session(one)
    with pytest.raises(RecordsError, match="no screen of Anna is open; begin a new one"):
        third.start("", replace(ANNA, resume=True))


def test_a_person_under_another_name_in_the_poses_gets_their_screen_back(path):
    first = keeper(path)
    first.start("", ANNA)
    play(first, subject="person_2")
    second = keeper(path)
    second.go_on(NOTHING)
    states = [second.update(pose).state for pose in (replace(pose, subject="person") for pose in CLIP)]
    assert states[0].movement is Movement.UNKNOWN and states[-1].movement is SQUAT
    claimed = second.screen("")
    assert (claimed.subject, claimed.person, claimed.final[0]) == ("person", "Anna", 3)
    assert (second.take_found(), second.take_found()) == (["person"], [])
    with Records(path) as records:
        assert records.sessions("Anna")[0].subject == "person"


def test_a_process_begins_what_it_was_started_for(path):
    with Records(path) as records:
        records.add_person("Anna", consent=True)
    first = keeper(path)
    ((subject, visit),) = first.go_on(ScreenRequest("Anna"))
    assert (subject, visit.measured_by) == ("", "Ben")
    second = keeper(path)  # the first one died before anybody was seen
    ((subject, again),) = second.go_on(ScreenRequest("Anna"))
    assert (subject, again.id) == ("", visit.id)
    play(second)
    assert (second.screen("").final[0], second.screen("").session) == (3, visit.id)
    assert [one.subject for one in second._records.sessions("Anna")] == ["person"]


def test_one_screen_a_person_and_a_subject(path):
    kept = keeper(path, assess="all")
    play(kept, subject="one")
    play(kept, subject="two")
    kept.start("one", ANNA)
    with pytest.raises(RecordsError, match="Anna's screen is under way with one; finish it"):
        kept.start("two", ANNA)
    with pytest.raises(RecordsError, match="under way with one"):
        kept.start("one", replace(ANNA, person="Otto"))
    kept.start("two", replace(ANNA, person="Otto", body=Anthropometry()))
    play(kept, subject="one", shift=10.0)
    play(kept, SHALLOW, subject="two", shift=10.0)
    assert (kept.screen("one").final[0], kept.screen("two").final[0]) == (3, 1)
    kept.reset("one")
    assert kept.screen("one").final[0] == -1
    with Records(path) as records:
        abandoned, again = records.sessions("Anna")
        assert abandoned.abandoned and not abandoned.is_open and again.is_open
        assert (len(records.assessments(abandoned)), again.body) == (1, ANNA.body)


def test_what_a_screen_needs_is_said(path):
    kept = keeper(path)
    for request, said in [
        (ScreenRequest("Otto"), "nobody is called 'Otto' yet; begin with their consent"),
        (ScreenRequest("Anna", resume=True), "nobody is called 'Anna'"),
    ]:
        with pytest.raises(RecordsError, match=said):
            kept.start("", request)
    without = ScreenKeeper(Session(assess=""))
    with pytest.raises(RecordsError, match="parameter records=FILE"):
        without.start("", ANNA)
    without.start("", ScreenRequest(body=Anthropometry(1.8)))
    play(without)
    assert (without.screen("").final[0], without.screen("").open, without.screen("").session) == (3, True, 0)


def test_a_person_who_is_removed_in_mid_screen_is_not_kept(path):
    kept = keeper(path)
    kept.start("", ANNA)
    play(kept)
    with Records(path) as records:
        records.remove_person("Anna")
    (told,) = play(kept, shift=10.0)
    assert told.score == 3 and "no longer kept" in kept.problem
    with Records(path) as records:
        assert all(not rows for rows in read_tables(records).values())


def test_what_cannot_be_written_now_is_written_later(path):
    kept = keeper(path)
    kept.start("", ANNA)
    play(kept)
    kept._records.connection.execute("PRAGMA busy_timeout = 20")
    with Records(path) as other:
        other.connection.execute("BEGIN IMMEDIATE")
        play(kept, shift=10.0)
        assert "1 results are not written yet: database is locked" in kept.problem
        other.connection.execute("COMMIT")
        play(kept, shift=20.0)
        assert kept.problem == ""
        assert [one.repetition for one in other.assessments(other.sessions("Anna")[0])] == [1, 2, 3]


def test_motion_and_pictures_are_kept_exported_and_gone_with_the_person(path, tmp_path):
    kept = keeper(path)
    _, visit = kept.start("", ANNA)
    (one,) = play(kept)
    secret = b"Geheimnis-4711" * 300
    with Records(path) as records:
        records.add_picture(visit, one, "lowest", JPEG)
        records.add_picture(visit, one, "lowest", JPEG + secret)
        records.add_picture(visit, one, "start", JPEG)
        assert records.pictures(visit, one) == {"lowest": JPEG + secret, "start": JPEG}
        for wrong, said in [((one, "x", b"GIF89a"), "no JPEG"), ((replace(one, trial=9), "x", JPEG), "not in session")]:
            with pytest.raises(RecordsError, match=said):
                records.add_picture(visit, *wrong)
        to_csv(records, tmp_path / "csv")
        assert (tmp_path / "csv" / "picture" / "2.jpg").read_bytes().startswith(JPEG)
        assert len(list((tmp_path / "csv" / "clip").iterdir())) == 1
        for take, given in ((from_json, to_json(records)), (from_csv, tmp_path / "csv")):
            with Records(tmp_path / f"{take.__name__}.sqlite") as other:
                take(other, given)
                assert read_tables(other) == read_tables(records)
                clip = other.clip(other.sessions("Anna")[0], one)
                assert np.array_equal(clip.positions, records.clip(visit, one).positions)
        assert any(secret[:14] in file.read_bytes() for file in path.parent.iterdir())
        assert records.remove_person("Anna").wiped
    assert all(secret[:14] not in file.read_bytes() for file in path.parent.iterdir())


def test_files_of_other_folders_are_no_part_of_an_export(path, tmp_path):
    kept = keeper(path)
    kept.start("", ANNA)
    play(kept)
    to_csv(kept._records, tmp_path / "csv")
    clips = tmp_path / "csv" / "clip.csv"
    clips.write_text(clips.read_text().replace("clip/1.npz", "../data/persons.sqlite"))
    with Records(tmp_path / "other.sqlite") as other, pytest.raises(RecordsError, match="names its own files only"):
        from_csv(other, tmp_path / "csv")


def test_a_database_of_the_first_version_is_taken_over(path, monkeypatch):
    migrations = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", migrations[:1])
    with Records(path) as records:
        execute = records.connection.execute
        execute("INSERT INTO person VALUES (1, 'Anna', 'anna', 1980, 1.7, 1, '2024-05-01')")
        execute("INSERT INTO session VALUES (1, 1, '2024-05-01T12:00:00+00:00', 'Ben', 'webcam')")
        execute("INSERT INTO grade VALUES (1, 1, 'deep_squat', 'both', 2, 'seen', 'Ben', '2024-05-01T12:00:00+00:00')")
        execute("INSERT INTO pain VALUES (1, 1, 'inline_lunge', 'left')")
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    with Records(path) as records:
        anna, (visit,) = records.person("Anna"), records.sessions("Anna")
        assert (anna.height_m, anna.hand_length_m, anna.sex) == (1.7, None, Sex.UNKNOWN)
        assert not visit.is_open and visit.trial is None
        assert (records.screen(visit).result().final[0], records.screen(visit).result().left[2]) == (2, 0)
        assert records.set_body("anna", Anthropometry(hand_length_m=0.18)).body == Anthropometry(1.7, 0.18)


def test_measures_out_of_range_are_refused(path):
    with Records(path) as records:
        for given, said in [
            ({"height_m": 170.0}, "stature_m is 170 m"),
            ({"hand_length_m": 18.0}, "hand_length_m is 18 m; it can be 0.05 to 0.35 m"),
            ({"hand_length_m": math.nan}, "hand_length_m is nan"),
        ]:
            with pytest.raises(ValueError, match=said):
                records.add_person("P1", **given)
        records.add_person("P1", sex=Sex.MALE, consent=True, today=date(2024, 5, 1))
        exported = json.loads(to_json(records))["person"][0]
        assert (exported["sex"], exported["hand_length_m"]) == ("male", None)
        with pytest.raises(sqlite3.IntegrityError):
            records.connection.execute("UPDATE person SET hand_length_m = 18")
