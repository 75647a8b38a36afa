# One image a program; nothing in it but the program and its libraries, which run as nobody in particular:
#
#   docker build --target edge --tag blue-origin/edge .
#
# Without Docker, images/archive.py builds the same from programs that are there already.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev make
WORKDIR /src
COPY . .
ARG PROGRAMS="edge shield geodns operator"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    set -eu; \
    for program in $PROGRAMS; do set -- "$@" --package "$program"; done; \
    cargo build --release --locked "$@"; \
    for program in $PROGRAMS; do sh images/root.sh "target/release/$program" "/roots/$program"; done

FROM scratch AS edge
COPY --from=build /roots/edge /
USER 65532:65532
ENTRYPOINT ["/usr/bin/edge"]

FROM scratch AS shield
COPY --from=build /roots/shield /
USER 65532:65532
ENTRYPOINT ["/usr/bin/shield"]

FROM scratch AS geodns
COPY --from=build /roots/geodns /
USER 65532:65532
ENTRYPOINT ["/usr/bin/geodns"]

FROM scratch AS operator
COPY --from=build /roots/operator /
USER 65532:65532
ENTRYPOINT ["/usr/bin/operator"]
