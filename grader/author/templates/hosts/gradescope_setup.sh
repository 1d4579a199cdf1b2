#!/usr/bin/env bash
# Runs once, when Gradescope builds the image: the sandbox, Python and PyTorch for the CPU.
set -euo pipefail
home="${AUTOGRADER_HOME:-/autograder}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy bubblewrap git python3 python3-pip python3-venv
# The image's own Python may be too old (3.10 on Ubuntu 22.04). It is enough for uv, which brings another one where it
# has to; that lies where the sandbox's user can read it, and not in root's own folder.
python3 -I -m venv "$home/uv"
"$home/uv/bin/python" -I -m pip install --no-cache-dir -q uv
export UV_PYTHON_INSTALL_DIR="$home/python" UV_NO_CACHE=1
uv="$home/uv/bin/uv --no-config"
$uv venv -q --python "${PYTHON_VERSION:->=3.11}" "$home/venv"
$uv pip install -q --python "$home/venv/bin/python" --torch-backend "${TORCH_BACKEND:-cpu}" -e "$home/source"
# Into the log of the build: what works in this image. Each student's run happens in a container of the size that you
# choose (Configure Autograder, Container Specifications): take 1.5 GB of RAM or more. With less, grading is refused.
cd "$home/source"
"$home/venv/bin/python" -P -m grader doctor || true
