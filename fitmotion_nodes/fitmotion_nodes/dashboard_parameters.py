"""The parameters of the dashboard node."""

from dataclasses import dataclass

from fitmotion_nodes.parameters import NodeParameters, ParameterError, parameter


@dataclass(frozen=True)
class DashboardParameters(NodeParameters):
    """Parameters of the dashboard node."""

    host: str = parameter(
        "127.0.0.1",
        "address that the page is served on; 127.0.0.1: this machine only, 0.0.0.0: everybody in the network, who then "
        "see the camera's picture and can press the buttons",
    )
    port: int = parameter(8080, "port of the page; 0: any free one, which the log tells", at_least=0, at_most=65535)
    rate_hz: float = parameter(
        15.0,
        "how often the page is updated at most; nothing is updated while no browser looks",
        at_least=0.5,
        at_most=60.0,
        dynamic=True,
    )
    picture_fps: float = parameter(
        10.0, "pictures a second of the camera at most", at_least=0.1, at_most=60.0, dynamic=True
    )
    world_frame: str = parameter("world", "frame that body poses must be in; others are refused and counted")
    timeline_s: float = parameter(30.0, "seconds of a test that the timeline shows", at_least=5.0, at_most=600.0)
    sensor_s: float = parameter(5.0, "seconds of an inertial sensor that are drawn", at_least=1.0, at_most=20.0)
    lossless: bool = parameter(
        False, "the graph runs in media time: results from before the page was opened are fetched, latencies not shown"
    )
    motion: str = parameter(
        "",
        "controls of the motion generator; beside: with those of the test; alone: nobody is watched; empty: none",
        choices=("", "beside", "alone"),
    )
    guided: bool = parameter(False, "lead through a whole screen, step by step, instead of showing single tests")
    person: str = parameter("", "name or code that the form of a guided screen begins with")
    measured_by: str = parameter("", "who measures, in the form of a guided screen")
    stature_m: float = parameter(0.0, "the person's stature in the form, m; 0: not entered", at_least=0.0, at_most=2.6)
    hand_length_m: float = parameter(
        0.0, "the person's hand length in the form, m; 0: not entered", at_least=0.0, at_most=0.3
    )
    sex: str = parameter("", "the person's sex in the form: female, male or empty", choices=("", "female", "male"))
    recognise: bool = parameter(
        False, "in a guided screen, score whatever test is done as the test that it is, instead of the step shown"
    )
    reports: str = parameter(
        "", "files (.html, .pdf) that the page hands out once they are there, separated by commas; empty: none"
    )

    def check_together(self) -> None:
        """There is a host."""
        if not self.host:
            raise ParameterError("host is empty; give 127.0.0.1 for this machine only or 0.0.0.0 for everybody")
