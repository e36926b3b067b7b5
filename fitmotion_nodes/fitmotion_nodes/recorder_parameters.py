"""The parameters of the recorder node."""

import re
from dataclasses import dataclass
from pathlib import Path

from fitmotion_nodes.parameters import ParameterError, StreamParameters, parameter

# those of mcap_files.py, which is not imported here: `ros2 launch` reads this file with a Python that has no mcap
COMPRESSIONS = ("none", "lz4", "zstd")


@dataclass(frozen=True)
class RecorderParameters(StreamParameters):
    """Parameters of the recorder node."""

    path: str = parameter(
        "recording.mcap", "file to record into (.mcap); where it is there already the next free name-2.mcap is taken"
    )
    compressed_images: bool = parameter(False, "record compressed images too; raw images never are")
    exclude: str = parameter("", "regular expression of the topics (whole names) that are left out; empty: none")
    compression: str = parameter("zstd", "of the chunks of the file", choices=COMPRESSIONS)
    flush_s: float = parameter(
        0.5, "seconds between two chunks: what a crash of this node can lose", at_least=0.05, at_most=60.0
    )
    queue_mb: float = parameter(
        64.0,
        "messages kept in memory while the disk is slow, megabytes; those beyond are dropped and counted",
        at_least=1.0,
        at_most=10000.0,
    )
    min_free_mb: float = parameter(
        100.0,
        "megabytes of the disk that are left to others: with less than this, recording stops until there is more",
        at_least=0.0,
        at_most=1e6,
    )

    def check_together(self) -> None:
        """The file is an .mcap, the expression is one."""
        super().check_together()
        if Path(self.path).suffix != ".mcap":
            raise ParameterError(f"path={self.path!r} names no recording; give a file that ends in .mcap")
        try:
            re.compile(self.exclude)
        except re.error as error:
            raise ParameterError(f"exclude={self.exclude!r} is no regular expression: {error}") from None
