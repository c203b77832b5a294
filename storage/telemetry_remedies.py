"""What to change in a service, a sentence for each finding of the telemetry checks: settings and lines of code."""

REQUEST_SPANS = (
    "install the framework's instrumentation ('opentelemetry-bootstrap -a install'), or start the span of a request "
    "with tracer.start_as_current_span(name, kind=SpanKind.SERVER)"
)
ONLY_CALLS = (
    "nothing to do for a job or a client; a service that answers requests starts their spans with "
    "kind=SpanKind.SERVER, or SpanKind.CONSUMER for messages"
)
SERVICE_NAME = "set OTEL_SERVICE_NAME=my-service in the environment of each process"
SERVICE_VERSION = "set OTEL_RESOURCE_ATTRIBUTES=service.version=1.2.3, so that releases can be compared"
ENVIRONMENT = "set OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=prod, with the same value in every process"
REMOTE_ORPHANS = (
    "let the caller export its spans too (OTEL_TRACES_EXPORTER=otlp), and sample alike on both sides "
    "(OTEL_TRACES_SAMPLER=parentbased_traceidratio)"
)
LOCAL_ORPHANS = (
    "spans are lost inside the process: set OTEL_BSP_MAX_QUEUE_SIZE=8192, and call provider.shutdown() before it exits"
)
PROPAGATION = (
    "let {service} send the context (opentelemetry.propagate.inject(headers), or its HTTP client's instrumentation), "
    "let proxies between pass 'traceparent', and set OTEL_PROPAGATORS=tracecontext,baggage in {callee} as well"
)
SPAN_NAMES = (
    "name spans after the route, span.update_name('GET /users/{id}'), and put the id into an attribute; the "
    "instrumentation of the framework does so"
)
SECONDS_BOUNDS = (
    "the bounds are the SDK's default for milliseconds: create_histogram('{metric}', unit='s', "
    "explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])"
)
BOUNDS = (
    "give {metric} bounds around its values with a View (ExplicitBucketHistogramAggregation), or set "
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram"
)
SAMPLING = (
    "use a sampler that writes its threshold into the trace state (ot=th:...), or tell the ratio here: "
    "NINELIVES_SAMPLING=my-service=0.1 for one span in ten"
)
CLOCK = "synchronise the clock of its machines (timedatectl set-ntp true, or chrony)"
NO_TIME = "give spans their start time: the exporter, or what builds spans by hand, leaves start_time_unix_nano at 0"
CARDINALITY = (
    "take ids out of the metric's attributes with a View (View(instrument_name=..., attribute_keys={...})), or raise "
    "the SDK's cardinality limit"
)
SERIES = (
    "take ids out of the attributes of {metric} with a View (View(instrument_name=..., attribute_keys=...)), or raise "
    "NINELIVES_SERIES_LIMIT; the limit is lifted when nothing overflowed for an hour"
)
OLD_NAMES = "set OTEL_SEMCONV_STABILITY_OPT_IN=http,database, or upgrade the instrumentation"
DROPPED = (
    "raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_EVENT_COUNT_LIMIT or OTEL_SPAN_LINK_COUNT_LIMIT (128 each), or "
    "record less"
)
