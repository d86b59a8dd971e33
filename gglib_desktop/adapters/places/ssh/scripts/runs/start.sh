# Starts run $2 in the folder of runs $1: $3 is the supervisor's script, $4 the owner, $5 where the server listens. The
# standard input is the launch: its first line is the record as a comment, the rest the variables and the command line.
root=$1 dir=$1/$2
mkdir -p "$root" 2>&1 || exit 1
for folder in "${root%/*}" "$root"; do
    is_own "$folder" || fail "$folder is not used: it must be a folder of this user's own, closed to others (chmod 700)"
done
mkdir "$dir" 2>&1 || exit 1
undo() {
    # Not every shell says why a file could not be written.
    free=$(df -Pk "$root" | tail -n 1 | { read -r _ _ _ free _ && echo "$free"; })
    if [ "${free:-1}" -eq 0 ]; then echo "no space is left on the disk of $root"; else echo "$1"; fi
    rm -rf "$dir"
    exit 1
}
why=$({
    write "$dir/owner" "$4" &&
        write "$dir/address" "$5" &&
        printf '%s\n' "$3" >"$dir/supervise" &&
        cat >"$dir/launch" &&
        sed -n '1s/^# //p' "$dir/launch" >"$dir/record" &&
        : >"$dir/log"
} 2>&1) || undo "$why"
[ -s "$dir/record" ] || undo "the start did not arrive whole"
env -i PATH="$PATH" setsid sh "$dir/supervise" "$dir" </dev/null >/dev/null 2>&1 &
tries=0
until [ -e "$dir/pid" ] || [ -e "$dir/exit" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || undo "the script that should start the program did not"
    sleep 0.02
done
if read_pid "$dir"; then echo "pid $pid $started $booted"; fi
if runs; then echo "used $ticks $pages $state"; fi
