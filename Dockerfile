# syntax=docker/dockerfile:1
# Server and worker in one image: `docker build -t limner .`, then compose.yaml or deploy/helm.

FROM python:3.13-slim AS build
WORKDIR /build
# Nothing is built and nothing is chosen here: wheels only, each checked against its hash in the lock.
COPY deploy/requirements.lock ./
RUN python -m venv --without-pip /opt/limner && \
    python -m pip --python /opt/limner/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes --no-deps --requirement requirements.lock
COPY src/limner /opt/limner/lib/python3.13/site-packages/limner
COPY docs /opt/limner/lib/python3.13/site-packages/limner/docs_pages
RUN printf '#!/bin/sh\nexec /opt/limner/bin/python -m limner "$@"\n' > /opt/limner/bin/limner && \
    chmod 0755 /opt/limner/bin/limner && \
    /opt/limner/bin/python -m compileall -q /opt/limner/lib

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Limner" \
      org.opencontainers.image.description="The image service for AI agents" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin limner && \
    install --directory --owner=limner --group=limner --mode=0700 /data
COPY --from=build /opt/limner /opt/limner
ENV PATH=/opt/limner/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LIMNER_DATA_DIR=/data \
    LIMNER_HOST=0.0.0.0 \
    LIMNER_METRICS_HOST=0.0.0.0 \
    LIMNER_METRICS_PORT=9464
USER 10001:10001
VOLUME /data
EXPOSE 8000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"LIMNER_METRICS_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["limner"]
CMD ["serve"]
