"""What is kept of a run beside its requests."""

from __future__ import annotations

from gglib_desktop.domain.advisor.speed_key import speed_key
from gglib_desktop.domain.traffic.requests import RunFacts
from gglib_desktop.services.servers.snapshot import ServerSnapshot


def run_facts(snapshot: ServerSnapshot) -> RunFacts:
    """Of the run that a server is in, as far as is known of it now."""
    config, facts = snapshot.config, snapshot.facts
    drafts = bool(config.spec_draft_n_max) and (facts is None or facts.drafts is not False)
    return RunFacts(
        snapshot.log_name,
        config.model_id,
        config.model_name,
        build="" if facts is None else facts.build or "",
        n_max=config.spec_draft_n_max if drafts else None,
        p_min=config.spec_draft_p_min if drafts else None,
        speed_key=speed_key(config, facts),
    )
