"""The report of a screen: read back as a page and, by another program, as PDF."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest

from fitmotion_models.fms.normal_bands import normal_band, over_repetition
from fitmotion_models.fms.records import Grade, Person, Session
from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.fms.screen import TESTS, ClearingTest, Screen
from fitmotion_models.fms.shown_curves import SHOWN, decisive_frame, knee_bend
from fitmotion_models.fms.values import Movement, Side, Verdict
from fitmotion_models.mover import make_mover
from fitmotion_models.mover.inline_lunge import inline_lunge_clip
from fitmotion_models.mover.lunge_parameters import InlineLungeParameters
from fitmotion_models.viewer.history import Visit
from fitmotion_models.viewer.screen_report import KeptRepetition, ScreenReport, best_of, test_page
from fitmotion_models.viewer.screen_report_html import screen_html
from fitmotion_models.viewer.screen_report_parts import frames_of
from fitmotion_models.viewer.screen_report_pdf import save_screen_pdf

test_page.__test__ = False  # no test of pytest's
NAME = "Änna Łučić"
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def repetitions() -> list[KeptRepetition]:
    squats = make_mover("squat_heels_up", fps=20.0)
    lunges = [
        inline_lunge_clip(InlineLungeParameters(side="left"), fps=20.0),
        inline_lunge_clip(InlineLungeParameters(side="right", trunk_lean_deg=25.0), fps=20.0),
    ]
    found = [KeptRepetition(one, squats) for one in score_clip(squats)]
    for clip in lunges:
        found += [KeptRepetition(one, clip) for one in score_clip(clip, movement=Movement.INLINE_LUNGE)]
    return found


@pytest.fixture(scope="module")
def kept() -> list[KeptRepetition]:
    return repetitions()


@pytest.fixture(scope="module")
def report(kept) -> ScreenReport:
    screen = Screen(NAME)
    for one in kept:
        screen.add(one.assessment)
    screen.report_clearing(ClearingTest.SHOULDER_IMPINGEMENT, pain=True)
    session = Session(2, NAME, DAY, "Dr. Ő", "one camera")
    earlier = Session(1, NAME, DAY - timedelta(days=30), "Dr. Ő", "one camera")
    grade = Grade(Movement.INLINE_LUNGE, Side.LEFT, 2, "the heel lifted <late>", "Dr. Ő", DAY)
    result = screen.result()
    pages = tuple(page for test in TESTS if (page := test_page(test, result, kept, [grade])) is not None)
    visits = tuple(Visit(one, result, (), 3) for one in (earlier, session))
    return ScreenReport(Person(1, NAME, 1990, 1.7, True, None, 2), session, result, pages, visits)


@pytest.fixture(scope="module")
def pdf(report, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "screen.pdf"
    save_screen_pdf(path, report)
    return path


class Page(HTMLParser):
    """Texts by section, and every address that a browser would fetch."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.sections: dict[str, list[str]] = {"cover": []}
        self.now = "cover"
        self.addresses: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag == "section":
            self.now = given["id"]
            self.sections[self.now] = []
        self.addresses += [given[name] for name in ("src", "href") if name in given]

    def handle_data(self, data: str) -> None:
        self.sections[self.now].append(data)

    def text(self, section: str) -> str:
        return " ".join(" ".join(self.sections[section]).split())


def test_the_page_tells_everything_and_fetches_nothing(report) -> None:
    page = Page(screen_html(report))
    assert list(page.sections) == ["cover", "deep_squat", "inline_lunge", "shoulder_mobility"]
    assert NAME in page.text("cover") and "not complete" in page.text("cover")
    lunge = page.text("inline_lunge")
    assert "25.0°" in lunge and "the heel lifted <late>" in lunge and "left and right differ" in lunge
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert "Earlier screens" in page.text("cover")


def test_the_pdf_has_a_page_a_test_and_says_the_same(report, pdf: Path) -> None:
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_bounded() for page in document]
    titles = ["Functional Movement Screen", *(page.title for page in report.pages)]
    assert len(document) == len(titles)
    for text, title, page in zip(texts, titles, document, strict=True):
        assert title in text
        assert page.get_size() == pytest.approx((595.3, 841.9), abs=0.1)  # ISO 216 A4, points
    assert NAME in texts[0] and "25.0°" in texts[2] and "the heel lifted <late>" in texts[2]
    assert list(pdf.parent.iterdir()) == [pdf]


def test_nothing_is_cut_off_at_the_edges_of_the_paper(pdf: Path) -> None:
    for page in pypdfium2.PdfDocument(pdf):
        drawn = np.asarray(page.render(scale=1.0).to_pil().convert("L"))
        assert drawn[:, :20].min() == drawn[:, -20:].min() == drawn[:20].min() == 255


def test_the_best_repetition_of_a_side_counts(kept) -> None:
    lunges = [one for one in kept if one.assessment.movement is Movement.INLINE_LUNGE]
    assert [best_of(lunges, side).assessment.score for side in (Side.LEFT, Side.RIGHT)] == [3, 2]
    assert best_of(lunges, Side.BOTH) is None


def test_kept_pictures_are_shown_in_place_of_bodies(report, kept) -> None:
    picture = cv2.imencode(".jpg", np.full((40, 30, 3), 90, np.uint8))[1].tobytes()
    squat = kept[0]
    shown = KeptRepetition(squat.assessment, squat.clip, {"lowest point": picture})
    page = test_page(Movement.DEEP_SQUAT, report.screen, [shown], [])
    frames = frames_of(page)
    assert [picture == one for _, one in frames] == [False, True, False]
    assert frames[1][0].startswith("Lowest point")


def test_a_screen_without_kept_poses_has_a_report_too(report, kept, tmp_path: Path) -> None:
    bare = [KeptRepetition(one.assessment) for one in kept]
    page = test_page(Movement.DEEP_SQUAT, report.screen, bare, [])
    small = ScreenReport(report.person, report.session, report.screen, (page,), report.visits[:1])
    assert "Curves" not in screen_html(small)
    save_screen_pdf(tmp_path / "screen.pdf", small)
    assert len(pypdfium2.PdfDocument(tmp_path / "screen.pdf")) == 2


def test_the_decisive_frame_of_a_squat_is_its_deepest(kept) -> None:
    one, clip = kept[0].assessment, kept[0].clip
    frame = decisive_frame(clip, one.movement, 0, one.start, one.end)
    inside = (clip.stamps >= one.start) & (clip.stamps <= one.end)
    assert clip.positions[frame, 0, 2] == clip.positions[inside, 0, 2].min()


def test_a_clean_squat_is_as_deep_as_the_normal_band() -> None:
    """A mover's, of which the band knows nothing: its knees bend at most as those of the recorded persons do."""
    clip = make_mover("squat", fps=30.0)
    one = score_clip(clip)[0]
    assert all(criterion.verdict is Verdict.MET for criterion in one.criteria)
    inside = (clip.stamps >= one.start) & (clip.stamps <= one.end)
    points = np.concatenate((clip.positions, clip.feet), axis=1).astype(float)[inside]
    curve = over_repetition(clip.stamps[inside], knee_bend(points, 0))
    band = normal_band(Movement.DEEP_SQUAT, "knee_bend")
    assert band.low.max() <= curve.max() <= band.high.max()
    assert (band.low <= band.middle).all() and (band.middle <= band.high).all()


def test_every_band_belongs_to_a_curve_that_is_shown() -> None:
    for movement, shown in SHOWN.items():
        units = {curve.unit for panel in shown.panels for curve in panel}
        assert units <= {"deg", "m"}
        assert all(len({curve.unit for curve in panel}) == 1 for panel in shown.panels)
        assert len({curve.name for curve in shown.curves}) == len(shown.curves), movement
