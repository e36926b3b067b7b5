"""The Functional Movement Screen: movements, criteria, repetitions, scoring and the screen out of 21."""

from fitmotion_models.fms.scorer import Scorer, ScorerUpdate, score_clip
from fitmotion_models.fms.screen import Screen, ScreenResult

__all__ = ["Scorer", "ScorerUpdate", "Screen", "ScreenResult", "score_clip"]
