"""The template that `sam local` is given: the deployed one, but for layers, and for what SAM has to be told besides."""

from local.cloud.intrinsics import read_document
from local.cloud.runtime.layered_images import BINARY, for_sam_local
from local.cloud.template import TEMPLATE


def test_no_function_has_a_layer_bodies_may_be_binary_and_all_else_is_the_same() -> None:
    document = read_document(TEMPLATE)
    changed = for_sam_local(document)
    assert "Layer" not in str(changed["Globals"]) + str(changed["Resources"])
    layers = {name for name, one in document["Resources"].items() if one["Type"] == "AWS::Serverless::LayerVersion"}
    assert set(document["Resources"]) - set(changed["Resources"]) == layers
    assert changed["Resources"]["Api"]["Properties"].pop("DefinitionBody")[BINARY] == ["*/*"]
    for name, resource in changed["Resources"].items():
        theirs = dict(document["Resources"][name].get("Properties", {}))
        theirs.pop("Layers", None)
        assert resource.get("Properties", {}) == theirs, name
