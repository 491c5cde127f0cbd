# The adapter's image: nothing in it but five programs, what they load, and licences. No shell.
#
#   docker build -t dbhealthd .      BuildKit, or podman; with --platform for linux/amd64 or linux/arm64
#   docker run --read-only --cap-drop ALL -p 8080:8080 -e DATABASE_URL=... dbhealthd
#
# It writes no file, needs no capability, and runs as any user.

# The tools are those of the machine that builds, with a compiler for the platform that is asked for:
# nothing is emulated. Debian calls the two architectures as the platforms do. The podman of Debian 12
# has to be told the first name where the two differ: --build-arg BUILDPLATFORM=linux/amd64.
FROM --platform=$BUILDPLATFORM docker.io/library/debian:trixie-slim AS tools
ARG TARGETARCH
RUN dpkg --add-architecture "$TARGETARCH" \
    && apt-get update \
    && apt-get install --yes --no-install-recommends binutils ca-certificates cmake ninja-build \
        $(printf "%s:$TARGETARCH " gcc-for-host libc6-dev libgnutls28-dev libjansson-dev \
            libmariadb-dev libmicrohttpd-dev libpq-dev libseccomp-dev libssl-dev liburiparser-dev \
            libuv1-dev pkgconf) \
    && rm -rf /var/lib/apt/lists/*

FROM tools AS build
WORKDIR /source
COPY CMakeLists.txt LICENSE ./
COPY checks checks
COPY src src
RUN export CC=$(echo /usr/bin/*-gcc) PKG_CONFIG=$(echo /usr/bin/*-linux-gnu-pkg-config) \
    && cmake -G Ninja -S . -B /build -DCMAKE_INSTALL_PREFIX=/usr -DDBHEALTH_TESTS=OFF \
    && cmake --build /build \
    && DESTDIR=/image cmake --install /build --component programs --strip \
    && src/image/collect /image

FROM scratch
COPY --from=build /image /

# Given by whoever builds for others: --build-arg VERSION=1.2.3 and so on.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="dbhealthd" \
      org.opencontainers.image.description="HTTP health checks for Postgres, MySQL and MariaDB" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"

# Whoever runs the image says which database: DATABASE_URL (or DATABASE_URL_FILE), best without the
# password, and that in a file that DATABASE_PASSWORD_FILE names. Without these, the official
# database images' variables are understood (POSTGRES_*, MYSQL_*, MARIADB_*). All other settings
# have defaults, which `docker run dbhealthd --settings` shows. Only the port must be known here, too.
ENV DBHEALTH_LISTEN=:8080
EXPOSE 8080

# By number, so that Kubernetes can see that it is not root.
USER 65532:65532

# Readiness fails for DBHEALTH_DRAIN, or until the database has gone; then dbhealthd ends with 0.
STOPSIGNAL SIGTERM

# Whether the adapter is well, not the database: this is about the adapter's own container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/bin/dbhealthd", "get", "/livez"]

ENTRYPOINT ["/usr/bin/dbhealthd"]
