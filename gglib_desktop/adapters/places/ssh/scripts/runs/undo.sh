# Takes the start of run $2 in the folder of runs $1 back, whatever came of it.
dir=$1/$2
is_own "$dir" || exit 0
rm -f "$dir/launch"
booted=$boot
if is_supervised "$dir" && ! read_pid "$dir"; then
    sleep 0.3 # it may be about to start the program
    read_pid "$dir" || kill -s KILL "$supervisor"
fi
tries=0
while read_pid "$dir" && runs && [ "$tries" -lt 30 ]; do
    kill -s KILL -- "-$pid" 2>/dev/null || kill -s KILL "$pid" 2>/dev/null
    sleep 0.1
    tries=$((tries + 1))
done
! { read_pid "$dir" && runs; } || fail "process $pid survives SIGKILL"
rm -rf "$dir"
