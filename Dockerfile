# The page and the HTTP API. Built in one stage, so that the image that runs has neither the sources nor what builds them.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY goodcommission goodcommission
COPY rules rules
COPY schemas schemas
COPY examples examples
RUN python -m venv /opt/goodcommission && \
    /opt/goodcommission/bin/pip install --no-cache-dir --no-compile '.[web]' && \
    /opt/goodcommission/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
COPY --from=build /opt/goodcommission /opt/goodcommission
ENV PATH=/opt/goodcommission/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Nobody of the host: it owns no file here, and writes nothing unless a volume for --database is given to it.
USER 10001
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["goodcommission", "serve"]
CMD ["--host", "0.0.0.0", "--port", "8000"]
