#!/bin/sh
# Puts GGLib Desktop into this user's menus, or takes it out again: install.sh install|uninstall
#
# Places: PREFIX (default ~/.local), BINDIR (default PREFIX/bin), and XDG_DATA_HOME for the rest (default PREFIX/share).
set -eu
cd "$(dirname "$0")/../.."
tree=$PWD
prefix=${PREFIX:-$HOME/.local}
bin=${BINDIR:-$prefix/bin}
if [ -n "${PREFIX:-}" ]; then data=$prefix/share; else data=${XDG_DATA_HOME:-$prefix/share}; fi
# The menu entry names the launcher by its whole path: a desktop session does not always have ~/.local/bin in PATH.
case $bin in /*) ;; *) bin=$tree/$bin ;; esac
case $data in /*) ;; *) data=$tree/$data ;; esac

launcher=$bin/gglib-desktop
entry=$data/applications/gglib-desktop.desktop
icon=$data/icons/hicolor/scalable/apps/gglib-desktop.svg
mime=$data/mime/packages/gglib-desktop.xml

shell_quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# The Exec key has two layers: quoting of its own, inside a string where a backslash is written twice.
exec_quote() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"`$]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g')"; }

write_launcher() {
    cat >"$launcher" <<TEXT
#!/bin/sh
# Starts GGLib Desktop from its source tree. Written by \`make install\`, removed by \`make uninstall\`.
exec $(shell_quote "$tree/.venv/bin/python") -P -m gglib_desktop "\$@"
TEXT
    chmod 755 "$launcher"
}

write_entry() {
    while IFS= read -r line; do
        case $line in
        Exec=*) printf 'Exec=%s %%F\n' "$(exec_quote "$launcher")" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <packaging/linux/gglib-desktop.desktop >"$entry"
}

refresh() {
    # None of these is needed for starting the program, and some desktops lack them.
    ! command -v update-desktop-database >/dev/null || update-desktop-database -q "$data/applications" || true
    ! command -v update-mime-database >/dev/null || update-mime-database "$data/mime" || true
    ! command -v gtk-update-icon-cache >/dev/null || gtk-update-icon-cache -q -t -f "$data/icons/hicolor" || true
}

case ${1:-} in
install)
    mkdir -p "$bin" "${entry%/*}" "${icon%/*}" "${mime%/*}"
    write_launcher
    write_entry
    cp resources/icons/gglib-desktop.svg "$icon"
    cp packaging/linux/gglib-desktop.xml "$mime"
    refresh
    printf '%s\n' "GGLib Desktop is in your menus, opens .gguf files, and starts with $launcher"
    case :$PATH: in *:"$bin":*) ;; *) printf '%s\n' "($bin is not in PATH, so in a terminal type the whole path.)" ;; esac
    ;;
uninstall)
    rm -f "$launcher" "$entry" "$icon" "$mime"
    if [ -d "${mime%/*}" ]; then refresh; fi
    printf '%s\n' "Removed. Settings and the model list stay where they are."
    ;;
*)
    printf '%s\n' "usage: $0 install|uninstall" >&2
    exit 2
    ;;
esac
