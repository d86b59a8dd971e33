# Runs the program of the run in folder $1, and writes down its process and its exit status. Lives in that folder.
dir=$1
trap '' HUP
trap : TERM INT QUIT
[ -e "$dir/launch" ] || exit 1
look $$ && write "$dir/supervisor" "$$ $start $boot"
unset LC_ALL
. "$dir/launch"
rm -f "$dir/launch"
setsid "$@" </dev/null >>"$dir/log" 2>&1 &
pid=$!
look "$pid" && write "$dir/pid" "$pid $start $boot"
while :; do
    wait "$pid"
    code=$?
    # It was this script that a signal has reached.
    kill -0 "$pid" 2>/dev/null || break
done
# What it left behind in its group.
kill -s KILL -- "-$pid" 2>/dev/null
rm -f "$dir"/*.sock
write "$dir/exit" "$code"
