"""The lowest and the highest rating of a stream, as every service that deals with them is told."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings


class RatingRange(BaseSettings):
    """Where the ratings of a stream begin and end; read from the environment."""

    rating_min: float = Field(
        default=1, ge=0, allow_inf_nan=False, description="lowest rating of the stream's scale"
    )
    rating_max: float = Field(
        default=5, ge=0, allow_inf_nan=False, description="highest rating of the stream's scale"
    )

    @model_validator(mode="after")
    def _goes_up(self) -> Self:
        if self.rating_min >= self.rating_max:
            raise ValueError("RATING_MIN must be below RATING_MAX")
        return self
