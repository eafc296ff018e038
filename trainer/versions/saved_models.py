"""Every kind of item model, by the name that a manifest states: what a version is read back as."""

from collections.abc import Mapping

from trainer.versions.graph_filter import GraphFilterModel
from trainer.versions.item_models import (
    AlsModel,
    FactorModel,
    HistoryModel,
    ImplicitFactorModel,
    ItemModel,
    ItemWeightsModel,
    PopularityModel,
)
from trainer.versions.reranking import RerankedModel

ITEM_MODELS: Mapping[str, type[ItemModel]] = {
    "popularity": PopularityModel,
    "item_weights": ItemWeightsModel,
    "graph_filter": GraphFilterModel,
    "als": AlsModel,
    "factors": FactorModel,
    "implicit_factors": ImplicitFactorModel,
    "history": HistoryModel,
    "reranked": RerankedModel,
}


def name_of(model: ItemModel) -> str:
    """Under which name it is read back."""
    return next(name for name, kind in ITEM_MODELS.items() if kind is type(model))
