"""Original outputs of the real engine."""

from pathlib import Path

HELP = Path(__file__).with_name("llama_server_b10434_help.txt").read_text(encoding="utf-8")
LOGS = Path(__file__).with_name("logs")
