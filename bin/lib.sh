# Shared by bin/demo, bin/test and .ci/run: a Python that is new enough, and the packages in .venv.
# shellcheck shell=sh

# Prints the first Python 3.11 or newer. PYTHON names one explicitly.
find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed: install it (Debian: apt install python3 python3-venv) and run this again." >&2
    return 1
}

# install_requirements FILE...: creates .venv when it is missing and installs the requirements files.
install_requirements() {
    unset PYTHONHOME PYTHONPATH
    python=$(find_python) || return
    "$python" bin/install.py "$@"
}

# Prints the path of the first Chromium. CHROMIUM names one explicitly.
find_chromium() {
    for candidate in "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome; do
        command -v "$candidate" && return
    done
    return 1
}
