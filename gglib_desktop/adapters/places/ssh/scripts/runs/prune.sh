# Removes the folders of ended runs of owner $2 in the folder of runs $1, but the newest $3 and those named after that. The
# names of runs begin with their times.
root=$1 owner=$2 most=$3
shift 3
keep=" $* " count=0
cd "$root" 2>/dev/null && is_own . || exit 0
ended() {
    case $1 in
    *[!A-Za-z0-9._-]*) return 1 ;;
    esac
    who=
    { read -r who _ <"$1/owner"; } 2>/dev/null
    [ "$who" = "$owner" ] && is_own "$1" && [ -e "$1/exit" ]
}
for run in *; do
    ! ended "$run" || count=$((count + 1))
done
for run in *; do
    [ "$count" -gt "$most" ] || break
    ended "$run" || continue
    count=$((count - 1))
    case $keep in
    *" $run "*) ;;
    *) rm -rf "$run" ;;
    esac
done
