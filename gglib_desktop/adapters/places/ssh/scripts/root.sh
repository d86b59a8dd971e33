# Whether the folder of runs $1 can be used, or made, without touching anything.
path=$1
while ! [ -e "$path" ] && ! [ -L "$path" ]; do
    path=${path%/*}
    [ -n "$path" ] || path=/
done
for folder in "${1%/*}" "$1"; do
    if [ -e "$folder" ] || [ -L "$folder" ]; then
        is_own "$folder" || fail "$folder is not used: it must be a folder of this user's own, closed to others (chmod 700)"
    fi
done
[ -d "$path" ] && [ -w "$path" ] || fail "$1 cannot be made: $path cannot be written to"
echo "$1"
