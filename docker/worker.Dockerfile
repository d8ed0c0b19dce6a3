# syntax=docker/dockerfile:1
# One worker, or the example application, in one image:
# docker build -f docker/worker.Dockerfile --build-arg APP=email-worker --build-arg HTTP_PORT=9103 .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS node
ENV CI=true TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1 NPM_CONFIG_UPDATE_NOTIFIER=false

# What the worker is built from, and what it runs with: of the sources only their manifests, so that the next stages
# install anew only when those change.
FROM node AS pruned
ARG APP
WORKDIR /repository
COPY package.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm install --global --no-audit --no-fund "turbo@$(node -p "require('./package.json').devDependencies.turbo")"
COPY . .
RUN turbo prune "@mono/$APP" --docker --out-dir /pruned

FROM node AS built
ARG APP
ARG DIRECTORY=apps/${APP}
WORKDIR /repository
COPY --from=pruned /pruned/json .
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY --from=pruned /pruned/full .
COPY tsconfig.base.json .
RUN npx turbo run build --filter="@mono/$APP" --output-logs=errors-only \
 && mkdir /runtime \
 && find packages "$DIRECTORY" -type d \( -name dist -o -name migrations -o -name templates -o -name public \) -not -path '*/node_modules/*' -not -path '*/src/*' \
      -not -path 'packages/test-support/*' -exec cp -r --parents {} /runtime ';' -prune \
 && find /runtime -name '*.d.ts' -delete

# Without the package that only tests need: npm would install what it depends on. Neither types nor maps nor documents are
# of use in an image.
FROM node AS production
ARG APP
WORKDIR /worker
COPY --from=pruned /pruned/json .
RUN --mount=type=cache,target=/root/.npm \
    node -e "const root = require('./package.json'); root.workspaces = root.workspaces.filter((path) => path !== 'packages/test-support'); fs.writeFileSync('package.json', JSON.stringify(root))" \
 && rm -r packages/test-support \
 && npm ci --omit=dev --no-audit --no-fund \
 && find . -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' -o -iname '*.md' -o -iname '*.markdown' \) -delete \
 && rm -r package-lock.json node_modules/.package-lock.json node_modules/zod/src
COPY --from=built /runtime .

FROM node
ARG APP
ARG DIRECTORY=apps/${APP}
ARG DESCRIPTION="One of the RabbitMQ workers of the mono platform"
# Where /livez, /readyz and /metrics are.
ARG HTTP_PORT
ARG VERSION=0.1.0
ARG REVISION=unknown
ENV NODE_ENV=production HTTP_PORT=${HTTP_PORT}
COPY --from=production /worker /worker
WORKDIR /worker/${DIRECTORY}
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
LABEL org.opencontainers.image.title="mono ${APP}" \
      org.opencontainers.image.description="${DESCRIPTION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
CMD ["node", "dist/main.js"]
