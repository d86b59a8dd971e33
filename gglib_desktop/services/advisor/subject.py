"""What is measured: a model as it would be started, and the same with each setting of drafting."""

from __future__ import annotations

from dataclasses import dataclass

from gglib_desktop.domain.advisor.advice import Conditions, conditions_of
from gglib_desktop.domain.advisor.settings import DraftSetting
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import OWN_PLACE, ServerConfig

CONTEXT_TOKENS = 4096
# Apart from those that the servers of the window get.
_BASE_PORT = 28200


@dataclass(frozen=True)
class Subject:
    """``config`` is that of a start of the model as it is now, whether it drafts or not."""

    model: Model
    config: ServerConfig
    engine: Engine

    @property
    def conditions(self) -> Conditions:
        return conditions_of(self.config, self.model, self.engine)

    def configured(self, setting: DraftSetting, clients: int = 1) -> ServerConfig:
        """As it is started to be measured: for so many clients, reached from nowhere else, and ready to answer."""
        inference = self.config.inference_config
        return self.config.replace(
            spec_draft_n_max=setting.n_max or None,
            spec_draft_p_min=setting.p_min if setting.drafts else None,
            parallel=clients,
            context_size=CONTEXT_TOKENS,
            port=None,
            base_port=_BASE_PORT,
            host=None,
            require_api_key=None,
            alias=None,
            place=OWN_PLACE,
            # Each answer is to be as long as it is asked to be.
            inference_config=inference.replace(max_tokens=None) if inference is not None else None,
        )
