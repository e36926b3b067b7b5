"""`fitmotion synthesize`: data sets of sensors that were never worn, from videos, prompts and clips."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitmotion_models.cli_tools import Backend, Detector, PoseModel, fail, progress_bar

if TYPE_CHECKING:
    from fitmotion_models.datasets.synthesis.run import Synthesis
    from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
    from fitmotion_models.datasets.synthesis.subject_splits import SplitSettings
    from fitmotion_models.datasets.synthesis.windows import WindowSettings

_NO_FORMAT = "none"


def _from(words: str, metavar: str = "DIR") -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar=metavar, rich_help_panel="From what")


def _sensors(words: str, metavar: str) -> typer.models.OptionInfo:
    return typer.Option(help=words, metavar=metavar, rich_help_panel="Sensors")


def synthesize(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The data set's folder; made where it is not there.", metavar="DIR")
    ],
    videos: Annotated[Path | None, _from("Videos: the bodies in them, as `assess` sees them.")] = None,
    prompts: Annotated[Path | None, _from("Motions to be generated; see below.", "FILE.yaml")] = None,
    clips: Annotated[Path | None, _from("Clips (.npz, .bvh), or a set that `data prepare` made.")] = None,
    real: Annotated[
        Path | None, _from("Real recordings to merge in: a CSV as `fitmotion imu -o` writes, or a folder.", "PATH")
    ] = None,
    utd: Annotated[Path | None, _from("UTD-MHAD's real recordings to merge in, folder or archive.", "PATH")] = None,
    labels: Annotated[
        Path | None, _from("Who does what in them. Default: labels.csv in the folder, where it is.", "FILE.csv")
    ] = None,
    licence: Annotated[str, _from("What may be done with what it is made from, for the data card.", "WORDS")] = "",
    sites: Annotated[str, _sensors("Where sensors sit, or all; see `up --imu`.", "LIST")] = "all",
    sites_file: Annotated[Path | None, _sensors("Sites of your own, see the README.", "FILE.yaml")] = None,
    cutoff: Annotated[
        str, _sensors("Low-pass of the motion: what suits its source, what suits its noise, or Hz.", "usual|noise|HZ")
    ] = "usual",
    preset: Annotated[str, _sensors("Which sensor it is; ideal: one without errors.", "NAME")] = "ideal",
    rate: Annotated[float, _sensors("Samples a second, of all recordings.", "HZ")] = 100.0,
    calibration: Annotated[Path | None, _sensors("What `imu calibrate` has fitted.", "FILE")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Judge persons all the same that the calibration was fitted on.")
    ] = False,
    window: Annotated[float, typer.Option(help="Length of a window.", metavar="S")] = 2.56,
    overlap: Annotated[float, typer.Option(help="Share that two windows have in common.", metavar="SHARE")] = 0.5,
    split: Annotated[
        str, typer.Option(help="Shares of the persons that train, validate and are judged.", metavar="LIST")
    ] = "0.7,0.15,0.15",
    test: Annotated[str, typer.Option(help="Persons that are judged, by name.", metavar="LIST")] = "",
    validation: Annotated[str, typer.Option(help="Persons that validate, by name.", metavar="LIST")] = "",
    format: Annotated[
        str, typer.Option(help="Tables in export/: csv, parquet, both, or none.", metavar="LIST")
    ] = "csv",
    seed: Annotated[int, typer.Option(help="Of sensors and splits.", min=0)] = 0,
    jobs: Annotated[int, typer.Option(help="Recordings at once.", min=1)] = 2,
    engine: Annotated[
        str, typer.Option(help="local: processes of this machine; ray: a cluster (RAY_ADDRESS) that sees the folder.")
    ] = "local",
    backend: Backend = "mediapipe",
    pose_model: PoseModel = "",
    detector: Detector = "",
    generator: Annotated[str, typer.Option(help="What makes motion of prompts: fitmotion or kimodo.")] = "fitmotion",
    weights: Annotated[
        str, typer.Option(help="Of the first: a name that ships, or a folder of `train motion`.", metavar="NAME")
    ] = "motion_stream",
    kimodo_model: Annotated[
        str, typer.Option(help="Of the second, which has to be installed.", metavar="NAME")
    ] = "Kimodo-SMPLX-RP-v1",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Make a data set of sensors that were never worn: bodies, sensors, calibration, windows, tables, a data card.

    Stopped half-way, by Ctrl-C or anything else, the same command goes on; what is done is done again only where its
    input or its settings changed. A recording that can't be used is reported and left out. Further runs into the same
    folder add to it. manifest.jsonl names every recording with its files, hashes, seed and licence; windows.jsonl the
    windows with their labels; DATA_CARD.md shows all of it.

    Labels: labels.csv in the folder of videos or clips with the columns file, subject, trial, label, start_s, end_s,
    licence (all but file may be missing; several lines for a file are spans of it); without it folders say them:
    DIR/SUBJECT/LABEL/file or DIR/LABEL/file. Splits are by person.

    Prompts: a YAML file with `prompts:`, a list of {prompt, label, fms: [1, 2, 3], count, seconds: 6 or [4, 8], path,
    keyframes, keyframe_at, conditioning, subject, trial}; besides `subjects:` (a number, or names with
    {stature: metres}), `defaults:` and `seed:`. `fitmotion describe` writes such a file from videos.

    Examples:

      fitmotion synthesize --videos squats -o dataset --sites pelvis,left_wrist,right_thigh --preset bmi270

      fitmotion synthesize --prompts prompts.yaml -o dataset --rate 50 --format csv,parquet

      fitmotion synthesize --clips motion_set --utd utd-mhad-s1-s7.tar.xz --rate 50 -o dataset --jobs 8

      fitmotion synthesize --clips walks --calibration rank.npz --test anna,ben -o dataset
    """
    from fitmotion_models.datasets.synthesis.export_tables import check_formats
    from fitmotion_models.datasets.synthesis.run import synthesize as run
    from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
    from fitmotion_models.datasets.synthesis.subject_splits import SplitSettings
    from fitmotion_models.datasets.synthesis.windows import WindowSettings

    try:
        formats = [name for name in _names(format) if name != _NO_FORMAT]
        check_formats(formats)
        settings = SynthesisSettings(
            sites=tuple(_names(sites)),
            sites_file="" if sites_file is None else str(sites_file),
            rate_hz=rate,
            cutoff=cutoff,
            preset=preset,
            calibration="" if calibration is None else str(calibration),
            seed=seed,
            backend=backend,
            pose_model=pose_model,
            detector=detector,
            generator=generator,
            weights=weights,
            kimodo_model=kimodo_model,
        )
        windows = WindowSettings(window, overlap)
        windows.samples(rate)
        splits = SplitSettings(_shares(split), _named(test=test, validation=validation), seed)
        given = {"videos": videos, "prompts": prompts, "clips": clips, "real": real, "utd": utd}
        sources = _sources(given, settings, labels, licence)
        finish = _Finish(out, settings, windows, splits, formats, force=force, quiet=as_json)
        finish.check([source.about.subject for source in sources])
        with progress_bar("synthesizing", quiet=as_json) as progress:
            found = run(out, sources, settings, jobs=jobs, engine=engine, progress=progress, finish=finish)
    except (ValueError, RuntimeError, OSError) as error:
        fail(str(error))
    for id, why in found.left_out.items():
        sys.stderr.write(f"left out: {id}: {why}\n")
    if not found.rows:
        fail(f"none of {len(found.left_out)} recordings could be made; why is said above")
    _say(found, finish, as_json)


def _sources(
    given: dict[str, Path | None], settings: "SynthesisSettings", labels: Path | None, licence: str
) -> list[Any]:
    """All that is asked for. Raises ValueError where nothing is, and what the readers say."""
    from fitmotion_models.datasets.synthesis.prompts_file import prompt_sources
    from fitmotion_models.datasets.synthesis.real_recordings import real_sources, utd_sources
    from fitmotion_models.datasets.synthesis.source_folders import clip_sources, video_sources

    readers: dict[str, Callable[[Path], Sequence[Any]]] = {
        "videos": lambda path: video_sources(path, labels, licence),
        "prompts": lambda path: prompt_sources(path, settings),
        "clips": lambda path: clip_sources(path, labels, licence),
        "real": lambda path: real_sources(path, licence),
        "utd": utd_sources,
    }
    if not any(given.values()):
        raise ValueError(f"nothing to synthesize; give one or more of {', '.join(f'--{name}' for name in readers)}")
    if labels is not None and given["videos"] is not None and given["clips"] is not None:
        raise ValueError("--labels belongs to one folder; put a labels.csv into the folders of videos and of clips")
    if given["prompts"] is not None and settings.generator == "kimodo":
        from fitmotion_models.datasets.synthesis.kimodo import check_kimodo

        check_kimodo()
    if given["videos"] is not None:
        from fitmotion_models.pose.backends import check_choice

        check_choice(settings.pose_backend)
    return [source for name, path in given.items() if path is not None for source in readers[name](path)]


class _Finish:
    """What is done with a data set when its recordings are there: merge, tables, card."""

    def __init__(
        self,
        out: Path,
        settings: "SynthesisSettings",
        windows: "WindowSettings",
        splits: "SplitSettings",
        formats: Sequence[str],
        *,
        force: bool,
        quiet: bool,
    ) -> None:
        self._out, self._settings, self._windows, self._splits = out, settings, windows, splits
        self._formats, self._force, self._quiet = formats, force, quiet
        self._fitted = settings.calibrated_on()
        self.windows = 0
        self.short: tuple[str, ...] = ()
        self.files: list[Path] = []

    def check(self, subjects: Sequence[str]) -> None:
        """What the splits would refuse, before anything is made."""
        from fitmotion_models.datasets.synthesis.subject_splits import split_subjects

        unknown = sorted(set(self._splits.named) - set(subjects))
        if unknown and not (self._out / "manifest.jsonl").is_file():
            known = ", ".join(sorted(set(subjects))[:20])
            raise ValueError(f"nobody is called {', '.join(unknown)}; there are {known}")
        split_subjects(subjects, self._splits, fitted=self._fitted, force=self._force)

    def __call__(self, found: "Synthesis") -> None:
        """Do it."""
        from fitmotion_models.datasets.synthesis.card_figures import card_figures
        from fitmotion_models.datasets.synthesis.data_card import settings_of_run, write_card
        from fitmotion_models.datasets.synthesis.export_tables import export
        from fitmotion_models.datasets.synthesis.merge import merge, read_windows
        from fitmotion_models.datasets.synthesis.settings import plain
        from fitmotion_models.viewer.data_card_pictures import save_card_pictures

        if not found.rows:
            return
        with progress_bar("cutting windows", quiet=self._quiet) as progress:
            merged = merge(
                self._out,
                found.rows,
                self._windows,
                self._splits,
                fitted=self._fitted,
                force=self._force,
                progress=progress,
            )
        found.rows, self.windows, self.short = list(merged.rows), merged.windows, merged.short
        windows = read_windows(self._out)
        with progress_bar("writing tables", quiet=self._quiet) as progress:
            self.files = export(self._out, merged.rows, windows, self._formats, progress)
        with progress_bar("drawing the card", quiet=self._quiet) as progress:
            figures = card_figures(self._out, merged.rows, windows, progress)
        said = settings_of_run(self._settings, windows=plain(self._windows), splits=plain(self._splits))
        pictures = save_card_pictures(self._out, figures)
        self.files.append(write_card(self._out, figures, said, pictures, found.left_out, self._formats))


def _say(found: "Synthesis", finish: _Finish, as_json: bool) -> None:
    splits = {name: sum(row.split == name for row in found.rows) for name in ("train", "validation", "test")}
    if as_json:
        content = {
            "recordings": len(found.rows),
            "kept": found.kept,
            "made": found.made,
            "left_out": found.left_out,
            "windows": finish.windows,
            "splits": splits,
            "files": [str(path) for path in finish.files],
        }
        sys.stdout.write(json.dumps(content, indent=2, allow_nan=False) + "\n")
        return
    stages = ", ".join(f"{name} {count}" for name, count in found.made.items()) or "nothing"
    typer.echo(f"{len(found.rows)} recordings ({found.kept} as they were; done now: {stages})")
    said = ", ".join(f"{count} {name}" for name, count in splits.items())
    typer.echo(f"{finish.windows} windows; recordings by split: {said}")
    if finish.short:
        typer.echo(f"{len(finish.short)} recordings are shorter than a window")
    for path in finish.files:
        typer.echo(f"written: {path}")


def _names(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, validation, test = (float(word) for word in _names(text))
    except ValueError:
        raise ValueError(f"--split {text}: give three shares such as 0.7,0.15,0.15") from None
    return train, validation, test


def _named(**splits: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for split, text in splits.items():
        for name in _names(text):
            if name in found:
                raise ValueError(f"{name} is named for {found[name]} and for {split}; a person is in one split")
            found[name] = split
    return found
