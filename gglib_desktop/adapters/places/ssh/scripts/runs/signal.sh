# Sends signal $3 to the process of run $2 in the folder of runs $1, with all of its group, if it still is $4.
dir=$1/$2
is_own "$dir" && read_pid "$dir" && [ "$pid $started $booted" = "$4" ] && runs || { echo gone; exit 0; }
write "$dir/rung" "$5" 2>/dev/null
kill -s "$3" -- "-$pid" 2>/dev/null || kill -s "$3" "$pid" 2>&1 || exit 1
[ "$state" != T ] || kill -s CONT -- "-$pid"
echo sent
