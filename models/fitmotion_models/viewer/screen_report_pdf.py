"""A screen's report as PDF, A4: the result on the first page, then a page a test."""

import io
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from fitmotion_models.fms.screen import TESTS, TWO_SIDED, ScreenResult
from fitmotion_models.fms.values import NOT_SCORABLE, Verdict
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.history import trend_figure
from fitmotion_models.viewer.report import NOT_A_MEDICAL_DEVICE
from fitmotion_models.viewer.screen_report import SIDE_WORDS, ScreenReport, TestPage
from fitmotion_models.viewer.screen_report_drawings import as_png
from fitmotion_models.viewer.screen_report_parts import (
    CUT_OFF_WORDS,
    SCORE_WORDS,
    about_person,
    band_lines,
    criterion_cells,
    curves_picture,
    frames_of,
    repetition_rows,
    sentence,
    told_lines,
)
from fitmotion_models.viewer.terminal import score_word, words

MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
_INK, _QUIET, _RULE = colors.HexColor("#22262b"), colors.HexColor("#6a717a"), colors.HexColor("#dfe3e8")
_KINDS = {"met": colors.HexColor("#1d8045"), "not_met": colors.HexColor("#c3212d"), "not_seen": _QUIET}
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=8.5, leading=11.5, textColor=_INK)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7, leading=9, textColor=_QUIET)
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=7.5, leading=9.5)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName=BOLD, fontSize=17, leading=22)
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName=BOLD, fontSize=9.5, leading=13, spaceBefore=7, spaceAfter=2)
_TOTAL = ParagraphStyle("total", parent=_TEXT, fontName=BOLD, fontSize=34, leading=42)
_FRAME_GAP, _FRAME_WIDTH = 2 * mm, 30 * mm
_MOST_FRAME_HEIGHT = 42 * mm
_OVERVIEW_WIDTHS = [62 * mm, 16 * mm, 16 * mm, 16 * mm, WIDTH - 110 * mm]
_CLEARING_WIDTHS = [62 * mm, 32 * mm, WIDTH - 94 * mm]
_REPETITION_WIDTHS = [58 * mm, 12 * mm, 14 * mm, 22 * mm, WIDTH - 106 * mm]


def save_screen_pdf(path: Path, report: ScreenReport) -> None:
    """Write the report, in place of an earlier one. Raises OSError when it cannot be written."""
    _fonts()
    story: list[Flowable] = [*_cover(report)]
    for page in report.pages:
        story += [PageBreak(), *_page(page)]
    file = io.BytesIO()
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        title=f"Functional Movement Screen: {report.person.name}",
        author=report.session.measured_by,
        creator="FitMotion",
    )
    frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
    line = f"{report.person.name}, {report.session.started.astimezone():%Y-%m-%d}"
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=lambda canvas, _: _footer(canvas, line)))
    document.build(story)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(file.getvalue())
    partial.replace(path)


@lru_cache(maxsize=1)
def _fonts() -> None:
    """Fonts that have every letter of a name; they come with Matplotlib."""
    folder = files("matplotlib") / "mpl-data" / "fonts" / "ttf"
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)


def _footer(canvas: Canvas, line: str) -> None:
    canvas.setFont(FONT, 7)
    canvas.setFillColor(_QUIET)
    canvas.drawString(MARGIN, 9 * mm, line)
    canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"FitMotion, page {canvas.getPageNumber()}")


def _cover(report: ScreenReport) -> list[Flowable]:
    screen = report.screen
    quiet = '<font size="15" color="#6a717a">{}</font>'
    total = f"{screen.total} {quiet.format('of 21')}" if report.is_complete else quiet.format("not complete")
    clearing = [[name.capitalize(), said, f"pain makes {of} 0"] for name, said, of in report.clearing()]
    story: list[Flowable] = [
        Paragraph(f"Functional Movement Screen: {escape(report.person.name)}", _TITLE),
        Paragraph(escape(about_person(report)), _SMALL),
        Spacer(0, 5 * mm),
        Paragraph(total, _TOTAL),
        Paragraph(CUT_OFF_WORDS, _SMALL),
        Spacer(0, 3 * mm),
        _overview(screen),
        Paragraph(SCORE_WORDS, _SMALL),
        Paragraph("Clearing tests", _HEAD),
        _lined(clearing, _CLEARING_WIDTHS),
    ]
    if screen.notes:
        story.append(Paragraph("Notes", _HEAD))
        story += [Paragraph(f"• {escape(sentence(note))}", _TEXT) for note in screen.notes]
    if len(report.visits) > 1:
        story += [Paragraph("Earlier screens", _HEAD), _picture(as_png(trend_figure(report.visits)), WIDTH)]
    return [*story, Spacer(0, 4 * mm), Paragraph(escape(NOT_A_MEDICAL_DEVICE), _SMALL)]


def _overview(screen: ScreenResult) -> Table:
    """A row a test, its scores in their colours."""
    rows: list[list[object]] = [["test", "left", "right", "final", ""]]
    styles: list[Any] = []
    for number, test in enumerate(TESTS):
        sides = [screen.left[number], screen.right[number]] if test in TWO_SIDED else [None, None]
        scores = [*sides, screen.final[number]]
        for column, score in enumerate(scores, start=1):
            if score is not None and score != NOT_SCORABLE:
                styles.append(("BACKGROUND", (column, number + 1), (column, number + 1), _score_colour(score)))
                styles.append(("TEXTCOLOR", (column, number + 1), (column, number + 1), colors.white))
        shown = ["" if score is None else score_word(score) for score in scores]
        uneven = "left and right differ" if screen.asymmetric[number] else ""
        rows.append([words(test.name).capitalize(), *shown, uneven])
    return Table(rows, colWidths=_OVERVIEW_WIDTHS, style=[*_LINED, *styles, *_CENTRED])


_LINED: list[Any] = [
    ("FONT", (0, 0), (-1, -1), FONT, 8),
    ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
]
_HEADED: list[Any] = [("TEXTCOLOR", (0, 0), (-1, 0), _QUIET), ("FONT", (0, 0), (-1, 0), FONT, 7)]
_CENTRED: list[Any] = [
    *_HEADED,
    ("ALIGN", (1, 0), (3, -1), "CENTER"),
    ("FONT", (1, 1), (3, -1), BOLD, 9),
]


def _lined(rows: Sequence[Sequence[object]], widths: Sequence[float], *, headed: bool = False) -> Table:
    """A table with thin lines, the first row its heads; strings are set as they are: long ones must be paragraphs."""
    style = [*_LINED, *(_HEADED if headed else ())]
    return Table([list(row) for row in rows], colWidths=list(widths), style=style, repeatRows=int(headed))


def _page(page: TestPage) -> list[Flowable]:
    story: list[Flowable] = [_headline(page)]
    lines = told_lines(page)
    story += [Spacer(0, 2 * mm), *(Paragraph(escape(line), _TEXT) for line in lines)]
    if page.best:
        story += [Spacer(0, 2 * mm), _criteria(page)]
    curves = curves_picture(page)
    if curves is not None:
        story += [Paragraph("Curves", _HEAD), _picture(curves, WIDTH)]
        story += [Paragraph(escape(line), _SMALL) for line in band_lines(page.movement)]
    frames = frames_of(page)
    if frames:
        story += [Paragraph("Key moments", _HEAD), _frames(frames)]
    rows = repetition_rows(page)
    if rows:
        heads = ("repetition", "score", "sure", "learned scorer", "why")
        cells = [[Paragraph(escape(cell), _CELL) for cell in row] for row in rows]
        story += [Paragraph("All repetitions", _HEAD), _lined([heads, *cells], _REPETITION_WIDTHS, headed=True)]
    return story


def _headline(page: TestPage) -> Table:
    """The scores in colour, the test's name beside them."""
    cells: list[object] = []
    styles: list[Any] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (-1, -1), 3)]
    for number, (side, score) in enumerate(page.scores.items()):
        word = SIDE_WORDS[side] or "score"
        text = f'<font color="white"><font size="20">{score_word(score)}</font><br/><font size="7">{word}</font></font>'
        style = ParagraphStyle("badge", parent=_TEXT, fontName=BOLD, alignment=1, leading=21)
        cells.append(Paragraph(text, style))
        styles += [
            ("BACKGROUND", (number, 0), (number, 0), _score_colour(score)),
            ("LINEAFTER", (number, 0), (number, 0), 3, colors.white),
        ]
    uneven = '<br/><font size="8" color="#c3212d">left and right differ; the lower side counts</font>'
    cells.append(Paragraph(escape(page.title) + (uneven if page.asymmetric else ""), _TITLE))
    badge = 17 * mm
    return Table([cells], colWidths=[*[badge] * len(page.scores), WIDTH - badge * len(page.scores)], style=styles)


def _criteria(page: TestPage) -> Table:
    sides = list(page.best)
    heads = ["criterion", *(SIDE_WORDS[side] or "measured" for side in sides), "limit", "what to change"]
    rows: list[list[object]] = [[*heads]]
    styles: list[Any] = []
    for number, row in enumerate(page.criteria(), start=1):
        cells = criterion_cells(row, sides)
        if any(one.verdict is Verdict.NOT_MET for one in row.sides.values()):
            styles.append(("TEXTCOLOR", (0, number), (0, number), _KINDS["not_met"]))
        name = words(row.name).capitalize()
        measured = [Paragraph(escape(text), _measured_style(kind)) for text, kind in cells]
        limit = Paragraph(escape(row.limit), _measured_style(""))
        rows.append([name, *measured, limit, Paragraph(escape(row.advice), _CELL)])
    widths = [46 * mm, *[24 * mm] * len(sides), 18 * mm]
    aligned = ("ALIGN", (1, 0), (len(sides) + 1, -1), "RIGHT")
    return Table(rows, colWidths=[*widths, WIDTH - sum(widths)], style=[*_LINED, *_HEADED, aligned, *styles])


def _measured_style(kind: str) -> ParagraphStyle:
    """Of a number in its column: to the right, in the colour of its verdict; kind "" has none."""
    return ParagraphStyle(f"measured {kind}", parent=_CELL, alignment=TA_RIGHT, textColor=_KINDS.get(kind, _INK))


def _frames(frames: Sequence[tuple[str, bytes]]) -> Table:
    """The pictures in a row, their captions under them."""
    width = min(_FRAME_WIDTH, WIDTH / len(frames) - _FRAME_GAP)
    pictures = [_picture(picture, width, _MOST_FRAME_HEIGHT) for _, picture in frames]
    captions = [Paragraph(escape(caption), _SMALL) for caption, _ in frames]
    plain: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _FRAME_GAP),
    ]
    return Table([pictures, captions], colWidths=[width + _FRAME_GAP] * len(frames), style=plain, hAlign="LEFT")


def _picture(picture: bytes, width: float, most_height: float | None = None) -> Image:
    """A PNG or JPEG so wide (points), narrower where it would be too high."""
    image = Image(io.BytesIO(picture))
    height = width * image.imageHeight / image.imageWidth
    if most_height is not None and height > most_height:
        width, height = width * most_height / height, most_height
    image.drawWidth, image.drawHeight = width, height
    return image


def _score_colour(score: int) -> colors.Color:
    return colors.Color(*palette.on_paper(palette.score_colour(score)))
