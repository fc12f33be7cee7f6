# One image for both roles: `serve` and `sidecar`. docker build -t patroni-injector .

# Node 24 with npm, to build with.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
# glibc and libstdc++, and nothing else.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Without scripts: what is bundled with needs none, and the base brings its own Node.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src ./src
COPY scripts/build.ts ./scripts/build.ts
RUN node scripts/build.ts && cp "$(command -v node)" /node

FROM ${RUNTIME_IMAGE}
COPY --from=build /node /usr/local/bin/node
COPY --from=build /src/dist /app
# Tells Node that /app holds modules.
COPY --from=build /src/package.json /app/package.json
ENV NODE_ENV=production
# Numeric: the kubelet cannot tell whether a name is root's.
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/usr/local/bin/node", "/app/main.js"]
CMD ["help"]
