"""Every kind of item model, by the name that a manifest states: what a version is read back as."""

from collections.abc import Mapping

from trainer.versions.item_models.als import AlsModel
from trainer.versions.item_models.factors import FactorModel, ImplicitFactorModel
from trainer.versions.item_models.graph_filter import GraphFilterModel
from trainer.versions.item_models.history import HistoryModel
from trainer.versions.item_models.item_model import ItemModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.item_models.reranked import RerankedModel

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
