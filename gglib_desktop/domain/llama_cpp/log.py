"""What llama.cpp's log says about an end, in builds since 2023.

A cause rests on the line that states it. The lines that follow from it ("failed to load model", "exiting due to model
loading error") prove nothing, and are only read for the file that they name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, FailureCause, ModelPart

_OUT_OF_MEMORY = (
    "out of memory",
    "failed to allocate",
    "unable to allocate",
    "cannot allocate memory",
    "insufficient memory",
    "std::bad_alloc",
    "cudaMalloc failed",
    "the resource allocation failed",
    "ErrorOutOfDeviceMemory",
    "OutOfHostMemory",
    r"device memory allocation of size \d+ failed",
)
# First match wins, so the more special stands above the more general.
_WORDS: tuple[tuple[FailureCause, tuple[str, ...]], ...] = (
    # Not every "cannot open shared object": a build works without a backend that it cannot load.
    (
        FailureCause.LIBRARY_MISSING,
        (
            "error (while )?loading shared librar",
            "library not loaded",
            r"version [`'\"]\S+' not found",
            "symbol lookup error",
            "error relocating .*symbol not found",
            "no backends are loaded",
        ),
    ),
    (
        FailureCause.UNKNOWN_FLAG,
        (
            "error: (invalid|unknown) argument",
            "argument has been removed",
            "unrecognized (option|arguments?)",
            "unexpected argument '-",
            "flag provided but not defined",
        ),
    ),
    (
        FailureCause.COMPANION_ALONE,
        ("CLIP cannot be used as main model", "unknown model architecture: 'clip'"),
    ),
    # Not every "no such file": a debugger that writes the backtrace of an abort says it about source files.
    (
        FailureCause.MODEL_MISSING,
        (
            "failed to open GGUF file",
            "failed to open file '",
            # The reason may be in any language.
            r"failed to open .*(\.gguf'?: |no such file or directory|permission denied)",
        ),
    ),
    (
        FailureCause.TEMPLATE_REFUSED,
        ("supplied chat template is not supported", "failed to initialize chat template"),
    ),
    (
        FailureCause.BAD_VALUE,
        (
            "error while handling argument",
            "error: .*(expected|invalid) value",
            "invalid value for main_gpu",
            "invalid parameter for argument",
            "unknown value",
            "invalid stoi|stoi$|stof$",
            "V cache.* requires flash.attn",
            r"SPLIT_MODE_\w+ (requires|needs|not implemented)",
            "cannot both be zero",
            r"does not support different K .*and V .*cache types",
            "failed to parse grammar",
            "static assets path not found",
            "built without SSL",
        ),
    ),
    # Where an engine finds no card or no driver at all, it goes on without.
    (
        FailureCause.WRONG_GRAPHICS,
        (
            "error: no kernel image is available",
            "error: device kernel image is invalid",
            "error: the provided PTX was compiled with an unsupported toolchain",
            "ROCm error: invalid device function",
            r"rocBLAS error: .*TensileLibrary",
            "what.*ErrorIncompatibleDriver",
        ),
    ),
    (FailureCause.WORKER_LOST, (r"ggml-rpc\.cpp:\d+: Remote RPC server crashed",)),
    (FailureCause.MTP_LAYERS_MISSING, ("MTP requested but model doesn't contain MTP layers",)),
    (FailureCause.PORT_TAKEN, ("couldn't bind (HTTP|to) server socket", "address already in use")),
    (FailureCause.OUT_OF_MEMORY, _OUT_OF_MEMORY),
    # The engine may end before it has written that line; if there was enough memory, these mean the same.
    (FailureCause.MTP_LAYERS_MISSING, ("failed to create MTP context", "failed to measure MTP context memory")),
    (
        FailureCause.MODEL_UNSUPPORTED,
        (
            "(unknown|unsupported) model architecture",
            "unknown (pre-)?tokenizer",
            "unknown ((vision|audio) )?projector type",
            "invalid ggml type",
            "unrecognized tensor type",
            "only supports up to version",
            "wrong number of tensors",
        ),
    ),
    (
        FailureCause.MODEL_UNREADABLE,
        (
            # Only the reader of headers mentions these.
            r"gguf_init_from_\w+: ",
            r"unknown \(magic, version\) combination",
            "invalid magic",
            "not within (the )?file bounds",
            "corrupted or incomplete",
            "corrupted model:",
            "unexpectedly reached end of file",
            "failed to read (magic|header|key|tensor)",
            "exceeds remaining file size",
            "no longer supported, please use a more",
            "missing tensor",
            "tensor '.*' (not found|is missing)",
            "has wrong (shape|type|array length)",
            "error loading model (hyperparameters|vocabulary): .",
            "key not found in model",
            "cannot find tokenizer",
            "invalid split",
            "illegal split",
            "tensors with invalid data",
            "is duplicated",
        ),
    ),
    (
        FailureCause.COMPANION_REFUSED,
        (
            "maybe wrong base model",
            "failed to (load|apply) lora adapter",
            "mismatch between text model",
            "draft (model|vocab) .*must (closely )?match target",
            "failed to load control vector",
            "no direction tensors found",
            "failed to load CLIP model",
        ),
    ),
)
_CAUSES = tuple((cause, re.compile("|".join(words), re.IGNORECASE)) for cause, words in _WORDS)
_MEMORY = re.compile("|".join(_OUT_OF_MEMORY), re.IGNORECASE)
_ABOUT_FILES = frozenset(
    {
        FailureCause.MODEL_MISSING,
        FailureCause.MODEL_UNREADABLE,
        FailureCause.MODEL_UNSUPPORTED,
        FailureCause.COMPANION_REFUSED,
    }
)
_ENDS_SERVING = frozenset({FailureCause.OUT_OF_MEMORY, FailureCause.WORKER_LOST})
# Missing parts that the engine replaces or does without.
_DONE_WITHOUT = re.compile(r"pinned memory|mlock|falling back to|retrying without|will be disabled", re.IGNORECASE)
_RETRIES = re.compile(r"falling back to|retrying without", re.IGNORECASE)
# Texts that a log only repeats: a file's metadata, templates, paths, requests. Level D and I are never complaints.
_QUOTES = re.compile(
    r"^(?:[\d.]+ )?[DI] |- kv +\d+: |loaded meta data with|(?<!error )loading model '|chat[_ ]template: |request: +\{"
)
_WARNING = re.compile(r"^[\d.]+ W |\bwarning:", re.IGNORECASE)
_LOADED = re.compile(r"\bmodel loaded\b|\blistening on http")
_WORKED = re.compile(
    r"\bslot +\w+: +id |\| task -?\d+ \||all slots are idle|request: [A-Z]+ \S+ .*\b200\b|status=200\b|eval time ="
    rf"|{_LOADED.pattern}"
)
_FAILED_WORK = re.compile(r"\bE (slot|srv) |failed|error", re.IGNORECASE)
# From a debugger that an abort calls.
_BACKTRACE = re.compile(
    r"#\d+ |\[(New LWP|Thread debugging|Inferior)|Using host libthread_db|0x[\da-f]+ in |\d+\t|\d+ in |warning: |ptrace"
)
_NAMED_FILE = re.compile(
    r"failed to open (?:(?:GGUF )?file )?'([^']+)'|failed to (?:load|apply) lora adapter '([^']+)'"
    r"|failed to load (?:(?:draft|multimodal) )?model,? '([^']+)'"
    r"|failed to load (?:CLIP )?model from (.+?)(?:\. Does this file exist.*)?$"
    r"|failed to load (?:lora adapter file|control vector file|GGUF split) from (.+)$"
    r"|the draft model '([^']+)' is not compatible|no direction tensors found in (.+)$"
    r"|failed to open (.+?\.gguf): |failed to open (.+?): (?:No such file|Permission denied)",
    re.IGNORECASE,
)
_CONSEQUENCE = re.compile(
    r"failed to (load|create_?.context with) .*model|fit params to free device memory|exiting due to"
    r"|cleaning up before exit|(measure|get) (draft model memory|memory usage of mmproj)",
    re.IGNORECASE,
)
_INTERESTING = re.compile(r"error|fail|abort|assert|exiting|invalid|what\(\)|terminate called| [EF] ", re.IGNORECASE)
_PREFIX = re.compile(r"^[\d.]+ [DIWE] ")
# The length of a line that is read, in characters: a program may print megabytes without a break.
_LONGEST_LINE = 2000
_GOODBYE = "cleaning up before exit"
_FLAG_AT_FAULT = re.compile(
    r"(?:(?:invalid|unknown|unexpected) argument|unrecognized (?:option|arguments?)|not defined):? ['\"]?(-[^\s'\"]+)"
    r"|(?:error while handling|invalid parameter for) argument:? \"?(-[^\s\"]+)"
)
_PARTS = {
    "model architecture": ModelPart.ARCHITECTURE,
    "pre-tokenizer type": ModelPart.TOKENIZER,
    "tokenizer": ModelPart.TOKENIZER,
}
_NAMED_PART = re.compile(rf"unknown ({'|'.join(_PARTS)}): '([^']+)'")


@dataclass(frozen=True)
class LogReading:
    """The cause that a log states, the lines that prove it, and the file that it names, if any."""

    cause: FailureCause
    evidence: tuple[str, ...]
    file: str = ""


def read_log(log: Sequence[str], *, served: bool = False) -> LogReading:
    """What the lines of a log say about the end. ``served``: the server had been healthy.

    Without a cause the evidence is errors, else the last lines.
    """
    said = [line[:_LONGEST_LINE].rstrip() for line in log if line.strip()]
    lines = _still_true(said, served=served)
    # Requests may write anything into the log of a serving server.
    possible = [entry for entry in _CAUSES if entry[0] in _ENDS_SERVING or not served]
    for cause, pattern in possible:
        place = next((number for number, line in enumerate(lines) if pattern.search(line)), None)
        if place is not None:
            naming, file = _named_file(lines[place:]) if cause in _ABOUT_FILES else ("", "")
            evidence = [line for line in lines if line == naming or _cause_of(line, possible) is cause]
            return LogReading(cause, _limited(_without_repeats(evidence)), file)
    errors = [line for line in lines if _INTERESTING.search(line) and not _BACKTRACE.match(line)]
    own = [line for line in errors if not _CONSEQUENCE.search(line)]
    last = [line for line in said if _cause_of(line, _CAUSES) is None][-EVIDENCE_LINES:]
    return LogReading(FailureCause.UNKNOWN, _limited(_without_repeats(own or errors) or last))


def says_goodbye(log: Sequence[str]) -> bool:
    """Whether it ended on request: a server never does so by itself."""
    return any(_GOODBYE in line for line in log[-EVIDENCE_LINES:])


def flag_named(evidence: Sequence[str]) -> str:
    """The flag that the engine named as unknown, or whose value it refused; empty for none."""
    found = next((found for line in evidence if (found := _FLAG_AT_FAULT.search(line))), None)
    return next(filter(None, found.groups())) if found else ""


def unknown_part(evidence: Sequence[str]) -> tuple[ModelPart, str] | None:
    """The part of the model that the engine named as unknown, and its name there; None if it named none."""
    found = next((found for line in evidence if (found := _NAMED_PART.search(line))), None)
    return (_PARTS[found[1]], found[2]) if found else None


def _cause_of(line: str, causes: Sequence[tuple[FailureCause, re.Pattern[str]]]) -> FailureCause | None:
    return next((cause for cause, pattern in causes if pattern.search(line)), None)


def _named_file(lines: Sequence[str]) -> tuple[str, str]:
    """The first line that names an unusable file, and that file; empty if there is none."""
    found = next((found for line in lines if (found := _NAMED_FILE.search(line))), None)
    return (found.string, next(filter(None, found.groups()), "")) if found else ("", "")


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """Without repetitions: the engine logs much twice, with other time stamps."""
    first: dict[str, str] = {}
    for line in lines:
        first.setdefault(_PREFIX.sub("", line), line)
    return list(first.values())


def _limited(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(lines if len(lines) <= EVIDENCE_LINES else [lines[0], *lines[1 - EVIDENCE_LINES :]])


def _still_true(lines: Sequence[str], *, served: bool) -> list[str]:
    """Without text that the log only repeats, and without complaints that the server survived: it went on, loaded its
    model, or answered requests since.
    """
    loaded = max((number for number, line in enumerate(lines) if _LOADED.search(line)), default=-1)
    worked = _last_work(lines) if served or loaded >= 0 else -1
    recent = len(lines) - EVIDENCE_LINES
    retried = max((number for number, line in enumerate(lines) if _RETRIES.search(line)), default=-1)

    def is_outlived(number: int, line: str) -> bool:
        if _MEMORY.search(line) and (number < retried or (number < recent and _WARNING.search(line))):
            return True
        return number < worked or _DONE_WITHOUT.search(line) is not None

    return [line for number, line in enumerate(lines) if not is_outlived(number, line) and not _QUOTES.search(line)]


def _last_work(lines: Sequence[str]) -> int:
    """The line up to which a server that had loaded its model went on after any complaint."""
    shows_work = (n for n, line in enumerate(lines) if _WORKED.search(line) and not _FAILED_WORK.search(line))
    # Many lines later something else has happened; the debugger of an abort writes many.
    own = [number for number, line in enumerate(lines) if not _BACKTRACE.match(line)]
    return max([-1, *shows_work, *own[-EVIDENCE_LINES : -EVIDENCE_LINES + 1]])
