"""What replies commit the business to: whether it is kept as tasks, and when people hear of one; it finds none."""

from __future__ import annotations

from pydantic import Field

from understudy.records.pledges import PledgeTerms
from understudy.settings.section import Section


class PledgesSettings(Section):
    """What replies promise the customer, as tasks with a deadline; times are meant in `business.timezone`."""

    keep: bool = Field(True, description="false: what replies promise is shown to reviewers and not kept as a task")
    usual_h: float = Field(48.0, gt=0, description="a promise that names no time is due after so many hours")
    warn_h: float = Field(
        2.0, ge=0, description="people are told so long before a deadline, or half way to it where that is later"
    )

    def terms(self, timezone: str) -> PledgeTerms:
        """What is kept of promises, for a business in this time zone (an IANA name)."""
        return PledgeTerms(is_on=self.keep, timezone=timezone, usual_h=self.usual_h, warn_h=self.warn_h)
