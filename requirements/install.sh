#!/bin/sh
# Makes a virtual environment and installs the sources into it, with what an extra needs:
#     sh requirements/install.sh PYTHON FOLDER EXTRA [pip's further arguments...]
# Works with and without Debian's python3-venv; says in words what is missing. Running it again repairs and updates.
set -eu

python=${1:-}
folder=$2
extra=$3
shift 3

fail() {
    echo >&2
    printf '%s\n' "$@" >&2
    exit 1
}

if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    fail "Python 3.11 or newer is needed${python:+, and \`$python\` is not it}." \
        "On Debian: sudo apt-get install python3.11 python3.11-venv" \
        "If it has another name here: make PYTHON=/path/to/python3.12 ..."
fi

if ! "$folder/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Setting up Python in $folder (once, about a minute)."
    rm -rf "$folder"
    if ! "$python" -m venv "$folder" >/dev/null 2>&1; then
        # Debian without python3-venv: an environment without pip, filled by the system's pip.
        rm -rf "$folder"
        "$python" -m venv --without-pip "$folder" || fail "Python could not make a virtual environment in $folder."
    fi
fi

if [ -x "$folder/bin/pip" ]; then
    pip() { "$folder/bin/python" -m pip "$@"; }
elif "$python" -m pip --python "$folder/bin/python" --version >/dev/null 2>&1; then
    pip() { "$python" -m pip --python "$folder/bin/python" "$@"; }
else
    rm -rf "$folder"
    fail "Neither python3-venv nor a recent python3-pip is installed." "On Debian: sudo apt-get install python3-venv"
fi

if ! PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore pip install -qq --retries 2 "$@" --editable ".[$extra]"
then
    fail "The Python packages could not be installed; the reason stands above." \
        "They come from the package index once: is there a network? Behind a proxy, set HTTPS_PROXY." \
        "Then run the same command again."
fi
