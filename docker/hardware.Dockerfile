# Generation, simulation, synthesis: Verilator with g++, yosys, nextpnr; no torch.
ARG PYTHON=python:3.11-slim

# hadolint ignore=DL3006
FROM ${PYTHON} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir uv==0.9.11
COPY pyproject.toml constraints.txt ./
RUN /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python \
        -r pyproject.toml --extra hardware -c constraints.txt \
    && rm -rf /opt/venv/bin/uv

# hadolint ignore=DL3006
FROM ${PYTHON}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ernn-hardware" \
      org.opencontainers.image.description="Stages of ernn with simulator and synthesis" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ make perl && rm -rf /var/lib/apt/lists/*
# Only /tmp is written: the root file system may be read-only.
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp XDG_CACHE_HOME=/tmp/cache
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY ernn ernn
COPY components components
USER 10001:10001
CMD ["python3", "-m", "components.generate", "--help"]
