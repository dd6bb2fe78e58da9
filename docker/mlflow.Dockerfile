# The tracking server, over PostgreSQL and an S3-compatible store.
ARG PYTHON=python:3.11-slim

# hadolint ignore=DL3006
FROM ${PYTHON} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir uv==0.9.11
COPY pyproject.toml constraints.txt ./
RUN /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python \
        -r pyproject.toml --extra server -c constraints.txt \
    && rm -rf /opt/venv/bin/uv

# hadolint ignore=DL3006
FROM ${PYTHON}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ernn-mlflow" \
      org.opencontainers.image.description="MLflow tracking server for ernn" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
COPY --from=build /opt/venv /opt/venv
WORKDIR /tmp
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "2"]
