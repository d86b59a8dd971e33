# Makes run $2 in the folder of runs $1 that of owner $4 (with its label), if it is that of $3 and its lease is over $5
# seconds old. Only one program at a time can do this.
dir=$1/$2 owner=$3
is_own "$dir" || fail gone
mkdir "$dir/taking" 2>/dev/null || fail kept
who= renewed= when=
{ read -r who _ <"$dir/owner"; } 2>/dev/null
{ read -r renewed when <"$1/.lease-$who"; } 2>/dev/null
if [ "$who" != "$owner" ]; then
    answer=kept
elif [ "$when" = "$boot" ] && [ $(($(uptime_s) - renewed)) -le "$5" ] && [ "$owner" != "${4%% *}" ]; then
    answer=kept
elif write "$dir/owner" "$4"; then
    answer=taken
else
    answer=full
fi
rmdir "$dir/taking"
echo "$answer"
