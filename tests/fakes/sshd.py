"""An sshd of the tests' own: its keys, its configuration and that of its clients lie in one folder."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.fakes.waiting import DEADLINE_S

PROGRAM = Path("/usr/sbin/sshd")
_SERVER = """
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
{more}
"""
_CLIENT = """
Host *
  HostName {address}
  Port {port}
  User {user}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile none
{more}
"""


class Sshd:
    """``start`` it after ``refusal``. It may be killed and started again."""

    def __init__(self, folder: Path, address: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> None:
        """``prefix`` begins the command that runs it, such as one that enters a network namespace."""
        self.folder = folder
        self.address = address
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.port = _free_port()
        self.config = folder / "client_config"
        """What clients are passed as ``-F``."""
        self.log = folder / "sshd.log"
        self._prefix = prefix
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def refusal() -> str:
        """Why it does not run here; empty where it does."""
        if not PROGRAM.exists():
            return "openssh-server is not installed"
        return "" if shutil.which("ssh") else "openssh-client is not installed"

    def configure(self, more_server: str = "", more_client: str = "", passphrase: str = "") -> None:
        """New keys, and a host key that is known."""
        for name, phrase in (("host_key", ""), ("key", passphrase)):
            path = self.folder / name
            path.unlink(missing_ok=True)
            subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", path), check=True)
        shutil.copyfile(self.folder / "key.pub", self.folder / "authorized_keys")
        self.know_host_key()
        values = {"port": self.port, "folder": self.folder, "address": self.address, "user": self.user}
        (self.folder / "config").write_text(_SERVER.format(more=more_server, **values))
        self.config.write_text(_CLIENT.format(more=more_client, **values))

    def know_host_key(self) -> None:
        """As if the user had accepted it."""
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"[{self.address}]:{self.port} {kind} {key}\n")

    def forget_host_key(self) -> None:
        (self.folder / "known_hosts").write_text("")

    def forget_user_key(self) -> None:
        (self.folder / "authorized_keys").write_text("")

    def change_host_key(self) -> None:
        """Clients know the old one."""
        (self.folder / "host_key").unlink()
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "host_key"), check=True)

    def start(self) -> None:
        """Returns when it listens."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                (*self._prefix, PROGRAM, "-D", "-e", "-f", self.folder / "config"), stdin=subprocess.DEVNULL, stderr=log
            )
        deadline = time.monotonic() + DEADLINE_S
        while b"Server listening" not in self.log.read_bytes():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """The listening one alone; connections go on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            self._process = None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
