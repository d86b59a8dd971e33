# Bytes of the log of run $2 in the folder of runs $1, from $3, at most about $4; negative: counted from the end. Before them
# the size of all, what was let go, and where they begin: by whole blocks, so that nothing is read through to get there.
dir=$1/$2 from=$3 most=$4 gone=0
is_own "$dir" && [ -f "$dir/log" ] && [ ! -L "$dir/log" ] || exit 3
size=$(ls -ln "$dir/log" | { read -r _ _ _ _ size _ && echo "$size"; })
{ read -r gone <"$dir/gone"; } 2>/dev/null
if [ "$from" -lt 0 ]; then from=$((size + from)); elif [ "$from" -gt "$size" ]; then from=0; fi
[ "$from" -ge "$gone" ] || from=$gone
block=$((from / 4096))
echo "$size $gone $((block * 4096))"
dd if="$dir/log" bs=4096 skip="$block" count=$((most / 4096 + 2)) 2>/dev/null
