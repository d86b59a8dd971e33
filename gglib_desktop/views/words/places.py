"""The texts about places: their kinds, and the steps of their tests."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.documents.places import KindName, ListedPlace, Step, StepResult, TestStep

translate = QCoreApplication.translate


def this_computer() -> str:
    """The place that is always there."""
    return translate("Places", "This computer")


def kind_text(kind: KindName) -> str:
    """What a place is: ``Container engine``."""
    return {
        KindName.SSH: translate("Places", "SSH"),
        KindName.CONTAINER: translate("Places", "Container engine"),
        KindName.ENDPOINT: translate("Places", "Endpoint"),
    }[kind]


def kind_note(kind: KindName) -> str:
    """What adding one means."""
    return {
        KindName.SSH: translate("Places", "A computer on which you can log in. Servers are started there."),
        KindName.CONTAINER: translate(
            "Places",
            "Servers run in containers of an image, such as podman:IMAGE or docker:IMAGE. Anyone who may use the"
            " engine's socket is root on that machine, unless the engine is rootless.",
        ),
        KindName.ENDPOINT: translate(
            "Places", "A server that somebody else runs. It is watched and used, never started or stopped."
        ),
    }[kind]


def place_text(place: ListedPlace) -> str:
    """The line of a place in the list of all: ``Lab (endpoint), http://lab:8000/v1``."""
    kind = kind_text(place.kind) if place.kind is not None else translate("Places", "unknown to this version")
    return translate("Places", "{name} ({kind}), {address}").format(name=place.name, kind=kind, address=place.address)


def step_text(step: TestStep) -> str:
    """A step and its result: ``Connection: ok``."""
    name = {
        Step.SOCKET: translate("Places", "Socket"),
        Step.CONNECTION: translate("Places", "Connection"),
        Step.CERTIFICATE: translate("Places", "Certificate"),
        Step.KEY: translate("Places", "Key"),
        Step.MODELS: translate("Places", "Models"),
        Step.IMAGE: translate("Places", "Image"),
        Step.ENGINE: translate("Places", "Engine"),
        Step.HOST_KEY: translate("Places", "Host key"),
        Step.LOGIN: translate("Places", "Login"),
        Step.SHELL: translate("Places", "Shell"),
        Step.RUN_FOLDER: translate("Places", "Run folder"),
    }[step.step]
    result = {
        StepResult.OK: translate("Places", "ok"),
        StepResult.FAILED: translate("Places", "failed"),
        StepResult.SKIPPED: translate("Places", "skipped"),
    }[step.result]
    return translate("Places", "{step}: {result}").format(step=name, result=result)
