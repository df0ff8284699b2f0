# The worker, the API with the console, the emulator and the command line: `docker run … node dist/<program>.js`.
# Debian, not Alpine: Temporal's native code needs glibc.
FROM node:22.23.3-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# Not `npm ci`: that wants the optional packages of every system in the lock file, which not every registry has
# (scripts/make-ready.mjs). Without --save the lock file's versions are kept all the same.
FROM base AS build
RUN npm install --no-save --include=dev
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
# Built one level deeper and then renamed, as scripts/make-ready.mjs does: the source maps count on it.
RUN node scripts/build.mjs all /app/.cache/build && mv .cache/build dist

FROM base AS production
RUN npm install --no-save --omit=dev

FROM base
# Temporal's native code reads the system's certificates (Temporal Cloud), and the slim image has none.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data
ENV NODE_ENV=production ONBOARDS_DATA_DIR=/data
COPY --from=production /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY deploy/worker-health.mjs deploy/
USER node
# Of the worker; whoever runs another program brings another check. It watches for 7 s by itself and kills a worker that
# hangs, which needs an init process (`--init`, in the compose file `init: true`): the system protects a container's first.
HEALTHCHECK --interval=2s --timeout=20s --start-period=60s --start-interval=2s --retries=1 \
  CMD ["node", "deploy/worker-health.mjs"]
CMD ["node", "--enable-source-maps", "dist/worker.js"]
