# Lets the beginning of the log of run $2 in the folder of runs $1 go, all but about the last $3 bytes, while the server
# writes on. Without holes in files, the rest is written anew; a line of this very moment may be lost.
log=$1/$2/log keep=$3
is_own "$1/$2" && [ -f "$log" ] && [ ! -L "$log" ] || exit 3
size=$(ls -ln "$log" | { read -r _ _ _ _ size _ && echo "$size"; })
let_go=$(((size - keep) / 4096 * 4096))
[ "$let_go" -gt 0 ] || exit 0
write "$1/$2/gone" "$let_go"
if ! fallocate -p -o 0 -l "$let_go" "$log" 2>/dev/null; then
    write "$1/$2/gone" 0
    dd if="$log" bs=4096 skip=$((let_go / 4096)) 2>/dev/null >"$log.new" && : >"$log" && cat "$log.new" >>"$log"
    rm -f "$log.new"
    let_go=0
fi
echo "$let_go"
