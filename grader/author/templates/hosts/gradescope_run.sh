#!/usr/bin/env bash
# Runs for each submission. Whatever happens, Gradescope finds a results.json.
home="${AUTOGRADER_HOME:-/autograder}"
mkdir -p "$home/results"
rm -f "$home/results/results.json"
cd "$home/source" || exit 1
"$home/venv/bin/python" -P -m grader ci @WEEK@ --host gradescope --out "$home/report" --sandbox @SANDBOX@ 2>&1 |
    tee "$home/grader.log"
if [ ! -s "$home/results/results.json" ]; then
    # No score: Gradescope then shows that the autograder failed, and nobody is given 0 points by accident.
    echo '{"output": "Grading failed; that is our fault, not yours. Your instructor finds the reason in the log.",
           "output_format": "text", "stdout_visibility": "hidden"}' > "$home/results/results.json"
fi
