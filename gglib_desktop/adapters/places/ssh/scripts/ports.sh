# The sockets of all programs here, as the system tells them.
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || :
