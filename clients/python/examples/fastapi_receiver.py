"""A receiver with FastAPI: `SPEECHCALL_SECRET=whsec_… uvicorn fastapi_receiver:app`."""

import os

from fastapi import FastAPI, Request, Response

from speechcall_client import InvalidWebhook, KeyPressed, verify

SECRET = os.environ["SPEECHCALL_SECRET"]
app = FastAPI()
confirmed: dict[str, KeyPressed] = {}
"""What callees said, by webhook id; yours is a table with the id as its key."""


@app.post("/speechcall")
async def speechcall(request: Request) -> Response:
    """One webhook. The body is taken as it came: JSON that was read and written again has another signature."""
    try:
        event = verify(request.headers, await request.body(), SECRET)
    except InvalidWebhook:
        return Response(status_code=401)
    if isinstance(event, KeyPressed):
        confirmed.setdefault(event.id, event)
    return Response(status_code=204)
