# One target for each service. Compose names them; all stand on one base image, from a
# registry or made from the distribution's packages, and on the distribution's packages.
#
# What a host needs to reach its package mirrors comes as build secrets: none of it stays in
# an image, and a build without any takes what the base image knows.

ARG BASE_IMAGE=debian:trixie-slim
ARG GRAFANA_IMAGE=grafana/grafana:13.2.0
ARG JENKINS_IMAGE=jenkins/jenkins:2.528.1-lts-jdk21

FROM ${BASE_IMAGE} AS base
COPY --chmod=755 compose/images/install-packages.sh /usr/local/sbin/install-packages


# --- Python, and a folder for each volume ------------------------------------------

FROM base AS python
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages python3 ca-certificates
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/marquee

FROM python AS uv
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages python3-venv
COPY compose/images/uv.txt /build/uv.txt
COPY --chmod=755 compose/images/install-uv.sh /usr/local/bin/install-uv
COPY --chmod=755 compose/images/install-wheels.sh /usr/local/bin/install-wheels
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle install-uv

FROM uv AS ingest-wheels
COPY ingest/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS trainer-wheels
COPY trainer/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS recommender-wheels
COPY recommender/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS monitoring-wheels
COPY monitoring/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS ci-wheels
COPY ci/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS simulator-wheels
COPY compose/simulator/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels

FROM uv AS tests-wheels
COPY tests/requirements.txt /build/
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle \
    --mount=type=cache,target=/var/cache/uv install-wheels


# --- Own services: each its wheels, the packages it imports, a user id of its own ---

FROM python AS secrets
COPY compose/__init__.py compose/
COPY compose/secrets/ compose/secrets/
ENTRYPOINT ["python3", "-m", "compose.secrets"]

FROM python AS migrate
COPY --from=ingest-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY compose/secrets/ compose/secrets/
COPY compose/migrate/ compose/migrate/
COPY ingest/__init__.py ingest/partition.py ingest/tables.py ingest/
COPY ingest/lines/__init__.py ingest/lines/grammar.py ingest/lines/
COPY ingest/retention/__init__.py ingest/retention/partition_settings.py \
    ingest/retention/partitions.py ingest/retention/
COPY trainer/__init__.py trainer/tables.py trainer/
COPY recommender/__init__.py recommender/tables.py recommender/
COPY monitoring/__init__.py monitoring/tables.py monitoring/
COPY monitoring/experiments/__init__.py monitoring/experiments/tables.py monitoring/experiments/
COPY ci/__init__.py ci/tables.py ci/
USER 10108:10108
CMD ["python", "-m", "compose.migrate"]

FROM python AS backup
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages postgresql-client-17
COPY --from=ingest-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY compose/backup/ compose/backup/
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=${GIT_COMMIT}
CMD ["python", "-m", "compose.backup", "work"]

FROM python AS ingest
COPY --from=ingest-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY ingest/ ingest/
USER 10101:10101
CMD ["python", "-m", "ingest", "run"]

FROM python AS trainer
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages git libgomp1
COPY --from=trainer-wheels /opt/venv /opt/venv
COPY trainer/requirements.txt /opt/marquee/requirements.txt
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY trainer/ trainer/
ARG GIT_COMMIT=unknown
# Surprise makes a folder for data sets when it is imported, and Numba keeps what it compiled
# (3 s, once for each start of the container); the root is read-only.
ENV GIT_COMMIT=${GIT_COMMIT} SURPRISE_DATA_FOLDER=/tmp/surprise NUMBA_CACHE_DIR=/tmp/numba \
    MPLCONFIGDIR=/tmp/matplotlib
USER 10103:10103
CMD ["python", "-m", "trainer", "work"]

FROM python AS recommender
COPY --from=recommender-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY trainer/__init__.py trainer/errors.py trainer/
COPY trainer/versions/__init__.py trainer/versions/contents.py trainer/versions/popularity_prior.py \
    trainer/versions/manifest.py trainer/versions/reader.py trainer/versions/sources.py \
    trainer/versions/
COPY trainer/versions/item_models/ trainer/versions/item_models/
COPY recommender/ recommender/
# With more, the threads of two slots wait for each other, up to 100 ms for one answer.
ENV OPENBLAS_NUM_THREADS=1
USER 10104:10104
CMD ["python", "-m", "recommender", "serve"]

FROM python AS monitoring
COPY --from=monitoring-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY monitoring/*.py monitoring/
COPY monitoring/alerting/ monitoring/alerting/
COPY monitoring/dashboards/ monitoring/dashboards/
COPY monitoring/drift/ monitoring/drift/
COPY monitoring/evaluation/ monitoring/evaluation/
COPY monitoring/page/ monitoring/page/
COPY OPERATIONS.md ./
COPY monitoring/experiments/ monitoring/experiments/
COPY monitoring/status/ monitoring/status/
# The root is read-only.
ENV MPLCONFIGDIR=/tmp/matplotlib
USER 10105:10105
CMD ["python", "-m", "monitoring", "evaluate", "work"]

FROM python AS releaser
COPY --from=ci-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY monitoring/__init__.py monitoring/
COPY monitoring/experiments/__init__.py monitoring/experiments/assignment.py \
    monitoring/experiments/confidence.py monitoring/experiments/estimates.py \
    monitoring/experiments/gate.py monitoring/experiments/guardrails.py \
    monitoring/experiments/verdict.py monitoring/experiments/
COPY ci/*.py ci/
COPY ci/certificate/ ci/certificate/
COPY ci/release/ ci/release/
COPY ci/code/ ci/code/
COPY ci/experiment/ ci/experiment/
COPY ci/slots/ ci/slots/
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=${GIT_COMMIT}
USER 10106:10106
CMD ["python", "-m", "ci", "work"]

FROM python AS simulator
COPY --from=simulator-wheels /opt/venv /opt/venv
COPY compose/__init__.py compose/
COPY compose/service/ compose/service/
COPY ingest/__init__.py ingest/
COPY ingest/lines/__init__.py ingest/lines/grammar.py ingest/lines/
COPY compose/simulator/ compose/simulator/
USER 10107:10107
CMD ["python", "-m", "compose.simulator", "run"]

# What may ask the engine for what Jenkins needs of it, by these scripts alone
FROM python AS helper
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages docker-cli docker-compose docker-buildx
COPY docker-compose.yml ./
COPY compose/ compose/
COPY tests/run.sh tests/
COPY tests/run/ tests/run/
COPY ci/__init__.py ci/
COPY ci/helper/ ci/helper/
ARG GIT_COMMIT=unknown
RUN echo "${GIT_COMMIT}" > compose/images/commit.txt
USER 10110:10110
CMD ["python3", "-m", "ci.helper"]


# --- Third-party services: the distribution's packages and this project's configuration ---

FROM base AS postgres
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages postgresql-17
RUN install --directory --owner=postgres --group=postgres --mode=0700 /var/lib/postgresql/data
COPY compose/images/postgres/ /etc/marquee/
COPY --chmod=755 compose/images/postgres/start.sh /usr/local/bin/start-postgres

FROM base AS nginx
RUN groupadd --system --gid 101 nginx && useradd --system --uid 101 --gid 101 nginx
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages libnginx-mod-http-headers-more-filter nginx-light
COPY nginx/ /etc/nginx/

FROM base AS prometheus
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus \
    && install --directory --owner=65534 --group=65534 /prometheus
COPY monitoring/prometheus/ /etc/prometheus/

FROM base AS alertmanager
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus-alertmanager \
    && install --directory --owner=65534 --group=65534 /alertmanager
COPY monitoring/alertmanager/ /etc/alertmanager/

FROM base AS node-exporter
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus-node-exporter wget

# What measures Nginx, its log, PostgreSQL and processes
FROM base AS exporters
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages mtail prometheus-nginx-exporter prometheus-postgres-exporter \
        prometheus-process-exporter
COPY monitoring/exporters/ /etc/exporters/


# --- Kafka and a compiler for the Jenkinsfile: jars from Maven, whose own super POM knows
# --- where; their checksums pin each of them

FROM base AS maven
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages maven default-jre-headless openssl
COPY --chmod=755 compose/images/resolve-jars.sh /usr/local/bin/resolve-jars

FROM maven AS kafka-jars
COPY compose/images/kafka/pom.xml compose/images/kafka/jars.sha256 /build/
RUN --mount=type=secret,id=maven_settings --mount=type=secret,id=ca_bundle \
    resolve-jars /build /opt/kafka/libs

# What codecs load natively. By themselves they would unpack it into a temporary folder, and
# nothing in the container is both writable and executable.
FROM kafka-jars AS kafka-natives
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages unzip
WORKDIR /opt/kafka/natives
RUN unzip -qj ../libs/lz4-java-*.jar '*/linux/amd64/*.so' \
    && unzip -qj ../libs/snappy-java-*.jar '*/Linux/x86_64/*.so' \
    && unzip -qj ../libs/zstd-jni-*.jar 'linux/amd64/*.so' \
    && mv libzstd-jni-*.so libzstd-jni.so

FROM kafka-jars AS kafka-classes
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages default-jdk-headless
COPY compose/images/kafka/PrincipalByListener.java /build/
RUN javac -classpath '/opt/kafka/libs/*' -d /opt/kafka/classes /build/PrincipalByListener.java

FROM base AS kafka
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages default-jre-headless
COPY --from=kafka-jars /opt/kafka/libs /opt/kafka/libs
COPY --from=kafka-natives /opt/kafka/natives /opt/kafka/natives
COPY --from=kafka-classes /opt/kafka/classes /opt/kafka/classes
RUN useradd --uid 1000 kafka \
    && install --directory --owner=kafka --group=kafka /var/lib/kafka/data
COPY compose/images/kafka/server.properties compose/images/kafka/log4j2.properties \
    compose/images/kafka/metrics.yml /etc/marquee/
COPY --chmod=755 compose/images/kafka/start.sh /usr/local/bin/start-kafka
USER 1000:1000

FROM maven AS groovy-jars
COPY ci/groovy/pom.xml ci/groovy/jars.sha256 /build/
RUN --mount=type=secret,id=maven_settings --mount=type=secret,id=ca_bundle \
    resolve-jars /build /opt/groovy


# --- The two that only an image registry has; nothing waits for them ----------------

FROM ${GRAFANA_IMAGE} AS grafana
COPY monitoring/grafana/ /etc/grafana/provisioning/

FROM ${JENKINS_IMAGE} AS jenkins
USER root
COPY --chmod=755 compose/images/install-packages.sh /usr/local/sbin/install-packages
RUN --mount=type=secret,id=apt_conf --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages make postgresql-client
USER jenkins
COPY ci/jenkins/ /usr/share/jenkins/ref/
RUN jenkins-plugin-cli --latest=false --plugin-file /usr/share/jenkins/ref/plugins.txt


# --- A registry of the distribution's, for the test that takes the base image from one ---

FROM base AS registry
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages docker-registry
RUN sed -i '/^auth:/,/^ *path:/d' /etc/docker/registry/config.yml
USER docker-registry
CMD ["docker-registry", "serve", "/etc/docker/registry/config.yml"]


# --- What checks all of it: the same Python and lock, and the tools' own checkers ---

FROM python AS tests
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages chromium chromium-driver curl docker-cli docker-compose docker-buildx \
        default-jre-headless fonts-dejavu-core git \
        libgomp1 libnginx-mod-http-headers-more-filter make mtail nginx-light \
        postgresql-client-17 procps prometheus prometheus-alertmanager shellcheck wrk
COPY --from=groovy-jars /opt/groovy /opt/groovy
COPY --from=tests-wheels /opt/venv /opt/venv
WORKDIR /src/build
WORKDIR /src
COPY . .
