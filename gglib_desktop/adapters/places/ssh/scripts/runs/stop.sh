# Begins to stop the process of run $2 in the folder of runs $1, if it still is $3: $4 is the script that does, which goes
# on when the link is gone. The rest are its limits.
dir=$1/$2 ladder=$4
is_own "$dir" && read_pid "$dir" && [ "$pid $started $booted" = "$3" ] && runs || { echo gone; exit 0; }
shift 4
rm -f "$dir/survived"
# One at a time; the one of another program may have been killed.
if read -r other since <"$dir/stopping" && look "$other" && [ "$start" = "$since" ]; then
    echo stopping
    exit 0
fi 2>/dev/null
setsid sh -c "$ladder" ladder "$dir" "$@" "$(cat "$dir/address")" </dev/null >/dev/null 2>&1 &
echo stopping
