"""Endpoints as they are added and tested in the settings."""

import pytest

from gglib_desktop.domain.documents.places import PlaceDraft, TestStep
from gglib_desktop.domain.documents.settings import EndpointSettings, PlaceSettings
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.errors import ConfigurationError, KeyStoreError
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.services.endpoints.kind import EndpointKind
from tests.fakes.endpoints import FakeClient, FakeEngine, FakeKeys

DRAFT = PlaceDraft("mac:8000", "Mac", key=" sk-1 ")


class Bench:
    def __init__(self) -> None:
        self.client, self.keys = FakeClient(), FakeKeys()
        self.told: list[str] = []
        self.kind = EndpointKind(self._client, lambda: self.keys, self.told.append)

    async def _client(self) -> FakeClient:
        return self.client

    async def tested(self, draft: PlaceDraft = DRAFT, place_id: str | None = None) -> list[str]:
        def text(step: TestStep) -> str:
            return f"{step.step}: {step.result}" + (f" ({step.said})" if step.said else "")

        return [text(step) async for step in self.kind.test(draft, place_id)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_settings_have_the_address_and_the_key_store_the_key(bench):
    entry = bench.kind.entry(DRAFT)
    assert entry == EndpointSettings(url="http://mac:8000/v1", name="Mac")
    assert bench.kind.owns(entry)
    assert not bench.kind.owns(PlaceSettings(url="podman:x"))
    await bench.kind.keep("mac", DRAFT)
    await bench.kind.keep("lab", PlaceDraft("lab"))
    assert bench.keys.kept == {"mac": "sk-1"}
    await bench.kind.forget("mac")
    assert bench.keys.kept == {}
    assert bench.told == ["mac", "mac"]


@pytest.mark.parametrize(
    ("draft", "field"), [(PlaceDraft("ftp://x"), "address"), (PlaceDraft("mac", key="two words"), "key")]
)
def test_what_cannot_be_used(bench, draft, field):
    with pytest.raises(ConfigurationError) as caught:
        bench.kind.entry(draft)
    assert caught.value.field == field
    assert "two words" not in str(caught.value)


async def test_all_is_well(bench):
    assert await bench.tested() == ["connection: ok", "certificate: skipped", "key: ok", "models: ok (big, small)"]
    assert bench.client.looks == [("http://mac:8000/v1", "sk-1")]
    bench.client.answer = EndpointLook(models=tuple("abcde"))
    assert (await bench.tested(PlaceDraft("https://mac")))[1:] == [
        "certificate: ok",
        "key: ok",
        "models: ok (a, b, c and 2 more)",
    ]


@pytest.mark.parametrize(
    ("look", "steps"),
    [
        (
            EndpointLook(Trouble.REFUSED),
            [
                "connection: failed (nothing listens there)",
                "certificate: skipped",
                "key: skipped",
                "models: skipped",
            ],
        ),
        (
            EndpointLook(Trouble.CERTIFICATE, "self-signed certificate"),
            [
                "connection: ok",
                "certificate: failed (its certificate is not trusted: self-signed certificate)",
                "key: skipped",
                "models: skipped",
            ],
        ),
        (
            EndpointLook(Trouble.KEY_REFUSED, "401"),
            ["connection: ok", "certificate: ok", "key: failed (it refuses the key: 401)", "models: skipped"],
        ),
        (
            EndpointLook(Trouble.SILENT),
            ["connection: ok", "certificate: ok", "key: skipped", "models: failed (no answer in time)"],
        ),
        (EndpointLook(), ["connection: ok", "certificate: ok", "key: ok", "models: failed (it lists no models)"]),
        (
            EndpointLook(Trouble.HTML),
            ["connection: ok", "certificate: ok", "key: skipped", "models: failed (it answers with a web page)"],
        ),
        (
            EndpointLook(Trouble.REDIRECT, "http://lab/v1/models"),
            [
                "connection: ok",
                "certificate: ok",
                "key: skipped",
                "models: failed (it answers with a redirect: http://lab/v1/models)",
            ],
        ),
    ],
)
async def test_what_fails(bench, look, steps):
    bench.client.answer = look
    assert await bench.tested(PlaceDraft("https://mac")) == steps


async def test_one_that_lists_its_models_for_everyone(bench):
    bench.client.engine = FakeEngine(told=ServerFacts(wants_key=True, refused=True))
    assert (await bench.tested())[2] == "key: failed (it refuses the key: 401)"


async def test_one_that_is_kept_is_asked_with_its_key(bench):
    bench.keys.kept["mac"] = "sk-2"
    await bench.tested(PlaceDraft("mac"), "mac")
    assert bench.client.looks == [("http://mac/v1", "sk-2")]
    bench.keys.problem = KeyStoreError("locked")
    assert await bench.tested(PlaceDraft("mac"), "mac") == ["key: failed (locked)"]
