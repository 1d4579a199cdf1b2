"""Defines the gradebook's tables and views, and migrates older files; `store` says what each is for."""

from __future__ import annotations

VERSION = 15
APPLICATION_ID = 0x47524144  # "GRAD"

FIRST = f"""
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    student TEXT NOT NULL,
    week TEXT NOT NULL,
    submission TEXT NOT NULL,
    assignment TEXT NOT NULL,
    grader TEXT NOT NULL,
    seed TEXT NOT NULL,
    score INTEGER NOT NULL,
    max_score INTEGER NOT NULL,
    broken INTEGER NOT NULL,
    report TEXT NOT NULL
);
CREATE INDEX attempts_by_student ON attempts (student, week, id);
CREATE TABLE problems (student TEXT NOT NULL, week TEXT, message TEXT NOT NULL);
CREATE VIEW current AS
    SELECT * FROM attempts AS attempt WHERE NOT EXISTS (
        SELECT 1 FROM attempts AS later
        WHERE later.student = attempt.student AND later.week = attempt.week AND later.id > attempt.id
    );
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = 1;
"""

# Each script turns a file of one version into the next, from version 1 on; a new file goes through all of them.
MIGRATIONS = (
    """
CREATE TABLE overrides (
    id INTEGER PRIMARY KEY,
    student TEXT NOT NULL,
    week TEXT NOT NULL,
    task TEXT NOT NULL,
    points INTEGER,
    why TEXT NOT NULL,
    who TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX overrides_by_student ON overrides (student, week, task, id);
CREATE TABLE late (
    student TEXT NOT NULL,
    week TEXT NOT NULL,
    days INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (student, week)
);
CREATE VIEW checks AS
    SELECT attempts.id AS attempt, attempts.student, attempts.week,
        json_extract(line.value, '$.id') AS "check", json_extract(line.value, '$.task') AS task,
        json_extract(line.value, '$.outcome') AS outcome, json_extract(line.value, '$.points') AS points,
        json_extract(line.value, '$.max_points') AS max_points
    FROM attempts, json_each(attempts.report, '$.checks') AS line;
PRAGMA user_version = 2;
""",
    """
CREATE TABLE roster (student TEXT PRIMARY KEY, section TEXT NOT NULL);
CREATE TABLE digests (assignment TEXT NOT NULL, "check" TEXT NOT NULL, digest TEXT NOT NULL);
CREATE UNIQUE INDEX digests_by_check ON digests (assignment, "check");
PRAGMA user_version = 3;
""",
    """
CREATE TABLE runs (week TEXT PRIMARY KEY, seed TEXT NOT NULL);
PRAGMA user_version = 4;
""",
    """
CREATE TABLE refusals (
    name TEXT NOT NULL, digest TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (name, digest)
);
PRAGMA user_version = 5;
""",
    """
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    called TEXT NOT NULL,
    named_by TEXT NOT NULL DEFAULT 'entry',
    folder TEXT NOT NULL UNIQUE,
    section TEXT NOT NULL DEFAULT '',
    team TEXT NOT NULL DEFAULT '',
    listed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE marks (
    id INTEGER PRIMARY KEY, person INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (person, kind, value)
);
CREATE TABLE entries (
    person INTEGER NOT NULL, week TEXT NOT NULL, folder TEXT NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (person, week)
);
INSERT INTO people (name, called, folder)
    SELECT student, student, safe_name(student) FROM (
        SELECT student FROM attempts UNION SELECT student FROM overrides UNION SELECT student FROM late
        UNION SELECT student FROM problems UNION SELECT student FROM roster
    ) ORDER BY student;
INSERT INTO marks (person, kind, value) SELECT id, 'name', name FROM people;
INSERT INTO marks (person, kind, value) SELECT id, 'entry', name FROM people;
UPDATE people SET listed = 1, named_by = 'roster',
    section = (SELECT section FROM roster WHERE student = name)
    WHERE name IN (SELECT student FROM roster);
DROP TABLE roster;
DROP VIEW current;
DROP VIEW checks;
CREATE TABLE attempts_of_people (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    week TEXT NOT NULL,
    submission TEXT NOT NULL,
    assignment TEXT NOT NULL,
    grader TEXT NOT NULL,
    seed TEXT NOT NULL,
    score INTEGER NOT NULL,
    max_score INTEGER NOT NULL,
    broken INTEGER NOT NULL,
    report TEXT NOT NULL
);
INSERT INTO attempts_of_people
    SELECT attempts.id, people.id, week, submission, assignment, grader, seed, score, max_score, broken, report
    FROM attempts JOIN people ON people.name = student;
DROP TABLE attempts;
ALTER TABLE attempts_of_people RENAME TO attempts;
CREATE INDEX attempts_by_person ON attempts (person, week, id);
CREATE TABLE overrides_of_people (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    week TEXT NOT NULL,
    task TEXT NOT NULL,
    points INTEGER,
    why TEXT NOT NULL,
    who TEXT NOT NULL,
    at TEXT NOT NULL
);
INSERT INTO overrides_of_people
    SELECT overrides.id, people.id, week, task, points, why, who, at
    FROM overrides JOIN people ON people.name = student;
DROP TABLE overrides;
ALTER TABLE overrides_of_people RENAME TO overrides;
CREATE INDEX overrides_by_person ON overrides (person, week, task, id);
CREATE TABLE late_people (
    person INTEGER NOT NULL, week TEXT NOT NULL, days INTEGER NOT NULL, percent INTEGER NOT NULL,
    PRIMARY KEY (person, week)
);
INSERT INTO late_people SELECT people.id, week, days, percent FROM late JOIN people ON people.name = student;
DROP TABLE late;
ALTER TABLE late_people RENAME TO late;
CREATE TABLE problems_of_people (person INTEGER NOT NULL, week TEXT, message TEXT NOT NULL);
INSERT INTO problems_of_people SELECT people.id, week, message FROM problems JOIN people ON people.name = student;
DROP TABLE problems;
ALTER TABLE problems_of_people RENAME TO problems;
CREATE VIEW latest AS
    SELECT people.name AS student, attempt.* FROM attempts AS attempt JOIN people ON people.id = attempt.person
    WHERE NOT EXISTS (
        SELECT 1 FROM attempts AS later
        WHERE later.person = attempt.person AND later.week = attempt.week AND later.id > attempt.id
    );
CREATE VIEW current AS
    SELECT * FROM latest WHERE NOT EXISTS (
        SELECT 1 FROM entries WHERE entries.person = latest.person AND entries.week = latest.week AND gone
    );
CREATE VIEW checks AS
    SELECT attempts.id AS attempt, people.name AS student, attempts.week,
        json_extract(line.value, '$.id') AS "check", json_extract(line.value, '$.task') AS task,
        json_extract(line.value, '$.outcome') AS outcome, json_extract(line.value, '$.points') AS points,
        json_extract(line.value, '$.max_points') AS max_points
    FROM attempts JOIN people ON people.id = attempts.person, json_each(attempts.report, '$.checks') AS line;
PRAGMA user_version = 6;
""",
    """
-- the lateness that held before it last changed, as [days, percent]
ALTER TABLE attempts ADD COLUMN late_before TEXT;
PRAGMA user_version = 7;
""",
    """
-- how a week came: the platform's layout, the entries' names there as JSON, and what the report shows of it as JSON
CREATE TABLE deliveries (
    person INTEGER NOT NULL, week TEXT NOT NULL, layout TEXT NOT NULL, entries TEXT NOT NULL, shown TEXT NOT NULL,
    PRIMARY KEY (person, week)
);
CREATE TABLE sources (submission TEXT PRIMARY KEY, files BLOB NOT NULL);
PRAGMA user_version = 8;
""",
    """
-- kind says what is decided beside points, items has those of a rubric as JSON, most what an unknown week is worth
ALTER TABLE overrides ADD COLUMN kind TEXT NOT NULL DEFAULT 'points';
ALTER TABLE overrides ADD COLUMN items TEXT NOT NULL DEFAULT '[]';
ALTER TABLE overrides ADD COLUMN most INTEGER NOT NULL DEFAULT 0;
CREATE TABLE weeks (week TEXT PRIMARY KEY, manual TEXT NOT NULL);
CREATE TABLE zeros (person INTEGER NOT NULL, week TEXT NOT NULL, PRIMARY KEY (person, week));
CREATE TABLE stale (person INTEGER NOT NULL, week TEXT NOT NULL, PRIMARY KEY (person, week));
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
PRAGMA user_version = 9;
""",
    """
-- what the last roster says of a student's week, as it is written there; empty where it says nothing
CREATE TABLE granted (
    person INTEGER NOT NULL, week TEXT NOT NULL, extension TEXT NOT NULL, submitted TEXT NOT NULL,
    PRIMARY KEY (person, week)
);
PRAGMA user_version = 10;
""",
    """
-- who was merged into whom, with what both had before as JSON
CREATE TABLE merges (
    id INTEGER PRIMARY KEY, person INTEGER NOT NULL, into_person INTEGER NOT NULL, saved TEXT NOT NULL
);
PRAGMA user_version = 11;
""",
    """
-- about says what a comment is on: a line, a check, a task or the week; edition counts how often it was changed
CREATE TABLE comments (
    id INTEGER PRIMARY KEY, person INTEGER NOT NULL, week TEXT NOT NULL, about TEXT NOT NULL, target TEXT NOT NULL,
    line INTEGER NOT NULL, quote TEXT NOT NULL, submission TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT NULL,
    at TEXT NOT NULL, edition INTEGER NOT NULL DEFAULT 1, gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX comments_by_person ON comments (person, week);
CREATE TABLE phrases (
    id INTEGER PRIMARY KEY, week TEXT NOT NULL, task TEXT NOT NULL, text TEXT NOT NULL,
    shortcut TEXT NOT NULL DEFAULT '', uses INTEGER NOT NULL DEFAULT 1, UNIQUE (week, task, text)
);
CREATE TABLE assigned (person INTEGER NOT NULL, week TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (person, week));
-- attempt is the one that somebody looked at, 0 where there was none
CREATE TABLE looked (
    person INTEGER NOT NULL, week TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL, attempt INTEGER NOT NULL,
    PRIMARY KEY (person, week)
);
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, person INTEGER NOT NULL, week TEXT NOT NULL, task TEXT NOT NULL, text TEXT NOT NULL,
    asked TEXT NOT NULL, state TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '', who TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL DEFAULT '', edition INTEGER NOT NULL DEFAULT 1
);
-- undo holds as JSON what takes the action back; undone is the time when somebody did
CREATE TABLE actions (
    id INTEGER PRIMARY KEY, person INTEGER NOT NULL, week TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
    what TEXT NOT NULL, undo TEXT NOT NULL, undone TEXT NOT NULL DEFAULT ''
);
-- when an attempt was graded (UTC); empty for those of earlier versions
ALTER TABLE attempts ADD COLUMN at TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 12;
""",
    """
-- the checks whose points a decision about a task gives back, as JSON: all of them since the last one that took back
ALTER TABLE overrides ADD COLUMN gives TEXT NOT NULL DEFAULT '[]';
PRAGMA user_version = 13;
""",
    """
-- points have two decimal places at most: NUMERIC keeps whole ones as integers
CREATE TABLE overrides_with_decimals (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    week TEXT NOT NULL,
    task TEXT NOT NULL,
    points NUMERIC,
    why TEXT NOT NULL,
    who TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'points',
    items TEXT NOT NULL DEFAULT '[]',
    most NUMERIC NOT NULL DEFAULT 0,
    gives TEXT NOT NULL DEFAULT '[]'
);
INSERT INTO overrides_with_decimals
    SELECT id, person, week, task, points, why, who, at, kind, items, most, gives FROM overrides;
DROP TABLE overrides;
ALTER TABLE overrides_with_decimals RENAME TO overrides;
CREATE INDEX overrides_by_person ON overrides (person, week, task, id);
PRAGMA user_version = 14;
""",
    """
-- what of a student's week people grade, by its digest, and since when that is so (UTC)
CREATE TABLE answered (
    person INTEGER NOT NULL, week TEXT NOT NULL, digest TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (person, week)
);
CREATE TABLE answers (digest TEXT PRIMARY KEY, cells BLOB NOT NULL);
PRAGMA user_version = 15;
""",
)
