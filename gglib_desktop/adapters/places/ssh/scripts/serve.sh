# Runs scripts one after the other, as they arrive: for each the number of its lines and a word that tells its end.
while read -r lines word; do
    text=
    while [ "$lines" -gt 0 ]; do
        IFS= read -r line
        text="$text$line
"
        lines=$((lines - 1))
    done
    (eval "$text")
    printf '\n%s %s\n' "$word" "$?"
done
