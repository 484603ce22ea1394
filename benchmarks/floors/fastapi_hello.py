"""What most services in Python are made of, doing nothing."""

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict:
    return {"userId": "0199d0f0-0000-7000-8000-000000000000", "email": "owner@example.org", "creditBalance": 100}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
