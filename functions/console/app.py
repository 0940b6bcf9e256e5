"""API: the console, a web application. It asks the API as any other client does; this function only gives its files."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from speechcall.api.adapters.http_answers import Answer
from speechcall.api.adapters.http_api import HttpApi, HttpRequest
from speechcall.api.adapters.static_files import StaticFiles
from speechcall.shared.adapters.settings import setting

logger = Logger()
app = HttpApi(logger)
pages = StaticFiles(Path(__file__).with_name("pages"), setting("UPLOADS_ORIGIN"))


@app.route("GET /console")
def get_page(request: HttpRequest) -> Answer:
    return pages.answer("index.html", request.headers)


@app.route("GET /console/{file}")
def get_file(request: HttpRequest) -> Answer:
    return pages.answer(request.path["file"], request.headers)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
