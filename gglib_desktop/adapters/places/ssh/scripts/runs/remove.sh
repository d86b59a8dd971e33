# Removes the folder of run $2 in the folder of runs $1, unless its process still runs.
dir=$1/$2
is_own "$dir" || exit 0
if read_pid "$dir" && runs; then exit 0; fi
rm -rf "$dir"
