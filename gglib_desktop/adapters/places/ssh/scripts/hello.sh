# Tells what is needed of the machine: a word and its value in each line, then the variables of a program here. The rest of
# the arguments are names of programs to look for in PATH.
echo "boot $boot"
echo "hertz $(getconf CLK_TCK 2>/dev/null || echo 100)"
echo "page $(getconf PAGESIZE 2>/dev/null || echo 4096)"
for name; do
    path=$(command -v -- "$name" 2>/dev/null) || continue
    case $path in
    /*) echo "program $path" ;;
    esac
done
echo "root ${XDG_STATE_HOME:-$HOME/.local/state}/gglib-desktop/runs"
echo variables
cat /proc/self/environ
