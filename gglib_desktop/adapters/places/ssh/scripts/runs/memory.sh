# The memory of the process of run $2 in the folder of runs $1, in the system's own words.
dir=$1/$2
read_pid "$dir" && runs || exit 3
cat "/proc/$pid/smaps_rollup" 2>/dev/null
grep -i '^VmRSS' "/proc/$pid/status"
