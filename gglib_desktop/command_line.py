"""The subcommands: what the program does in a shell, without a window, and beside one that is open."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.model_files import DiskModelFiles
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.advising import AdvisorParts
from gglib_desktop.domain.advisor.plan import Depth, Plan, Way
from gglib_desktop.domain.advisor.progress import Arm, ArmState, Progress
from gglib_desktop.domain.advisor.settings import DraftSetting
from gglib_desktop.domain.errors import ConfigurationError, GglibError, InvalidModelFile
from gglib_desktop.domain.models.model import Model
from gglib_desktop.program_paths import Places
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import LogReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.runner.beside_window.seen_servers import SeenServer
    from gglib_desktop.domain.advisor.advice import Advice
    from gglib_desktop.domain.engine.capabilities import Engine
    from gglib_desktop.domain.gguf.forecast import ByteRange
    from gglib_desktop.domain.launch.options import LaunchOptions
    from gglib_desktop.domain.servers.server import ServerConfig
    from gglib_desktop.services.advisor.advisor import Measuring
    from gglib_desktop.services.advisor.subject import Subject

DONE, FAILED, UNCERTAIN, INTERRUPTED = 0, 1, 3, 130
_LIBRARY = "library.sqlite"


def main(words: Sequence[str]) -> int:
    """Does what the first word says. Returns the exit status; SystemExit(2) for arguments that make no sense."""
    logging.basicConfig(level=logging.CRITICAL)
    # What a shell takes for the engine is not ours to read.
    ours, engine_words = _split(words)
    arguments = _parser().parse_args(ours)
    if arguments.command == "list":
        if engine_words:
            _parser().error("list takes no options after --")
        return asyncio.run(_list(as_json=arguments.json))
    depth = Depth.THOROUGH if arguments.thorough else Depth.QUICK
    try:
        return asyncio.run(_advise(arguments.model.absolute(), engine_words, depth, as_json=arguments.json))
    except GglibError as exc:
        _say(f"gglib-desktop: {_reason(exc)}")
        return FAILED
    except KeyboardInterrupt:  # before there was anything to end
        return INTERRUPTED


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    at = words.index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gglib-desktop")
    commands = parser.add_subparsers(dest="command", required=True)
    advise = commands.add_parser(
        "advise",
        help="measures what drafting brings to a model",
        usage="%(prog)s [-h] [--thorough] [--json] MODEL.gguf [-- LLAMA-SERVER OPTIONS]",
    )
    advise.add_argument("model", type=Path, metavar="MODEL.gguf")
    advise.add_argument("--thorough", action="store_true", help="takes 4 minutes instead of one, and tells more")
    advise.add_argument("--json", action="store_true", help="prints the result as JSON")
    listing = commands.add_parser("list", help="lists servers and models")
    listing.add_argument("--json", action="store_true", help="prints them as JSON")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # this is what a shell is told


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # this is what was asked for


def _reason(error: GglibError) -> str:
    return error.reason if isinstance(error, ConfigurationError | InvalidModelFile) else str(error)


# -- list


async def _list(*, as_json: bool) -> int:
    from gglib_desktop.adapters.runner.beside_window.seen_servers import seen_servers

    places = Places.of_this_user()
    servers = await seen_servers(places.data_dir, os.environ)
    async with contextlib.AsyncExitStack() as stack:
        models = (await _library(places.data_dir, stack)).models
    if as_json:
        listed = [{"id": each.id, "name": each.name, "path": str(each.path), "place": each.place} for each in models]
        _print(json.dumps({"servers": [asdict(each) for each in servers], "models": listed}, indent=2))
    else:
        _print_list(servers, models)
    return DONE


def _print_list(servers: Sequence[SeenServer], models: Sequence[Model]) -> None:
    _print("SERVERS")
    for server in servers:
        _print(f"  {server.model}  {server.state}  {server.endpoint}  pid {server.pid or '-'}  {server.place}")
    _print("MODELS")
    for model in models:
        _print(f"  {model.name}  {model.path}  {model.place}")


async def _library(data_dir: Path, stack: contextlib.AsyncExitStack) -> Library:
    """The models that are listed; none, and no file is made, where there is no library yet."""
    file = LibraryFile(data_dir / _LIBRARY)
    stack.push_async_callback(file.aclose)
    library = Library(SqliteModelRepository(file), DiskModelFiles(data_dir / "models", ()))
    if await asyncio.to_thread((data_dir / _LIBRARY).exists):
        await library.load()
    return library


# -- advise


async def _advise(path: Path, engine_words: Sequence[str], depth: Depth, *, as_json: bool) -> int:
    places = Places.of_this_user()
    async with contextlib.AsyncExitStack() as stack:
        scope = await stack.enter_async_context(TaskScope(LogReporter()))
        subject = await _subject(places, path, engine_words, stack)

        async def forecast(config: ServerConfig) -> ByteRange | None:
            return await asyncio.to_thread(_memory, subject, config)

        parts = AdvisorParts(places.data_dir, scope, stack, forecast)
        await parts.load()
        plan = await parts.advisor.plan(subject, depth)
        _say(_plan_text(subject, plan))
        if not plan.fits:
            _say(f"gglib-desktop: {plan.short_of_bytes / 2**30:.1f} GiB of memory are missing for it; stop a server")
            return FAILED
        advice = await _measured(parts.advisor.begin(subject, plan))
    if advice is None:
        _say("gglib-desktop: interrupted; what was measured counts for the next time")
        return INTERRUPTED
    _print(json.dumps(_as_json(advice, path), indent=2) if as_json else _as_text(advice))
    return UNCERTAIN if advice.verdict.doubt is not None else DONE


async def _measured(measuring: Measuring) -> Advice | None:
    """None when a signal ended it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, measuring.cancel)
    shown = _Shown()
    end = measuring.subscribe(shown.take)
    try:
        return await measuring.finished()
    finally:
        end()


class _Shown:
    """Says each thing once."""

    def __init__(self) -> None:
        self._said: tuple[object, ...] = ()

    def take(self, progress: Progress) -> None:
        arm = next((each for each in progress.arms if each.setting == progress.current), None)
        now = (progress.current, arm.requests if arm is not None else 0)
        if arm is None or now == self._said or arm.state is not ArmState.STARTING:
            return
        self._said = now
        more = ", the computer is busy" if progress.extended else ""
        _say(f"{progress.elapsed_s:4.0f} s  {_setting_text(arm.setting)}{more}")


async def _subject(
    places: Places, path: Path, engine_words: Sequence[str], stack: contextlib.AsyncExitStack
) -> Subject:
    """The model as it would be started now, with its drafting switched on."""
    from gglib_desktop.adapters.runner.kinds import engine_catalog
    from gglib_desktop.domain.launch.options import LaunchOptions, MtpDecision, MtpReason, resolve, server_config
    from gglib_desktop.services.advisor.subject import Subject

    settings = SettingsKeeper(TomlSettingsStore(places.settings)).current
    engine = await engine_catalog(os.environ).find(settings.engine_path)
    library = await _library(places.data_dir, stack)
    launch = _options(engine_words, engine)
    model = next((each for each in library.models if each.path == path and each.is_here), None)
    saved = LaunchOptions() if model is None else await library.launch_options(model.id)
    model = model or await _unlisted(library, path)
    options = resolve(launch, saved, settings.defaults).options
    mtp = MtpDecision(True, MtpReason.CHOSEN)
    return Subject(model, server_config(model, options, base_port=settings.base_port, mtp=mtp), engine)


def _options(words: Sequence[str], engine: Engine) -> LaunchOptions:
    """The words after ``--``, read as the window reads a pasted line."""
    from gglib_desktop.domain.commandline.reading import NoteKind, read_command_line
    from gglib_desktop.domain.launch.options import LaunchOptions

    if not words:
        return LaunchOptions()
    line = read_command_line(shlex.join(["llama-server", *words]), engine.capabilities)
    for note in line.notes:
        if note.kind is not NoteKind.EXTRA:
            _say(f"note: {shlex.join(note.words)}: {note.kind}{' ' if note.detail else ''}{note.detail}")
    return line.options


async def _unlisted(library: Library, path: Path) -> Model:
    """Of a file that is in no library. Raises: InvalidModelFile."""
    file = await library.examine(path)
    if file.problem is not None or file.facts is None:
        raise InvalidModelFile(path, file.problem or "it cannot be read")
    model = Model(0, path, file.facts, None, 0.0, size_bytes=file.size_bytes, header_hash=file.header_hash)
    return Model(
        0, path, file.facts, None, 0.0, model.own_name, size_bytes=file.size_bytes, header_hash=file.header_hash
    )


def _memory(subject: Subject, config: ServerConfig) -> ByteRange | None:
    """What a start takes. Blocks."""
    from gglib_desktop.adapters.gguf.header import read_header
    from gglib_desktop.adapters.runner.kinds import engine_catalog
    from gglib_desktop.domain.launch.serving import memory_of

    serving = engine_catalog(os.environ).dialect.serving(config)
    try:
        return None if serving is None else memory_of(subject.model, read_header(subject.model.path), serving)
    except InvalidModelFile:
        return None


# -- what is said


def _setting_text(setting: DraftSetting) -> str:
    if not setting.drafts:
        return "without drafting"
    return f"{setting.n_max} draft tokens, minimum probability {setting.p_min:g}"


def _plan_text(subject: Subject, plan: Plan) -> str:
    what = "tries settings" if plan.way is Way.RACE else "predicts from a few starts"
    return (
        f"{subject.model.name}: {what}, at most {plan.starts} starts of {plan.load_s:.1f} s each; "
        f"takes {plan.seconds:.0f} s, at most {plan.most_seconds:.0f} s on a busy computer"
    )


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.0f} %"


def _as_text(advice: Advice) -> str:
    verdict = advice.verdict
    lines = [f"{advice.model}, {advice.engine}, {advice.device}, {advice.seconds:.0f} s, by {advice.basis}", ""]
    if verdict.doubt is None:
        lines += [_arm_text(arm) for arm in advice.arms]
        for line in verdict.lines:
            kind = line.kind or "code and prose"
            gain = _percent(line.gain.ratio) if line.gain is not None else "not known"
            lines.append(f"  {kind}, {line.length} prompt, {line.clients} at once: {gain}")
        lines.append("")
    lines.append(_verdict_text(advice))
    return "\n".join(lines)


def _arm_text(arm: Arm) -> str:
    speed = f"{arm.speed:.2f} x" if arm.speed is not None else arm.state
    accepted = f"{arm.accepted:.0%} accepted" if arm.accepted is not None else ""
    return f"  {_setting_text(arm.setting):45} {speed:>9}  {arm.requests:2} requests  {accepted}{arm.problem}".rstrip()


def _verdict_text(advice: Advice) -> str:
    verdict = advice.verdict
    if verdict.doubt is not None:
        return f"Verdict: uncertain ({verdict.doubt})"
    gain = verdict.gain
    between = "" if gain is None else f", {_percent(gain.ratio)} ({_percent(gain.low)} to {_percent(gain.high)})"
    if verdict.setting.drafts:
        return f"Verdict: {_setting_text(verdict.setting)}{between}"
    return f"Verdict: off (the best setting with drafting{between})"


def _as_json(advice: Advice, path: Path) -> dict[str, Any]:
    verdict = advice.verdict
    sure, gain = verdict.doubt is None, verdict.gain if verdict.doubt is None else None
    return {
        "choice": ("on" if verdict.is_on else "off") if sure else None,
        "n_max": verdict.setting.n_max if sure else None,
        "p_min": verdict.setting.p_min if verdict.is_on else None,
        "gain": None if gain is None else round(gain.ratio, 4),
        "interval": None if gain is None else [round(gain.low, 4), round(gain.high, 4)],
        "arms": [_arm_json(arm, sure=sure) for arm in advice.arms],
        "seconds": round(advice.seconds, 1),
        "uncertain": not sure,
        "model": str(path),
        "engine": advice.engine,
        "device": advice.device,
    }


def _arm_json(arm: Arm, *, sure: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"n_max": arm.setting.n_max, "p_min": arm.setting.p_min, "state": arm.state.value}
    told |= {"requests": arm.requests, "speed": arm.speed if sure else None, "accepted": arm.accepted}
    return told | {"tokens_per_s": arm.tokens_per_s if sure else None, "problem": arm.problem}
