# Training, quantization, report: torch for TORCH_BACKEND (cpu, cu128, ..), or the wheel in docker/wheels if there is one.
ARG PYTHON=python:3.11-slim

# hadolint ignore=DL3006
FROM ${PYTHON} AS build
ARG TORCH=torch==2.13.0
ARG TORCH_BACKEND=cpu
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir uv==0.9.11
COPY docker/wheels /wheels
COPY pyproject.toml constraints.txt ./
RUN if compgen -G "/wheels/torch-*.whl" >/dev/null; then source=(--find-links /wheels); \
    else source=(--torch-backend "${TORCH_BACKEND}"); fi; \
    /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python "${source[@]}" "${TORCH}" \
        -r pyproject.toml --extra train --extra synthetic --extra report --extra tracking --extra distributed \
        -c constraints.txt \
    && rm -rf /opt/venv/bin/uv /opt/venv/lib/python3*/site-packages/torch/include \
        /opt/venv/lib/python3*/site-packages/torch/test

# hadolint ignore=DL3006
FROM ${PYTHON}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ernn-train" \
      org.opencontainers.image.description="Stages of ernn with torch" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Only /tmp is written: the root file system may be read-only.
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/matplotlib ERNN_CHECKPOINTS=/tmp/checkpoints
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY ernn ernn
COPY components components
USER 10001:10001
CMD ["python3", "-m", "components.prepare", "--help"]
