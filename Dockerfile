# The server and nothing else: no shell, no package manager, not root. Build the binary first (make build), so that the
# image holds exactly what was tested:
#   make build && docker build -t gatehouse .
FROM scratch
COPY --chown=0:0 --chmod=0555 .build/gatehouse /gatehouse
# Roots for TLS to the database and the identity provider; make build puts the builder's bundle beside the binary.
COPY --chown=0:0 --chmod=0444 .build/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 10001:10001
ENV GATEHOUSE_ADDR=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/gatehouse"]
CMD ["serve"]
