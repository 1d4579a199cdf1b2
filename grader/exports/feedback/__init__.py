"""Makes what platforms take in bulk to give each student the report: one page for each, which needs nothing else.

sending    chooses the way back, and makes what it needs
parcels    gathers each student's page, and names who gets none, and why
archive    packs a zip, the same bytes for the same files
moodle     a zip of feedback files, or the column for comments
canvas     a zip of submissions to upload again, by the ids in their names
github     an issue for each repository, and the script that makes them
mail       an e-mail for each student, and a table for a mail merge
"""
