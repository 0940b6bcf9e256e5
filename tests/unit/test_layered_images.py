"""The template that `sam local` is given with images that have the layers: the deployed one, without layers."""

from local.cloud import TEMPLATE
from local.intrinsics import read_document
from local.runtime.layered_images import without_layers


def test_no_function_has_a_layer_and_all_else_is_the_same() -> None:
    document = read_document(TEMPLATE)
    without = without_layers(document)
    assert "Layer" not in str(without["Globals"]) + str(without["Resources"])
    layers = {name for name, one in document["Resources"].items() if one["Type"] == "AWS::Serverless::LayerVersion"}
    assert set(document["Resources"]) - set(without["Resources"]) == layers
    for name, resource in without["Resources"].items():
        theirs = dict(document["Resources"][name].get("Properties", {}))
        theirs.pop("Layers", None)
        assert resource.get("Properties", {}) == theirs, name
