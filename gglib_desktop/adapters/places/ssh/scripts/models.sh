# The GGUF files at or below the paths given. For each: size, time, device and inode, its path, and where a link leads;
# each of these three ends with a NUL.
for path; do
    case $path in
    '~') path=$HOME ;;
    '~/'*) path=$HOME/${path#'~/'} ;;
    esac
    set -- "$@" "$path"
    shift
done
[ "$#" -gt 0 ] || exit 0
described='for path; do
    told=$(stat -L -c "%s %Y %d %i" "$path" 2>/dev/null) || continue
    real=
    [ -L "$path" ] && real=$(readlink -f "$path"; echo .) && real=${real%??}
    printf "%s\0%s\0%s\0" "$told" "$path" "$real"
done'
links='for path; do
    told=$(stat -L -c "%s %.9Y %d %i" "$path" 2>/dev/null) || continue
    real=$(readlink -f "$path"; echo .) && real=${real%??}
    printf "%s\0%s\0%s\0" "$told" "$path" "$real"
done'
if find / -prune -printf '' 2>/dev/null; then
    find -L "$@" -type f -name '*.[gG][gG][uU][fF]' \
        \( -xtype l -exec sh -c "$links" sh {} + -o -printf '%s %T@ %D %i\0%p\0\0' \) 2>/dev/null
else
    find -L "$@" -type f -name '*.[gG][gG][uU][fF]' -exec sh -c "$described" sh {} + 2>/dev/null
fi
exit 0
