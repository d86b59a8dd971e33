# Tells of all runs in the folder of runs $1 whose processes run: one line each for its name, process, pages, port or socket,
# the seconds since its lease was renewed, its owner and its record.
cd "$1" 2>/dev/null && is_own . || exit 0
for run in *; do
    case $run in
    *[!A-Za-z0-9._-]*) continue ;;
    esac
    is_own "$run" && [ ! -e "$run/exit" ] && read_pid "$run" && runs || continue
    who= label= renewed= when=
    { read -r who label <"$run/owner"; } 2>/dev/null
    { read -r renewed when <".lease-$who"; } 2>/dev/null
    age=-1
    [ "$when" != "$boot" ] || age=$(($(uptime_s) - renewed))
    printf '%s\n' "run $run" "pid $pid $started $booted" "pages $pages" "lease $age" "owner $who $label" \
        "address $(cat "$run/address")" \
        "record $(head -n 1 "$run/record")"
    printf '\0'
done
