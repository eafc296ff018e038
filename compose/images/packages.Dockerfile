# The third-party services from the distribution's packages, for hosts that reach no
# image registry. Each target gives what the official image gives: the same program at
# the same path, the same user id, the same data folder. What configures them is added
# by the Dockerfile at the repository's root, on top of these or of the official images.
#
# The base image has no package sources of its own: a build gets the host's, with its CA
# bundle and client configuration, as build secrets, so none of them stays in an image.

ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS base
COPY --chmod=755 compose/images/install-packages.sh /usr/local/sbin/install-packages


FROM base AS postgres
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages postgresql-17
RUN install --directory --owner=postgres --group=postgres --mode=0700 /var/lib/postgresql/data


FROM base AS nginx
RUN groupadd --system --gid 101 nginx && useradd --system --uid 101 --gid 101 nginx
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages nginx-light


FROM base AS prometheus
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus \
    && install --directory --owner=65534 --group=65534 /prometheus


FROM base AS alertmanager
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus-alertmanager \
    && ln -s /usr/bin/prometheus-alertmanager /bin/alertmanager \
    && install --directory --owner=65534 --group=65534 /alertmanager


FROM base AS node-exporter
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages prometheus-node-exporter wget \
    && ln -s /usr/bin/prometheus-node-exporter /bin/node_exporter


# Jars come from Maven, whose own super POM knows where; the checksums pin each of them.
FROM base AS maven
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages maven default-jre-headless openssl
COPY --chmod=755 compose/images/resolve-jars.sh /usr/local/bin/resolve-jars

FROM maven AS kafka-jars
COPY compose/images/kafka/pom.xml compose/images/kafka/jars.sha256 /build/
RUN --mount=type=secret,id=maven_settings --mount=type=secret,id=ca_bundle \
    resolve-jars /build /opt/kafka/libs

FROM base AS kafka
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_conf \
    --mount=type=secret,id=ca_bundle,mode=0444 \
    install-packages default-jre-headless
COPY --from=kafka-jars /opt/kafka/libs /opt/kafka/libs
RUN useradd --uid 1000 appuser \
    && install --directory --owner=appuser --group=appuser /var/lib/kafka/data


FROM maven AS groovy-jars
COPY ci/groovy/pom.xml ci/groovy/jars.sha256 /build/
RUN --mount=type=secret,id=maven_settings --mount=type=secret,id=ca_bundle \
    resolve-jars /build /opt/groovy
