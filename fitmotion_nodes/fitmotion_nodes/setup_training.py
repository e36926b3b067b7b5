"""Installs what training needs, the lock's [training] section, the first time that a command needs it.

Started by the commands themselves, as `python -m fitmotion_nodes.setup_training`. Standard library only.
"""

from __future__ import annotations

import sys

from fitmotion_nodes.setup_environment import install_section
from fitmotion_nodes.setup_layout import Layout
from fitmotion_nodes.setup_progress import SetupError

SIZE = "220 MB to download, 1 GB on disk"


def install_training(layout: Layout) -> None:
    """Install the section, once, from the indexes that pip knows. Raises SetupError when it cannot be had.

    The plain torch of Linux brings CUDA, 3 GB of it: the index has to hold PyTorch's build for the CPU.
    """
    install_section(layout, "training", f"Libraries for training ({SIZE})")


def main() -> int:
    """Install; returns the exit status."""
    try:
        install_training(Layout.of_this_process())
    except SetupError as error:
        sys.stderr.write(
            f"fitmotion: what training needs (torch, scikit-learn, transformers; {SIZE}) can't be installed: {error}; "
            "this needs a network once, and an index that holds PyTorch's build for the CPU (PIP_EXTRA_INDEX_URL names "
            "a further one to pip); everything else goes on without it\n"
        )
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nfitmotion: interrupted; run it again to go on\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
