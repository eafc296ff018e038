"""Which model each algorithm leaves, by the algorithm's name: what a version is read back as."""

from collections.abc import Mapping

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

MODELS: Mapping[str, type[ItemModel]] = {
    "popularity": PopularityModel,
    "ease": ItemWeightsModel,
    "als": AlsModel,
    "svd": FactorModel,
    "svdpp": ImplicitFactorModel,
    "recency_ease": HistoryModel,
    "recency_transitions": HistoryModel,
    "boosted_trees": RerankedModel,
}
