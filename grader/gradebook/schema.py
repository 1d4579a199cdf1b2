"""Defines the gradebook's tables and views, and migrates older files; `store` says what each is for."""

from __future__ import annotations

VERSION = 5
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
)
