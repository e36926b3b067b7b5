"""The tables. A change of them is one more entry of `MIGRATIONS`; what is there is never edited.

Words instead of numbers for movements, sides and verdicts, so that other programs can read the file. Times are UTC in
ISO 8601, dates ISO 8601, lengths metres, seconds of a repetition on the clock of its recording. NULL: not measured.
name_folded: the name as `rows.folded` has it, as SQLite folds the case of ASCII alone.
Whatever hangs on a person goes with the person (ON DELETE CASCADE).
"""

APPLICATION_ID = 0x464D5331  # "FMS1": what tells our file from another program's

# in the order in which they are copied: what is referred to comes first
TABLES = (
    *("person", "session", "repetition", "criterion", "clip", "picture"),
    *("grade", "pain", "clearing", "run_file"),
)

_FIRST = (
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL CHECK (length(trim(name)) > 0),
        name_folded TEXT NOT NULL UNIQUE,
        birth_year INTEGER CHECK (birth_year BETWEEN 1900 AND 2200),
        height_m REAL CHECK (height_m BETWEEN 0.4 AND 2.6),
        consent INTEGER NOT NULL DEFAULT 0 CHECK (consent IN (0, 1)),
        consent_date TEXT,
        CHECK (consent = 0 OR consent_date IS NOT NULL))""",
    """CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
        started TEXT NOT NULL,
        measured_by TEXT NOT NULL,
        device TEXT NOT NULL)""",
    "CREATE INDEX session_of_person ON session(person_id, started)",
    """CREATE TABLE repetition (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        movement TEXT NOT NULL,
        variation TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('both', 'left', 'right')),
        trial INTEGER NOT NULL,
        repetition INTEGER NOT NULL,
        score INTEGER NOT NULL CHECK (score BETWEEN -1 AND 3),
        reason TEXT NOT NULL,
        confidence REAL,
        scorer TEXT NOT NULL,
        stamp_s REAL NOT NULL,
        start_s REAL NOT NULL,
        end_s REAL NOT NULL,
        learned_score INTEGER NOT NULL,
        disagreement INTEGER NOT NULL CHECK (disagreement IN (0, 1)),
        pain INTEGER NOT NULL CHECK (pain IN (0, 1)),
        UNIQUE (session_id, movement, variation, side, trial, repetition))""",
    """CREATE TABLE criterion (
        id INTEGER PRIMARY KEY,
        repetition_id INTEGER NOT NULL REFERENCES repetition(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        value REAL,
        threshold REAL,
        unit TEXT NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('met', 'not_met', 'not_seen')),
        joints TEXT NOT NULL,
        advice TEXT NOT NULL,
        UNIQUE (repetition_id, position))""",
    """CREATE TABLE grade (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        movement TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('both', 'left', 'right')),
        score INTEGER NOT NULL CHECK (score BETWEEN -1 AND 3),
        reason TEXT NOT NULL,
        graded_by TEXT NOT NULL,
        given TEXT NOT NULL)""",
    "CREATE INDEX grade_of_session ON grade(session_id)",
    """CREATE TABLE pain (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        movement TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('both', 'left', 'right')),
        UNIQUE (session_id, movement, side))""",
    """CREATE TABLE clearing (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        test TEXT NOT NULL,
        pain INTEGER NOT NULL CHECK (pain IN (0, 1)),
        UNIQUE (session_id, test))""",
    """CREATE TABLE run_file (
        id INTEGER PRIMARY KEY,
        session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        UNIQUE (session_id, path))""",
)

_SEX = "sex TEXT NOT NULL DEFAULT 'unknown' CHECK (sex IN ('unknown', 'female', 'male'))"
_HAND = "hand_length_m REAL CHECK (hand_length_m BETWEEN 0.05 AND 0.35)"

# What scores depend on beside the motion; a screen that goes on after a crash; motion and pictures of a repetition.
# session.finished: NULL while its screen is open; movement to trial: what was under way last. runner: the process that
# began it. clip.npz: a MotionClip as `skeleton/clip_file.py` writes it. picture.jpeg: a key frame, the face blurred.
_SECOND = (
    f"ALTER TABLE person ADD COLUMN {_HAND}",
    f"ALTER TABLE person ADD COLUMN {_SEX}",
    "ALTER TABLE session ADD COLUMN finished TEXT",
    "ALTER TABLE session ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0 CHECK (abandoned IN (0, 1))",
    "ALTER TABLE session ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE session ADD COLUMN runner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE session ADD COLUMN height_m REAL CHECK (height_m BETWEEN 0.4 AND 2.6)",
    f"ALTER TABLE session ADD COLUMN {_HAND}",
    f"ALTER TABLE session ADD COLUMN {_SEX}",
    "ALTER TABLE session ADD COLUMN movement TEXT",
    "ALTER TABLE session ADD COLUMN variation TEXT",
    "ALTER TABLE session ADD COLUMN side TEXT",
    "ALTER TABLE session ADD COLUMN trial INTEGER",
    "UPDATE session SET finished = started",
    "ALTER TABLE grade ADD COLUMN beside INTEGER NOT NULL DEFAULT 0 CHECK (beside IN (0, 1))",
    "ALTER TABLE pain ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE clearing ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE clip (
        id INTEGER PRIMARY KEY,
        repetition_id INTEGER NOT NULL UNIQUE REFERENCES repetition(id) ON DELETE CASCADE,
        npz BLOB NOT NULL)""",
    """CREATE TABLE picture (
        id INTEGER PRIMARY KEY,
        repetition_id INTEGER NOT NULL REFERENCES repetition(id) ON DELETE CASCADE,
        name TEXT NOT NULL CHECK (length(name) > 0),
        jpeg BLOB NOT NULL,
        UNIQUE (repetition_id, name))""",
)

# Entry k takes a file from version k to k + 1.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
