"""The price of every book: `uvicorn prices:app`."""

from fastapi import FastAPI
from tracing import trace_app

app = FastAPI()


@app.get("/prices/{number}")
async def read_price(number: int) -> dict[str, float]:
    return {"price": 10 + number % 20}


trace_app(app)
