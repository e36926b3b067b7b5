"""The commands over the records: persons, and their screens one after the other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitmotion_models.cli_tools import fail
from fitmotion_models.fms.anthropometry import Anthropometry, sex_named

if TYPE_CHECKING:
    from fitmotion_models.fms.records import Records

subjects = typer.Typer(no_args_is_help=True, help="The persons whose screens are kept, on this machine alone.")

Database = Annotated[
    Path | None,
    typer.Option(help="Where persons are kept. Default: data/fitmotion.sqlite.", envvar="FITMOTION_DATABASE"),
]
Height = Annotated[float | None, typer.Option(help="Standing height, metres.")]
HandLength = Annotated[
    float | None, typer.Option(help="Wrist crease to the tip of the middle finger, metres.", metavar="METRES")
]
SexOption = Annotated[str, typer.Option(help="female, male or unknown.", metavar="SEX")]
PersonName = Annotated[str, typer.Argument(help="The person's name or code.")]


@contextmanager
def records_at(database: Path | None) -> "Iterator[Records]":
    """The database of persons; what cannot be done is said in one line."""
    import sqlite3

    from fitmotion_models.fms.records import Records, default_path

    try:
        with Records(database or default_path()) as records:
            yield records
    except (ValueError, OSError, sqlite3.Error) as error:
        fail(str(error))


@subjects.command("list")
def list_subjects(
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Who is there."""
    from fitmotion_models.viewer.history import persons_as_dict, persons_table

    with records_at(database) as records:
        persons = records.persons()
    if as_json:
        typer.echo(json.dumps(persons_as_dict(persons), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        nobody = "nobody yet; `fitmotion subjects add NAME` adds somebody"
        Console().print(persons_table(persons) if persons else nobody)


@subjects.command("add")
def add_subject(
    name: PersonName,
    birth_year: Annotated[int | None, typer.Option(help="Year of birth.")] = None,
    height: Height = None,
    hand_length: HandLength = None,
    sex: SexOption = "unknown",
    consent: Annotated[bool, typer.Option("--consent", help="The person agrees to being measured and kept.")] = False,
    database: Database = None,
) -> None:
    """Add a person. Without consent nothing is kept of them.

    Hand length and sex decide two of the tests: shoulder mobility is measured in hand lengths (0.108 of the height
    where nobody measured it), and the push-up's hands lie elsewhere for women and men.

    Example:

      fitmotion subjects add Anna --birth-year 1990 --height 1.70 --hand-length 0.18 --sex female --consent
    """
    with records_at(database) as records:
        records.add_person(
            name,
            birth_year=birth_year,
            height_m=height,
            hand_length_m=hand_length,
            sex=sex_named(sex),
            consent=consent,
        )
    typer.echo(f"added {name}{'' if consent else ', without consent'}")


@subjects.command("measure")
def measure_subject(
    name: PersonName,
    height: Height = None,
    hand_length: HandLength = None,
    sex: SexOption = "unknown",
    database: Database = None,
) -> None:
    """Enter or correct a person's measures; what is not given stays, and so do the scores that are there.

    Example:

      fitmotion subjects measure Anna --hand-length 0.182
    """
    with records_at(database) as records:
        person = records.set_body(name, Anthropometry(height, hand_length, sex_named(sex)))
    from fitmotion_models.viewer.history import measures_text

    typer.echo(f"{person.name}: {measures_text(person.body)}")


@subjects.command("consent")
def consent_of_subject(
    name: PersonName,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The person takes it back.")] = False,
    database: Database = None,
) -> None:
    """The person agrees to being measured and kept. What is there when they take it back stays until `remove`."""
    with records_at(database) as records:
        person = records.set_consent(name, not withdraw)
    typer.echo(f"{person.name}: consent {'given' if person.consent else 'withdrawn'} on {person.consent_date}")


@subjects.command("remove")
def remove_subject(
    name: PersonName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = None,
) -> None:
    """Delete a person and everything of theirs: sessions, scores, and the registered files of their runs."""
    with records_at(database) as records:
        person, files = records.person(name), records.files(name)
        if not yes:
            typer.confirm(f"delete {person.name}, {person.sessions} sessions and {len(files)} files?", abort=True)
        removal = records.remove_person(name)
    for path in removal.files:
        typer.echo(f"deleted {path}")
    typer.echo(f"removed {person.name}")
    if not removal.wiped:
        fail("others use the database just now; traces stay in its log file until the last of them has closed it")


@subjects.command("export")
def export_subjects(
    out: Annotated[Path, typer.Argument(help="A new .json file, or a new folder for CSV files.", metavar="OUT")],
    person: Annotated[str | None, typer.Option(help="Only this person.")] = None,
    database: Database = None,
) -> None:
    """Write everybody, or one person, as one JSON file or as a folder with a CSV file a table."""
    from fitmotion_models.fms.records.export import to_csv, to_json

    with records_at(database) as records:
        if out.suffix == ".json":
            with out.open("x", encoding="utf-8") as stream:
                stream.write(to_json(records, person))
        else:
            to_csv(records, out, person)
    typer.echo(f"written to {out}")


def history(
    name: PersonName,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the trend (.png, .svg, .pdf).", metavar="FILE")] = None,
    database: Database = None,
) -> None:
    """A person's screens, one after the other: the seven tests, left and right, and the total out of 21.

    Above them the measures that are entered; a screen that is not finished is marked.
    """
    from fitmotion_models.viewer.history import history_as_dict, history_of, history_table, measures_text, save_trend

    with records_at(database) as records:
        person = records.person(name)
        name = person.name
        visits = history_of(records, name)
        if plot is not None:
            save_trend(plot, name, visits)
    if as_json:
        typer.echo(json.dumps(history_as_dict(person, visits), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        Console().print(f"{name}: {measures_text(person.body)}", highlight=False, soft_wrap=True)
        Console().print(history_table(visits) if visits else f"no session of {name} yet")
