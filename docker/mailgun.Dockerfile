# syntax=docker/dockerfile:1
# A Mailgun for development, from packages/test-support: docker build -f docker/mailgun.Dockerfile .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS built
ENV CI=true NPM_CONFIG_UPDATE_NOTIFIER=false
WORKDIR /mailgun
COPY package.json package-lock.json tsconfig.base.json ./
COPY packages/test-support/package.json packages/test-support/
# The manifests without what is of no use here. `npm install` takes the versions of the lock file, and unlike `npm ci` bears
# that the file has more.
RUN --mount=type=cache,target=/root/.npm node -e " \
      const change = (path, toManifest) => fs.writeFileSync(path, JSON.stringify(toManifest(require(path)))); \
      change('./package.json', ({ devDependencies: { typescript, '@types/node': node } }) => \
        ({ private: true, workspaces: ['packages/test-support'], devDependencies: { typescript, '@types/node': node } })); \
      change('./packages/test-support/package.json', ({ name, version, type, dependencies: { mailparser } }) => \
        ({ name, version, type, dependencies: { mailparser } }));" \
 && npm install --no-audit --no-fund
COPY packages/test-support/src packages/test-support/src
COPY packages/test-support/tsconfig.build.json packages/test-support/
# Types are not checked: those of other packages are missing.
RUN npx tsc -p packages/test-support/tsconfig.build.json --noCheck --declaration false --sourceMap false \
 && npm prune --omit=dev --no-audit --no-fund \
 && rm -r package-lock.json tsconfig.base.json packages/test-support/src packages/test-support/tsconfig.build.json

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
COPY --from=built /mailgun /mailgun
WORKDIR /mailgun/packages/test-support
# An empty volume takes the owner from here.
RUN install --directory --owner=node /certificate
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/run-mailgun.js", "--certificate", "/certificate"]
