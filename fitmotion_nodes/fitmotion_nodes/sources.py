"""What `up` plays: the source that was asked for or the best there is, checked before anything starts."""

from dataclasses import dataclass
from pathlib import Path

from fitmotion_nodes.parameters import is_live_source

BUILT_IN_SUBJECT = "subject"


@dataclass(frozen=True)
class Choice:
    """One of source (camera), sources (a rig's cameras), replay (clip file) and mover is given, or nobody is watched.

    notice: what a person should be told.
    """

    source: str = ""
    sources: tuple[str, ...] = ()
    replay: str = ""
    mover: str = ""
    notice: str = ""

    @property
    def watches(self) -> bool:
        """Whether there is anybody to watch; else motion is generated alone."""
        return bool(self.source or self.sources or self.replay or self.mover)

    @property
    def title(self) -> str:
        """What plays, in a few words."""
        if not self.watches:
            return "generated motion"
        if self.sources:
            return f"{len(self.sources)} cameras: {', '.join(self.sources)}"
        if self.source:
            return f"webcam {self.source}" if self.source.isdecimal() else self.source
        return self.replay or f"built-in subject {self.mover}"

    @property
    def short_title(self) -> str:
        """The same for a page that may be passed on: without folders, and without a network camera's password."""
        if self.sources:
            return f"{len(self.sources)} cameras"
        scheme, separator, rest = self.title.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}" if separator else Path(self.title).name


def choose(
    source: str = "", replay: str = "", mover: str = "", sources: tuple[str, ...] = (), *, generate: bool = False
) -> Choice:
    """The source that was asked for, or a rig's; with none the first webcam, without one the built-in subject.

    generate: motion is generated, and with no source nothing else. Raises ValueError, one sentence, for more than one,
    and for what cannot be used.
    """
    asked = {"--source": source or sources, "--replay": replay, "--mover": mover}
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} exclude each other; give one of them")
    if given:
        choice = Choice(source=source, sources=sources, replay=replay, mover=mover)
        check(choice)
        return choice
    if generate:
        return Choice()
    webcam = first_webcam()
    if webcam is not None:
        return Choice(source=webcam, notice=f"no --source: using webcam {webcam}")
    return Choice(
        mover=BUILT_IN_SUBJECT,
        notice="no --source and no webcam: showing the built-in subject, a moving body with known faults",
    )


def check(choice: Choice) -> None:
    """Raises ValueError, one sentence, when the source cannot be used. Network cameras are left to the camera node."""
    if choice.mover:
        from fitmotion_models.mover import MOVERS

        if choice.mover not in MOVERS:
            raise ValueError(f"mover {choice.mover!r} is unknown; known: {', '.join(MOVERS)}")
    elif choice.replay:
        from fitmotion_models.skeleton.clip_file import load_clip
        from fitmotion_nodes.recordings import SUFFIX, load_poses

        if not Path(choice.replay).expanduser().is_file():
            raise ValueError(f"{choice.replay}: no such file")
        if choice.replay.endswith(SUFFIX):
            load_poses(Path(choice.replay).expanduser())
        else:
            load_clip(Path(choice.replay).expanduser())
    else:
        from fitmotion_models.pose.image_source import open_source

        for source in choice.sources or (choice.source,):
            if "://" not in source:
                open_source(source).close()


def first_webcam() -> str | None:
    """The number of the first webcam that gives images, None where there is none."""
    from fitmotion_models.pose.image_source import SourceError, open_source

    numbers = sorted(
        int(path.name.removeprefix("video"))
        for path in Path("/dev").glob("video*")
        if path.name.removeprefix("video").isdecimal()
    )
    for number in numbers:  # one camera has several devices, and only some of them give images
        try:
            open_source(str(number)).close()
        except SourceError:
            continue
        return str(number)
    return None


def is_live(choice: Choice) -> bool:
    """Whether it has no end of its own."""
    return any(is_live_source(source) for source in choice.sources or (choice.source,) if source)
