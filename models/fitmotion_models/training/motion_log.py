"""The log of a training stage as a picture."""

import csv
from pathlib import Path

_SIZE_INCHES = (9.0, 5.0)


def save_log_picture(log: Path, path: Path) -> Path:
    """Draw a stage's losses over its steps, on a logarithmic axis; returns the path. Nothing is drawn of no log."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with log.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = [int(line["step"]) for line in lines]
    for name in list(lines[0])[2:] if lines else []:
        style = {"linewidth": 2.5, "color": "black"} if name == "total" else {"linewidth": 1.2}
        axes.plot(steps, [float(line[name]) for line in lines], label=name, **style)
    axes.set(xlabel="step", ylabel="loss", yscale="log", title=log.stem)
    axes.grid(alpha=0.3)
    axes.legend(ncols=3)
    figure.savefig(path, dpi=110)
    return path
