#!/bin/sh
# Makes sure that the Debian packages named as arguments are installed; says what to do where it may not install them.
set -eu

say() { printf '%s\n' "$@" >&2; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    [ "$(uname)" != Linux ] || say "Note: not a Debian-like system, so nothing was checked." \
        "If Qt reports a missing library, install what corresponds to: $*"
    exit 0
fi

installed() {
    for name in "$1" "${1}t64"; do # from Debian 13 on some libraries are called libfoo0t64
        dpkg-query --show --showformat='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed && return 0
    done
    return 1
}

missing=
for package in "$@"; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
        as_root='sudo --non-interactive'
    else
        say "These system packages are missing:$missing" "" "Install them, then run make again:" ""
        say "    sudo apt-get update && sudo apt-get install --no-install-recommends$missing"
        exit 1
    fi
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"; }
# shellcheck disable=SC2086 # package names hold no blanks
install_missing() { apt install --yes --quiet --quiet --no-install-recommends $missing </dev/null; }
# shellcheck disable=SC2086
known() { apt install --simulate $missing >/dev/null 2>&1; }
update() { apt update --quiet --quiet --error-on=any; }

install() {
    known || update || echo "Trying with the package lists at hand."
    # Package lists that are out of date name versions that the servers no longer have.
    install_missing || { update && install_missing; }
}

if [ "${STEP:-}" = install ]; then
    install
    exit
fi
say "Installing system packages:$missing"
STEP=install "$(dirname "$0")/step.sh" "Installing system packages" "$0" "$@" || {
    say "To install them by hand:" "" "    apt-get update && apt-get install --no-install-recommends$missing"
    exit 1
}
