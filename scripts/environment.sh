# Sourced by every script here. Goes to the top of the project; `prepare WHAT` then leaves `.venv`
# holding what WHAT needs. All it asks of the machine is a Python 3.11 or newer.
set -eu
cd "$(dirname "$0")/.."

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "roomkit: no Python 3.11 or newer found (looked for python3, python3.11 to python3.14" \
        "and python); install one and run this again." >&2
    return 1
}

prepare() {
    python=$(find_python)
    "$python" scripts/environment.py "$1"
}
