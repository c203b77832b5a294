"""How requests come in and answers go out: HTTP and gRPC, encodings, TLS, limits of time and size."""
