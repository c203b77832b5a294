"""A page for every book: `uvicorn storefront:app`.

PRICES_URL is where its prices come from. PATIENCE_S is how long it waits for one before it shows the book without;
unset, it waits for as long as it takes.
"""

import os

import httpx
from fastapi import FastAPI
from tracing import trace_app

patience = os.environ.get("PATIENCE_S")
prices = httpx.AsyncClient(base_url=os.environ["PRICES_URL"], timeout=float(patience) if patience else None)
app = FastAPI()


@app.get("/books/{number}")
async def read_book(number: int) -> dict[str, object]:
    try:
        answer = await prices.get(f"/prices/{number}")
        return {"book": number, "price": answer.json()["price"]}
    except httpx.TimeoutException:
        return {"book": number, "price": "ask in the shop"}


trace_app(app)
