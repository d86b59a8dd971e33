# Tells again and again of the runs of owner $2 in the folder of runs $1, until no one reads any more. It renews the lease of
# all of them: while that is fresh, programs over other data directories leave them alone.
root=$1 owner=$2 told=' ' tick=0 sizes= had=
echo "boot $boot"

# Adds what the processes use that this one started: an engine may be a script.
count_in() {
    all_ticks=$ticks all_pages=$pages kids= own_state=$state
    { read -r kids <"/proc/$pid/task/$pid/children"; } 2>/dev/null
    set -- $kids
    while [ $# -gt 0 ]; do
        if look "$1"; then all_ticks=$((all_ticks + ticks)) all_pages=$((all_pages + pages)); fi
        kids=
        { read -r kids <"/proc/$1/task/$1/children"; } 2>/dev/null
        shift
        set -- "$@" $kids
    done
}

tell_end() {
    code= rung=
    { read -r code <"$run/exit"; } 2>/dev/null
    { read -r rung <"$run/rung"; } 2>/dev/null
    echo "exit $run $code $rung"
    told="$told$run "
}

tell() {
    # It may just be about to be started.
    read_pid "$run" || return 0
    if runs; then
        count_in
        echo "up $run $pid $started $booted $all_ticks $all_pages $own_state"
        [ ! -e "$run/survived" ] || echo "survived $run"
        return 0
    fi
    if ! is_supervised "$run" && [ ! -e "$run/exit" ]; then
        echo "gone $run"
        told="$told$run "
    fi
}

tell_memory() {
    total= available=
    while read -r name kib _; do
        case $name in
        MemTotal:) total=$kib ;;
        MemAvailable:) available=$kib && break ;;
        esac
    done </proc/meminfo
    echo "memory $total $available"
}

# Into the folder of runs: the first start there makes it, and somebody may have removed it since.
is_inside() {
    [ . -ef "$root" ] || { cd "$root" 2>/dev/null && is_own .; }
}

while :; do
    if ! is_inside; then
        echo beat
        sleep 1
        continue
    fi
    for run in *; do
        case $run in
        *[!A-Za-z0-9._-]*) continue ;;
        esac
        case $told in
        *" $run "*) continue ;;
        esac
        [ ! -L "$run" ] && [ -O "$run" ] || continue
        who=
        { read -r who _ <"$run/owner"; } 2>/dev/null
        [ "$who" = "$owner" ] || continue
        had=1
        if [ -e "$run/exit" ]; then
            tell_end
        elif [ $((tick % 5)) -eq 0 ]; then
            tell
        fi
    done
    if [ $((tick % 5)) -eq 0 ]; then
        now=$(ls -ln -- */log 2>/dev/null)
        [ "$now" = "$sizes" ] || printf '%s\n' "$now"
        sizes=$now
        echo beat
    fi
    if [ $((tick % 25)) -eq 0 ]; then
        tell_memory
        [ -z "$had" ] || write ".lease-$owner" "$(uptime_s) $boot" 2>/dev/null
    fi
    tick=$((tick + 1))
    sleep 0.2
done
