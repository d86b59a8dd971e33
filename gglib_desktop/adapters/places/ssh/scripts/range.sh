# Blocks of 64 KiB of the file $1: $3 of them from number $2.
[ -e "$1" ] || fail gone
[ -f "$1" ] || fail other
[ -r "$1" ] || fail closed
dd if="$1" bs=65536 skip="$2" count="$3" 2>/dev/null
