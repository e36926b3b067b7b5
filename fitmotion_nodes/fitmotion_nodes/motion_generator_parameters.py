"""The parameters of the motion_generator node."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fitmotion_nodes.parameters import ParameterError, StreamParameters, check_subject, parameter

if TYPE_CHECKING:
    from fitmotion_models.motion.condition import MotionCondition
    from fitmotion_models.motion.streamer import Place

ENGINES = ("auto", "onnx", "cpu", "cuda", "onnx-tensorrt", "tensorrt", "torch")  # those of motion.sampler
ANY_SCORE, FROM_ASSESSMENT = "any", "from_assessment"
SCORES = (ANY_SCORE, "0", "1", "2", "3", FROM_ASSESSMENT)


@dataclass(frozen=True)
class MotionGeneratorParameters(StreamParameters):
    """Parameters of the motion_generator node."""

    autostart: bool = parameter(True, "configure and activate on start; false: wait for the lifecycle services")
    weights: str = parameter("motion_stream", "what generates: a shipped name, or a path to weights of the same form")
    engine: str = parameter(
        "auto",
        "what runs the network; auto: the fastest that is here",
        choices=ENGINES,
    )
    threads: int = parameter(1, "processor threads of the network", at_least=1, at_most=256)
    guided: bool = parameter(False, "run the network in all its steps: slower, a little truer")
    rate_hz: float = parameter(30.0, "poses a second on generated/body_pose", at_least=1.0, at_most=200.0)
    subject: str = parameter("generated", "name of the generated body, which heads its frames")
    world_frame: str = parameter("world", "frame of the poses; commands must be in it, or name none")
    prompt: str = parameter("", "what is generated from the start; empty: the body stands until a command comes")
    fms_score: str = parameter(
        ANY_SCORE,
        "level of that: any, 0 to 3; from_assessment: what the watched person does, at the score that they just got, "
        "and beside it a second body at the best",
        choices=SCORES,
    )
    follow: str = parameter(
        "", "with from_assessment: the one person whose results are followed; empty: whoever is assessed"
    )
    seed: int = parameter(0, "of what is generated from the start and from assessments", at_least=0, at_most=2**31 - 1)
    place_x: float = parameter(0.0, "where the body begins, m in the world frame", at_least=-100.0, at_most=100.0)
    place_y: float = parameter(
        0.0,
        "likewise, to the left; with from_assessment the second body begins as far on the other side",
        at_least=-100.0,
        at_most=100.0,
    )
    place_heading: float = parameter(
        0.0, "which way it faces at first, radians from x to the left", at_least=-math.pi, at_most=math.pi
    )
    command_timeout_s: float = parameter(
        0.0,
        "without a command for so long the body holds and fades to standing; 0: the last command stands",
        at_least=0.0,
        at_most=86400.0,
        dynamic=True,
    )
    clean_up: bool = parameter(True, "keep feet that stand from sliding, and everything over the floor")

    def check_together(self) -> None:
        """The subject is a name; nobody is followed whose results are not used."""
        super().check_together()
        check_subject(self.subject)
        if self.follow and self.fms_score != FROM_ASSESSMENT:
            raise ParameterError(
                f"follow={self.follow!r} with fms_score={self.fms_score}: results are followed with "
                f"fms_score={FROM_ASSESSMENT} only"
            )
        if self.prompt and self.fms_score == FROM_ASSESSMENT:
            raise ParameterError(
                f"prompt={self.prompt!r} with fms_score={FROM_ASSESSMENT}: what is generated is what the watched "
                "person does; leave prompt empty, or give a score"
            )
        if self.prompt:
            self._check_prompt()

    def _check_prompt(self) -> None:
        try:
            self.first_condition()
        except ImportError:
            return  # `ros2 launch` runs without NumPy's friends; the node itself looks again
        except ValueError as error:
            raise ParameterError(f"prompt: {error}") from None

    @property
    def follows(self) -> bool:
        """Whether the watched person's results decide."""
        return self.fms_score == FROM_ASSESSMENT

    def first_condition(self) -> "MotionCondition":
        """What is generated from the start. Raises ValueError for a prompt that cannot be."""
        from fitmotion_models.motion.condition import MotionCondition

        return MotionCondition(
            self.prompt, score=None if self.fms_score == ANY_SCORE else int(self.fms_score), seed=self.seed
        )

    def places(self) -> "dict[str, Place]":
        """The bodies' names, and where each begins."""
        from fitmotion_models.motion.streamer import Place

        first = {self.subject: Place(self.place_x, self.place_y, self.place_heading)}
        second = {f"{self.subject}_2": Place(self.place_x, -self.place_y, self.place_heading)}
        return first | second if self.follows else first
