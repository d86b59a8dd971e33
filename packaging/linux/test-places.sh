#!/bin/sh
# Installs the container engine and the ssh server that `make test-places` needs, without starting anything of them. The
# tests run them themselves, with configurations, keys and a storage of their own.
set -eu

if [ -z "${CI:-}" ] && [ "${CONFIRM:-}" != 1 ]; then
    printf '%s\n' "This installs podman, runc, catatonit and openssh-server on this computer. If you want that, run:" "" \
        "    make test-places CONFIRM=1" >&2
    exit 1
fi

as_root=
[ "$(id -u)" -eq 0 ] || as_root='sudo --non-interactive'
policy=/usr/sbin/policy-rc.d
if [ -d /usr/sbin ] && [ ! -e "$policy" ] && command -v apt-get >/dev/null; then
    # Debian's way to say that an installation is to start no service.
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    trap '$as_root rm -f "$policy"' EXIT
    $as_root chmod 755 "$policy"
fi
"$(dirname "$0")/system-packages.sh" podman runc catatonit openssh-client openssh-server
