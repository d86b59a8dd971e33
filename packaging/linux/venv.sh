#!/bin/sh
# Creates the virtual environment $2 with the Python $1, which it checks first; on a bare Debian it installs what is missing.
set -eu
python=$1 venv=$2
here=$(dirname "$0")

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

[ "$python" != python3 ] || command -v python3 >/dev/null || "$here/system-packages.sh" python3 python3-venv
command -v "$python" >/dev/null ||
    fail "There is no $python on this machine. Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3 run"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "$python does not run."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "GGLib Desktop needs Python 3.11 or newer; $python is $version. Name another one: make PYTHON=python3.11 run"

# Debian splits this off from python3: without it a venv comes into being that has no pip.
"$python" -c 'import ensurepip, venv' 2>/dev/null || "$here/system-packages.sh" "python$version-venv"
"$here/step.sh" "Creating $venv" "$python" -m venv --clear "$venv"
