# Tells of run $2 in the folder of runs $1: a word and its value in each line, then what the process was started with.
dir=$1/$2
echo "boot $boot"
[ -d "$dir" ] || exit 0
is_own "$dir" || fail "$dir is not used: it must be a folder of this user's own, closed to others"
for name in owner address exit rung; do
    [ ! -e "$dir/$name" ] || echo "$name $(cat "$dir/$name")"
done
if ! read_pid "$dir"; then
    # One that has just begun may not have written it down yet.
    booted=$boot
    ! is_supervised "$dir" || echo "state begins"
    exit 0
fi
echo "pid $pid $started $booted"
if runs; then
    echo "used $ticks $pages $state"
    echo "state up"
    echo "said $(wc -c <"/proc/$pid/cmdline") $(wc -c <"/proc/$pid/environ")"
    cat "/proc/$pid/cmdline" "/proc/$pid/environ"
elif [ ! -e "$dir/exit" ] && is_supervised "$dir"; then
    echo "state ends"
fi
