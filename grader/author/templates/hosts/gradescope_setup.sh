#!/usr/bin/env bash
# Runs once, when Gradescope builds the image: the sandbox, Python and PyTorch for the CPU.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy bubblewrap git python3 python3-pip python3-venv
python3 -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "Python 3.11 or newer is needed: choose a newer base image in Gradescope's settings" >&2; exit 1; }
python3 -I -m venv /autograder/venv
/autograder/venv/bin/python -I -m pip install --no-cache-dir -q uv
/autograder/venv/bin/uv --no-config pip install --no-cache -q --python /autograder/venv/bin/python \
    --torch-backend "${TORCH_BACKEND:-cpu}" -e /autograder/source
# Into the log of the build: whether the sandbox works in this image.
cd /autograder/source && /autograder/venv/bin/python -P -m grader doctor || true
