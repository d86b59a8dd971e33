# What the path $1 is: one word, and for a file its size and time, so that a changed one is known.
if ! [ -e "$1" ]; then
    why=$(ls -Ld "$1" 2>&1)
    echo "none ${why##*: }"
    exit 0
fi
[ -f "$1" ] || { echo other; exit 0; }
[ -r "$1" ] || { echo closed; exit 0; }
echo "file $(ls -lnL "$1" | cut -c 1-60 | tr -s ' ')"
