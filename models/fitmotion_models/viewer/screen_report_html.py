"""A screen's report as one HTML file that needs nothing else; printed, every test has its own page."""

from html import escape

from fitmotion_models.fms.screen import TESTS, TWO_SIDED
from fitmotion_models.fms.values import NOT_SCORABLE, Side, Verdict
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.history import trend_figure
from fitmotion_models.viewer.page_html import css
from fitmotion_models.viewer.report import NOT_A_MEDICAL_DEVICE
from fitmotion_models.viewer.screen_report import SIDE_WORDS, CriterionRow, ScreenReport, TestPage
from fitmotion_models.viewer.screen_report_drawings import as_png, data_address
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
from fitmotion_models.viewer.terminal import words

_STYLE = """
@page{size:A4;margin:14mm}
body{font:14px/1.42 system-ui,'Segoe UI','DejaVu Sans',sans-serif;color:#22262b;max-width:900px;margin:26px auto;
padding:0 18px;background:#fff;-webkit-print-color-adjust:exact;print-color-adjust:exact}
h1{font-size:25px;margin:0 0 2px}h2{font-size:20px;margin:0}h3{font-size:14px;margin:14px 0 4px;color:#3c424a}
.quiet,small{color:#6a717a}.notice{border-left:4px solid #d99a1e;background:#fdf6e7;padding:8px 12px;margin:16px 0}
section{border-top:1px solid #d9dde2;padding:20px 0 8px}
@media print{body{margin:0;max-width:none;padding:0}section{break-before:page;border:0;padding:0}}
.head{display:flex;gap:14px;align-items:center}.badges{display:flex;gap:8px}
.badge{width:56px;border-radius:10px;color:#fff;text-align:center;font-size:30px;font-weight:700;line-height:1.15;
padding:4px 0 5px}.badge small{display:block;font-size:11px;font-weight:500;color:#fff;line-height:1.1}
.total{font-size:44px;font-weight:700;line-height:1}.total small{font-size:18px}
table{border-collapse:collapse;width:100%;margin:8px 0}td,th{padding:3px 8px;text-align:left;vertical-align:top}
th{font-weight:600;color:#6a717a;font-size:12px}tr+tr td{border-top:1px solid #eceff2}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.not_met{color:#c3212d;font-weight:600}.met{color:#1d8045}.not_seen{color:#6a717a}
.chip{display:inline-block;color:#fff;font-weight:700;border-radius:5px;padding:0 8px}
.frames{display:flex;gap:8px}.frames figure{margin:0;flex:1 1 0;min-width:0;max-width:150px}
.frames img{width:100%;border-radius:5px;background:#f4f6f8;display:block}
figcaption{font-size:11px;color:#6a717a}.wide{width:100%}a{color:#1a5fb4}
"""


def screen_html(report: ScreenReport) -> str:
    """The report as a page."""
    name = escape(report.person.name)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Movement screen: {name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"{_cover(report)}{''.join(_page(page) for page in report.pages)}</body></html>\n"
    )


def _cover(report: ScreenReport) -> str:
    total = report.screen.total
    counted = f'{total}<small class="quiet"> of 21</small>' if report.is_complete else "<small>not complete</small>"
    return (
        f"<h1>Functional Movement Screen: {escape(report.person.name)}</h1>"
        f'<div class="quiet">{escape(about_person(report))}</div>'
        f'<p class="total">{counted}</p><div class="quiet">{escape(CUT_OFF_WORDS)}</div>'
        f"{_overview(report)}{_clearing(report)}{_notes(report)}{_trend(report)}"
        f'<div class="notice">{NOT_A_MEDICAL_DEVICE}</div>'
    )


def _overview(report: ScreenReport) -> str:
    screen, rows = report.screen, []
    pages = {page.movement for page in report.pages}
    for number, test in enumerate(TESTS):
        name = escape(words(test.name).capitalize())
        named = f'<a href="#{test.name.lower()}">{name}</a>' if test in pages else name
        sides = (screen.left[number], screen.right[number]) if test in TWO_SIDED else (None, None)
        cells = "".join(f"<td>{'' if score is None else _chip(score)}</td>" for score in sides)
        uneven = "left and right differ" if screen.asymmetric[number] else ""
        rows.append(f"<tr><td>{named}</td>{cells}<td>{_chip(screen.final[number])}</td><td>{uneven}</td></tr>")
    heads = "<tr><th>test</th><th>left</th><th>right</th><th>final</th><th></th></tr>"
    return f"<table>{heads}{''.join(rows)}</table><small>{escape(SCORE_WORDS)}</small>"


def _chip(score: int) -> str:
    if score == NOT_SCORABLE:
        return '<span class="quiet">–</span>'
    return f'<span class="chip" style="background:{_colour(score)}">{score}</span>'


def _colour(score: int) -> str:
    return css(palette.on_paper(palette.score_colour(score)))


def _clearing(report: ScreenReport) -> str:
    rows = "".join(
        f'<tr><td>{escape(name.capitalize())}</td><td class="{"not_met" if said == "pain" else "quiet"}">{said}</td>'
        f'<td class="quiet">pain makes {escape(related)} 0</td></tr>'
        for name, said, related in report.clearing()
    )
    return f"<h3>Clearing tests</h3><table>{rows}</table>"


def _notes(report: ScreenReport) -> str:
    lines = "".join(f"<li>{escape(sentence(note))}</li>" for note in report.screen.notes)
    return f"<h3>Notes</h3><ul>{lines}</ul>" if lines else ""


def _trend(report: ScreenReport) -> str:
    if len(report.visits) < 2:
        return ""
    picture = data_address(as_png(trend_figure(report.visits)))
    return f'<h3>Earlier screens</h3><img class="wide" alt="scores of earlier screens" src="{picture}">'


def _page(page: TestPage) -> str:
    badges = "".join(_badge(score, SIDE_WORDS[side]) for side, score in page.scores.items())
    uneven = '<div class="not_met">left and right differ; the lower side counts</div>' if page.asymmetric else ""
    curves = curves_picture(page)
    about = "".join(f"<small>{escape(line)}</small>" for line in band_lines(page.movement))
    drawn = f'<h3>Curves</h3><img class="wide" alt="curves" src="{data_address(curves)}">{about}' if curves else ""
    return (
        f'<section id="{page.movement.name.lower()}"><div class="head"><div class="badges">{badges}</div><div>'
        f"<h2>{escape(page.title)}</h2>{uneven}</div></div>{_why(page)}{_criteria(page)}{drawn}{_frames(page)}"
        f"{_repetitions(page)}</section>"
    )


def _badge(score: int, side: str) -> str:
    shown = "–" if score == NOT_SCORABLE else score
    return f'<div class="badge" style="background:{_colour(score)}">{shown}<small>{side or "score"}</small></div>'


def _why(page: TestPage) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in told_lines(page))


def _criteria(page: TestPage) -> str:
    if not page.best:
        return ""
    sides = list(page.best)
    heads = "".join(f'<th class="number">{SIDE_WORDS[side] or "measured"}</th>' for side in sides)
    rows = "".join(_criterion(row, sides) for row in page.criteria())
    return (
        f'<table><tr><th>criterion</th>{heads}<th class="number">limit</th><th>what to change</th></tr>{rows}</table>'
    )


def _criterion(row: CriterionRow, sides: list[Side]) -> str:
    cells = "".join(f'<td class="number {kind}">{escape(text)}</td>' for text, kind in criterion_cells(row, sides))
    worst = max((one.verdict for one in row.sides.values()), key=lambda one: one is Verdict.NOT_MET)
    limit = escape(row.limit)
    return (
        f'<tr><td class="{worst.name.lower() if worst is Verdict.NOT_MET else ""}">'
        f"{escape(words(row.name).capitalize())}</td>{cells}"
        f'<td class="number quiet">{limit}</td><td>{escape(row.advice)}</td></tr>'
    )


def _frames(page: TestPage) -> str:
    figures = "".join(
        f'<figure><img alt="" src="{data_address(picture)}"><figcaption>{escape(caption)}</figcaption></figure>'
        for caption, picture in frames_of(page)
    )
    return f'<h3>Key moments</h3><div class="frames">{figures}</div>' if figures else ""


def _repetitions(page: TestPage) -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in repetition_rows(page)
    )
    heads = "<tr><th>trial</th><th>score</th><th>sure</th><th>learned scorer</th><th>why</th></tr>"
    return f"<h3>All repetitions</h3><table>{heads}{rows}</table>" if rows else ""
