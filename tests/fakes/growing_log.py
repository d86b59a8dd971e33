"""A log that a test writes, in the form in which the supervisor offers it."""

from gglib_desktop.ports.servers.server_monitor import LogChunk


class GrowingLogs:
    """Logs by name. ``most_bytes`` limits every answer; ``reads`` counts the questions."""

    def __init__(self, **logs: bytes) -> None:
        self.logs = logs
        self.most_bytes = 2**30
        self.reads = 0

    def write(self, name: str, data: bytes) -> None:
        self.logs[name] = self.logs.get(name, b"") + data

    async def read(self, name: str, offset: int, limit_bytes: int) -> LogChunk:
        self.reads += 1
        log = self.logs.get(name, b"")
        start = max(0, len(log) + offset) if offset < 0 else offset
        data = log[start : start + min(limit_bytes, self.most_bytes)]
        return LogChunk(data, start + len(data), skipped=start if offset < 0 else 0)
