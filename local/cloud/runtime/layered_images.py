"""The functions' layers in images, once, so that SAM does not make an image for every container.

`sam local` packs the layers that a template defines into a new image whenever it starts a container, though nothing
has changed: seconds of both processors for each function. So it is given a copy of the built template without layers,
and images in which they lie at /opt, where Lambda puts them. SAM's plain commands (docs/sam-local.md) do it SAM's way.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.cloud.artifact import BUILT_TEMPLATE
from local.cloud.intrinsics import read_document
from local.cloud.runtime.containers import LOCAL_IMAGE, docker, has_image
from local.cloud.template import Template

AWS_IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
REPOSITORY = "speechcall/functions"
LAYERLESS = BUILT_TEMPLATE.with_name("layers-in-images.json")
"""Next to the built template, whose paths are relative."""


def image_options(template: Template) -> list[str]:
    """What `sam local` is told so that it starts `template`'s functions from images that have their layers.

    The images are made if they are not there; those of other layers are removed.
    """
    document = for_sam_local(read_document(BUILT_TEMPLATE))
    LAYERLESS.write_text(json.dumps(document, indent=1), encoding="utf-8")
    base = LOCAL_IMAGE if has_image(LOCAL_IMAGE) else AWS_IMAGE
    stacks = {spec.logical_id: spec.layers for spec in template.functions.values()}
    images = {layers: _image(base, layers) for layers in set(stacks.values())}
    old = set(docker("images", "--format", "{{.Repository}}", f"{REPOSITORY}-*").splitlines()) - {
        image.partition(":")[0] for image in images.values()
    }
    for repository in old:
        docker("rmi", "--force", *docker("images", "--format", "{{.Repository}}:{{.Tag}}", repository).splitlines())
    chosen = [f"{name}={images[layers]}" for name, layers in stacks.items()]
    return [
        *("--template", str(LAYERLESS), "--skip-pull-image"),
        *(word for choice in chosen for word in ("--invoke-image", choice)),
    ]


BINARY = "x-amazon-apigateway-binary-media-types"


def for_sam_local(document: dict[str, Any]) -> dict[str, Any]:
    """A template whose functions have no layers, and whose HTTP API says that bodies may be binary; else the same.

    API Gateway encodes each body that is not text; `sam local start-api` fails unless the API's definition says so.
    """
    functions = document.get("Globals", {}).get("Function", {})
    resources = {}
    for name, resource in document["Resources"].items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            continue
        kept = {key: value for key, value in resource.get("Properties", {}).items() if key != "Layers"}
        if resource["Type"] == "AWS::Serverless::HttpApi":
            kept["DefinitionBody"] = {"openapi": "3.0.1", "info": {}, "paths": {}, BINARY: ["*/*"]}
        resources[name] = {**resource, "Properties": kept} if "Properties" in resource else resource
    without = {key: value for key, value in functions.items() if key != "Layers"}
    return {**document, "Globals": {**document.get("Globals", {}), "Function": without}, "Resources": resources}


def _image(base: str, layers: tuple[Path, ...]) -> str:
    """The image with `layers` over each other at /opt, made unless there is one of the same contents."""
    name = f"{REPOSITORY}-{_digest(base, layers)}:latest"
    if not has_image(name):
        lines = [f"FROM {base}", *(f"COPY {layer.name}/ /opt/" for layer in layers)]
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            dockerfile = "\n".join(lines).encode()
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(dockerfile)
            archive.addfile(entry, io.BytesIO(dockerfile))
            for layer in layers:
                archive.add(layer, layer.name)
        platform = ["--platform", "linux/amd64"] if base == AWS_IMAGE else []
        docker("build", "--quiet", *platform, "--tag", name, "-", given=context.getvalue(), seconds=600)
    return name


def _digest(base: str, layers: Iterable[Path]) -> str:
    """A digest of the base image and of every file. SAM drops a tag, so it is in the repository's name."""
    digest = hashlib.sha256(base.encode())
    if base == LOCAL_IMAGE:
        digest.update(docker("image", "inspect", "-f", "{{.Id}}", base).encode())
    for layer in layers:
        for path in sorted(layer.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(layer.parent).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
