"""`/v1/reviewers`: how well each reviewer reviews, for the lead. What is measured, and what follows, stands in `review/`."""

from __future__ import annotations

from fastapi import APIRouter

from understudy.web.auth import AutonomyReader, TheApp
from understudy.web.problems import answers
from understudy.web.shapes import ReviewersOut

router = APIRouter(prefix="/v1/reviewers", tags=["autonomy"])


@router.get("", responses=answers(401, 403))
async def list_reviewers(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
) -> ReviewersOut:
    """Read how each reviewer decides: pace, share approved, planted drafts noticed, agreement; by name."""
    return ReviewersOut(items=await app.reviewers.all(), agreement=await app.reviewers.agreement())
