#!/bin/sh
# Says clearly, before anything is downloaded, that a window needs a screen.
set -eu
[ "$(uname)" = Linux ] || exit 0
[ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ] || exit 0
cat >&2 <<'TEXT'
There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set, so no window can open.

Run this from a desktop session. On a machine without a screen, a virtual one will do:

    make setup && xvfb-run -a -s "-screen 0 1280x900x24" make run
TEXT
exit 1
