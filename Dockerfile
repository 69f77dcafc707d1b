# The daemon with git and tini, as a user of its own. BASE is any Debian-like image with Node 24.
ARG BASE=node:24-slim

FROM ${BASE} AS build
# Names a folder of the build context that already holds dist and the node_modules to run it with: then nothing is
# fetched and nothing compiled here. Empty: both are made from the sources.
ARG PREBUILT=
WORKDIR /build
COPY package.json package-lock.json ${PREBUILT} ./
RUN if [ -z "${PREBUILT}" ]; then npm ci --ignore-scripts --no-audit --no-fund; fi
COPY tsconfig.json tsconfig.build.json ./
COPY schemas schemas
COPY backends backends
COPY src src
RUN if [ -z "${PREBUILT}" ]; then npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund; fi

FROM ${BASE}
# Only what is missing is installed, so that a base that has them needs no network.
RUN if ! command -v git > /dev/null || ! command -v tini > /dev/null; then \
      apt-get update \
      && apt-get install --yes --no-install-recommends ca-certificates git tini \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
    && if ! id mainstay > /dev/null 2>&1; then useradd --uid 10001 --create-home --shell /usr/sbin/nologin mainstay; fi \
    && mkdir -p /data \
    && chown mainstay: /data
WORKDIR /opt/mainstay
COPY package.json LICENSE ./
COPY bin bin
COPY schemas schemas
COPY intent-example intent-example
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
RUN ln -s /opt/mainstay/bin/mainstay.js /usr/local/bin/mainstay
USER mainstay
WORKDIR /data
VOLUME /data
EXPOSE 7070
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD node -e "fetch(JSON.parse(fs.readFileSync('/data/daemon.json', 'utf8')).url + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
# tini reaps what outlives its parent. The API stays on the container's own loopback until access has been set up; see
# docs/operations.md. The apps' ports are there for everybody whom the container's ports are published to. The apps end
# with the container whatever the daemon does, so it drains them instead of having them killed under their requests.
ENTRYPOINT ["tini", "--", "mainstay"]
CMD ["serve", "--data", "/data", "--public-host", "0.0.0.0", "--drain-on-exit"]
