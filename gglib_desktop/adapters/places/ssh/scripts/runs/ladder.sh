# Ends the process of the run in folder $1: politely, within $2 tenths of a second, then firmly, within $3, then by force,
# within $4. The server listens on $5. It stands for adapters/places/stop_ladder.py.
dir=$1 address=$5
read_pid "$dir" && runs || exit 0
group=$pid paused=$state
look $$ && write "$dir/stopping" "$$ $start"

ended() {
    [ -e "$dir/exit" ] || ! runs
}

listens() {
    case $address in
    /*) grep -F " $address" /proc/net/unix | grep -q ' 00010000 ' ;;
    *) grep -qi "$(printf ':%04X 0*:0000 0A ' "${address##*:}")" /proc/net/tcp /proc/net/tcp6 ;;
    esac 2>/dev/null
}

send() {
    write "$dir/rung" "$2" 2>/dev/null
    kill -s "$1" -- "-$group" 2>/dev/null || kill -s "$1" "$group"
}

# Ends the script once the process has ended. Returns after $1 looks, or earlier where it is to be hung: it neither listens
# nor does anything.
await() {
    looks=$1 idle=0 before=
    while [ "$looks" -gt 0 ]; do
        sleep 0.1
        ! ended || exit 0
        if [ "$ticks" != "$before" ] || listens; then idle=0; else idle=$((idle + 1)); fi
        [ "$2" != hung ] || [ "$idle" -lt 10 ] || return 0
        before=$ticks looks=$((looks - 1))
    done
}

send TERM SIGTERM
# A paused process cannot see the signal before it runs again.
[ "$paused" != T ] || kill -s CONT -- "-$group"
await "$2" hung
send TERM "second SIGTERM"
await "$3" ""
send KILL SIGKILL
await "$4" ""
write "$dir/survived" 1
