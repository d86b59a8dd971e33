#!/bin/sh
# Runs one step of the set-up quietly: step.sh 'Installing dependencies' COMMAND [ARG ...]
#
# A failure ends in one plain sentence that names the step and, where the output proves it, the cause. The output is held
# in memory, so that a full disk can be told too.
set -u
step=$1
shift

fail() {
    printf '%s\n' "$step failed: $1" >&2
    exit 1
}

# Python's own tools keep some reasons to themselves.
is_full() { [ "$(df -Pk "$1" | awk 'END { print $4 }')" -lt 1024 ]; }

no_space_in() { fail "no space is left in $1. Free some space, then run make again."; }

output=$("$@" 2>&1) && exit 0

# The order matters: a refusing proxy looks like a missing network too.
case $output in
*'No space left on device'* | *'enough free space'* | *'Disk quota exceeded'* | *'database or disk is full'*)
    no_space_in "this folder or in ${TMPDIR:-/tmp}" ;;
*'Tunnel connection failed'* | *'from proxy'* | *'Proxy Authentication Required'*)
    fail "the proxy refused the connection. Check the proxy settings (https_proxy, http_proxy), then run make again." ;;
*'Cannot connect to proxy'* | *'Unable to connect to proxy'* | *'resolving proxy'*)
    fail "the proxy cannot be reached. Check the proxy settings (https_proxy, http_proxy), then run make again." ;;
*CERTIFICATE_VERIFY_FAILED* | *'certificate verification failed'* | *'Certificate verification failed'*)
    fail "the server's certificate is not trusted. Install ca-certificates, or the certificate of your proxy, then run make again." ;;
*'  Forbidden'* | *'  Service Unavailable'* | *'  Bad Gateway'* | *'  Gateway Time'* | *'HTTP error 403'* | *'HTTP error 50'*)
    # Of plain HTTP it cannot be told who answered.
    fail "the package server, or a proxy before it, refused the request. Check the proxy settings (https_proxy, http_proxy, and apt's own), then run make again." ;;
*'Temporary failure'* | *'Name or service not known'* | *'Network is unreachable'* | *NewConnectionError* | *NameResolutionError* | \
    *'Could not connect'* | *'Cannot initiate the connection'* | *'Connection refused'* | *'No route to host'* | *'Could not resolve'*)
    fail "no network connection. Check the connection, then run make again." ;;
*'timed out'* | *'Connection broken'* | *'Connection reset'* | *IncompleteRead* | *RemoteDisconnected*)
    fail "the connection broke off. Run make again." ;;
esac
is_full . && no_space_in "this folder"
is_full "${TMPDIR:-/tmp}" && no_space_in "${TMPDIR:-/tmp}"
printf '%s\n' "$output" >&2
fail "the lines above say why."
