"""What is said at each step of a screen: to the person, to whoever measures, and where the camera goes.

The tests and clearing tests are those of Cook, Burton and Hoogenboom (2006, North American Journal of Sports Physical
Therapy 1, 62 and 132), in words of our own.
"""

from dataclasses import dataclass

from fitmotion_models.fms.screen import ClearingTest
from fitmotion_models.fms.values import Movement, Side, Variation
from fitmotion_models.viewer.screen_guide import Step


@dataclass(frozen=True)
class CameraPlace:
    """Where the camera stands. bearing_deg: around the person, 0 in front, 90 at their left. height: in words."""

    words: str
    bearing_deg: float
    height: str


@dataclass(frozen=True)
class TestText:
    """needs: equipment, empty for none. say: sentences to the person; {side} is the side to do, {other} the other."""

    __test__ = False  # no test of pytest's

    needs: str
    say: tuple[str, ...]
    camera: CameraPlace
    note: str = ""


_SIDE_ON = "Beside the person, 3 m away"
TEST_TEXTS: dict[Movement, TestText] = {
    Movement.DEEP_SQUAT: TestText(
        needs="a dowel",
        say=(
            "Stand with the feet shoulder-wide, toes straight ahead, the dowel overhead with straight elbows.",
            "Squat as deep as you can: heels on the floor, chest up, the dowel overhead.",
            "Hold it for a moment and come back up.",
        ),
        camera=CameraPlace(f"{_SIDE_ON}; turn it a little to the front if the knees matter.", 60.0, "at hip height"),
    ),
    Movement.HURDLE_STEP: TestText(
        needs="a dowel; a cord across, just below the kneecap",
        say=(
            "Stand with the feet together, toes at the hurdle, the dowel across the shoulders.",
            "Lift the {side} leg over the hurdle, touch the floor with the heel, and bring it back.",
            "Stay tall: the standing leg straight, the dowel level.",
        ),
        camera=CameraPlace("In front of the person, 3 m away, a little to one side.", 30.0, "at hip height"),
        note="The side is the leg that steps over.",
    ),
    Movement.INLINE_LUNGE: TestText(
        needs="a dowel; a line on the floor",
        say=(
            "Stand on the line with the {side} foot in front, one shin's length between heel and toe.",
            "Hold the dowel behind the back: it touches head, upper back and tailbone.",
            "Lower the back knee to the line behind the front heel, and come back up. The dowel stays upright.",
        ),
        camera=CameraPlace(f"{_SIDE_ON}, a little to the front.", 60.0, "at hip height"),
        note="The side is the foot in front.",
    ),
    Movement.SHOULDER_MOBILITY: TestText(
        needs="the length of the person's hand (entered at the start)",
        say=(
            "Stand upright and make fists, the thumbs inside.",
            "In one movement, reach down behind the neck with the {side} hand and up the back with the other.",
            "Bring the fists as near to each other as they go, without creeping on, and hold.",
        ),
        camera=CameraPlace("Behind the person, 2.5 m away.", 180.0, "at chest height"),
        note="The side is the hand above. Bare or tight clothes: the fists have to be seen.",
    ),
    Movement.ACTIVE_STRAIGHT_LEG_RAISE: TestText(
        needs="a mat; a board under the knees",
        say=(
            "Lie on the back, arms beside you, palms up, both legs straight and toes up.",
            "Lift the {side} leg as high as it goes with the knee straight.",
            "The other leg stays straight and on the floor.",
        ),
        camera=CameraPlace("Beside the raised leg, 3 m away.", 90.0, "30 cm above the floor"),
    ),
    Movement.TRUNK_STABILITY_PUSH_UP: TestText(
        needs="a mat",
        say=(
            "Lie face down, feet together, hands shoulder-wide: thumbs at {hands}.",
            "Lift the knees off the floor and push the body up as one piece, without sagging in the back.",
        ),
        camera=CameraPlace("Beside the person, 3 m away.", 90.0, "30 cm above the floor"),
        note="If that fails, once more with the thumbs at {lower_hands}: that is worth a 2.",
    ),
    Movement.ROTARY_STABILITY: TestText(
        needs="a mat",
        say=(
            "On hands and knees: hips and shoulders at right angles, the back flat.",
            "Lift the {side} hand and the {side} knee at once, stretch them, then bring elbow and knee together, and "
            "stretch again.",
            "Keep the back level.",
        ),
        camera=CameraPlace("Beside the moving side, 3 m away.", 90.0, "30 cm above the floor"),
        note="The side is the hand that moves.",
    ),
}

# What replaces the instruction in an easier form.
FORM_TEXTS: dict[Variation, tuple[str, ...]] = {
    Variation.DEEP_SQUAT_BOARD: (
        "The squat on the floor was not a 3. Put both heels on the two-inch board.",
        "Squat as deep as you can again: chest up, the dowel overhead. Clean on the board is a 2.",
    ),
    Variation.ROTARY_STABILITY_DIAGONAL_LEFT: (
        "The same side was not possible. Now the left hand and the right knee.",
        "Lift both, stretch them, bring elbow and knee together, and stretch again. Clean is a 2.",
    ),
    Variation.ROTARY_STABILITY_DIAGONAL_RIGHT: (
        "The same side was not possible. Now the right hand and the left knee.",
        "Lift both, stretch them, bring elbow and knee together, and stretch again. Clean is a 2.",
    ),
}

CLEARING_TEXTS: dict[ClearingTest, tuple[str, ...]] = {
    ClearingTest.SHOULDER_IMPINGEMENT: (
        "Put the palm on the opposite shoulder and lift the elbow as high as it goes, the palm stays. Then the other "
        "side.",
        "Does that hurt on either side?",
    ),
    ClearingTest.PRESS_UP_EXTENSION: (
        "Lie face down, hands under the shoulders, and push the chest up with the hips on the floor.",
        "Does that hurt?",
    ),
    ClearingTest.ROCKING_FLEXION: (
        "On hands and knees, rock back until the seat touches the heels and the chest the thighs; arms stretched out "
        "in front.",
        "Does that hurt?",
    ),
}

# Where the thumbs are for a 3, and for a 2 (Cook 2006); without a sex entered both are told.
_HANDS = {"male": ("the forehead", "the chin"), "female": ("the chin", "the collarbone")}
_HANDS_OF_ALL = ("the forehead (men) or the chin (women)", "the chin (men) or the collarbone (women)")


def say(step: Step, sex: str = "") -> tuple[str, ...]:
    """The sentences of a step to the person. sex: "male", "female" or empty for not entered."""
    if step.clearing is not None:
        return CLEARING_TEXTS[step.clearing]
    return tuple(_filled(text, step, sex) for text in FORM_TEXTS.get(step.variation, TEST_TEXTS[step.movement].say))


def note(step: Step, sex: str = "") -> str:
    """What whoever measures has to know of a step, empty for nothing."""
    return "" if step.clearing is not None else _filled(TEST_TEXTS[step.movement].note, step, sex)


def _filled(text: str, step: Step, sex: str) -> str:
    side, other = ("right", "left") if step.side is Side.RIGHT else ("left", "right")
    hands, lower = _HANDS.get(sex, _HANDS_OF_ALL)
    return text.format(side=side, other=other, hands=hands, lower_hands=lower)
