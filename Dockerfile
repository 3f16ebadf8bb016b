# Serin's image: Node.js and one file, as nobody, on a root that is never written. Build it where the base images can be had:
#   docker build --tag registry.example.com/serin:0.1.0 .
#
# BASE is a tag here, and what it means changes; whoever publishes an image pins the digest that they have checked:
#   docker build --build-arg BASE=gcr.io/distroless/nodejs24-debian13@sha256:… .
#
# Where images or packages come from somewhere else, BUILDER, BASE and NPM_CONFIG_REGISTRY say so. BUILDER needs npm, a shell
# and Node.js 24; BASE has Node.js 24 at /nodejs/bin/node, and needs nothing else. Nothing is downloaded beside these.
ARG BUILDER=node:24-trixie-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILDER} AS build
# Left out, npm asks its own registry.
ARG NPM_CONFIG_REGISTRY
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY build ./build
COPY src ./src
RUN npm run build

FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Serin" \
      org.opencontainers.image.description="Progressive delivery for Kubernetes Deployments" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /src/dist/serin.js /serin.js
USER 65532:65532
EXPOSE 9797
# Without options the program prints its help; the operator is `serin operator`.
ENTRYPOINT ["/nodejs/bin/node", "/serin.js"]
