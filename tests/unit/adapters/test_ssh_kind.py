"""What may be typed about another computer."""

from pathlib import Path

import pytest

from gglib_desktop.adapters.runner.place_kinds.ssh import SshKind
from gglib_desktop.domain.documents.places import PlaceDraft
from gglib_desktop.domain.documents.settings import EndpointSettings, PlaceSettings
from gglib_desktop.domain.errors import ConfigurationError

KIND = SshKind(Path("/nowhere"), {})
ADDRESS = "ssh://me@gpu-box:2222"


def test_what_the_settings_keep():
    draft = PlaceDraft(f" {ADDRESS} ", " GPU box ", " /opt/llama server ")
    assert KIND.entry(draft) == PlaceSettings(url=ADDRESS, name="GPU box", engine="/opt/llama server")
    assert KIND.entry(PlaceDraft(ADDRESS)) == PlaceSettings(url=ADDRESS)


@pytest.mark.parametrize(
    "address",
    [
        "gpu-box",
        "ssh://",
        "ssh://-oProxyCommand=touch",
        "ssh://-oProxyCommand=touch@gpu-box",
        "ssh://me@-oProxyCommand=touch",
        "ssh://me@gpu-box:-oProxyCommand",
        "ssh://gpu-box -oProxyCommand=touch",
        "ssh://gpu-box\n-oProxyCommand=touch",
        "ssh://gpu-box/$(touch)",
        "ssh://`touch`@gpu-box",
        "ssh://me:password@gpu-box",
    ],
)
def test_addresses_that_cannot_be_used(address):
    with pytest.raises(ConfigurationError) as refused:
        KIND.entry(PlaceDraft(address))
    assert refused.value.field == "address"


@pytest.mark.parametrize("engine", ["llama-server", "-oProxyCommand=touch", "/opt/a\nb", "~/llama-server"])
def test_engines_that_cannot_be_used(engine):
    with pytest.raises(ConfigurationError) as refused:
        KIND.entry(PlaceDraft(ADDRESS, engine=engine))
    assert refused.value.field == "engine"


def test_which_entries_are_of_this_kind():
    assert KIND.owns(PlaceSettings(url=ADDRESS))
    assert not KIND.owns(PlaceSettings(url="podman:image"))
    assert not KIND.owns(EndpointSettings(url="http://gpu-box"))


def test_folders_are_kept_as_typed():
    typed = "~/models; /srv/it's here\n/srv/b;"
    entry = KIND.entry(PlaceDraft(ADDRESS, folders=typed))
    assert isinstance(entry, PlaceSettings)
    assert entry.folders == ("~/models", "/srv/it's here", "/srv/b")


@pytest.mark.parametrize("folder", ["models", "-delete", "/srv/\tb", "~root/models"])
def test_folders_that_cannot_be_used(folder):
    with pytest.raises(ConfigurationError) as refused:
        KIND.entry(PlaceDraft(ADDRESS, folders=f"/srv; {folder}"))
    assert refused.value.field == "folders"
