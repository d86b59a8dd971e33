"""A server's command line as a Kubernetes Deployment with its Service.

``podman kube play`` runs it too, but leaves ``$$(`` in words, which Kubernetes takes for ``$(``, as it is (4.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gglib_desktop.domain.commandline.exports.containers import ABOUT_IMAGE, CONTAINER_IMAGE, NAME, Contained, contained
from gglib_desktop.domain.commandline.exports.yaml_writing import Tree, yaml_text

_LABELS = {"app": NAME}
# Kubernetes puts in variables at $(NAME), and takes a second dollar sign away.
_REFERENCE = re.compile(r"\$(?=[$(])")


def kubernetes(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """Two documents. Keys come from a Secret of the same name."""
    run = contained(words)
    comments = [ABOUT_IMAGE, "The node that runs this needs the same files under hostPath."]
    comments += [f"kubectl create secret generic {NAME} --from-literal={name}=…" for name in keys]
    return yaml_text(_deployment(run, settings, keys), _service(run), comments=comments)


def _deployment(run: Contained, settings: Mapping[str, str], keys: Sequence[str]) -> Tree:
    volumes: list[Tree] = [
        {"name": target.removeprefix("/"), "hostPath": {"path": source, "type": "Directory"}}
        for source, target in run.folders.items()
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {
            "replicas": 1,
            # Two at once would need the port, and the memory, twice.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _LABELS},
            "template": {
                "metadata": {"labels": _LABELS},
                "spec": {"containers": [_container(run, settings, keys)], "volumes": volumes},
            },
        },
    }


def _container(run: Contained, settings: Mapping[str, str], keys: Sequence[str]) -> Tree:
    arguments = [_plain(word) for word in run.arguments]
    container: dict[str, Tree] = {"name": NAME, "image": CONTAINER_IMAGE, "args": arguments}
    environment: list[Tree] = [{"name": name, "value": _plain(value)} for name, value in settings.items()]
    environment += [{"name": name, "valueFrom": {"secretKeyRef": {"name": NAME, "key": name}}} for name in keys]
    if environment:
        container["env"] = environment
    container["ports"] = [{"containerPort": run.port, "hostPort": run.port, "hostIP": run.address}]
    # It answers 503 while it loads, and needs no key.
    container["readinessProbe"] = {"httpGet": {"path": "/health", "port": run.port}}
    container["volumeMounts"] = [
        {"name": target.removeprefix("/"), "mountPath": target, "readOnly": True} for target in run.folders.values()
    ]
    return container


def _service(run: Contained) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": _LABELS, "ports": [{"port": run.port, "targetPort": run.port}]},
    }


def _plain(text: str) -> str:
    return _REFERENCE.sub("$$", text)
