# Before each of the other scripts. All are POSIX sh: dash, bash and busybox run them.
umask 077
LC_ALL=C
export LC_ALL
boot=
read -r boot </proc/sys/kernel/random/boot_id

# Why the work ends here, for the window.
fail() {
    printf '%s\n' "$1"
    exit 1
}

# Whether a folder is this user's alone, and no link that another user may have put there.
is_own() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return 1
    case $(ls -ld "$1/.") in
    drwx------*) return 0 ;;
    esac
    return 1
}

# What the system tells of process $1: start, state, ticks, pages. Fails when it is gone, or only its exit status is left.
look() {
    stat= line=
    { while read -r line; do stat="$stat $line"; done <"/proc/$1/stat"; } 2>/dev/null
    stat=${stat##*") "}
    [ -n "$stat" ] || return 1
    set -f
    set -- $stat
    set +f
    case $1 in
    [ZXx]) return 1 ;;
    esac
    state=$1 start=${20} ticks=$((${12} + ${13})) pages=${22}
}

# The process of the run in folder $1: pid, started, booted. Fails where none was written down.
read_pid() {
    pid= started= booted=
    { read -r pid started booted <"$1/pid"; } 2>/dev/null
    case "$pid$started" in
    '' | *[!0-9]*) return 1 ;;
    esac
    [ "$pid" -gt 1 ] && [ -n "$booted" ]
}

# Whether the process that read_pid has read is still that very one.
runs() {
    [ "$booted" = "$boot" ] && look "$pid" && [ "$start" = "$started" ]
}

# Whether the script that waits for the end of the run in folder $1 still does. It writes the exit status down.
is_supervised() {
    supervisor= since=
    { read -r supervisor since _ <"$1/supervisor"; } 2>/dev/null
    [ -n "$since" ] && [ "$booted" = "$boot" ] && look "$supervisor" && [ "$start" = "$since" ]
}

# Whole seconds since the machine was started: a clock that no one sets.
uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%%.*}"
}

# Writes $2 into the file $1, whole or not at all.
write() {
    printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"
}
