"""The metrics of AWS's own that alarms and dashboard may name, each with exactly its dimensions.

Sources: Lambda developer guide, "Types of metrics for Lambda functions"; Amazon SQS developer guide, "Available
CloudWatch metrics for Amazon SQS"; API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs"; Amazon
Connect administrator guide, "Monitoring your instance using CloudWatch" (the service sends MetricGroup together with
InstanceId, as the exporters that read it list it).
"""

AWS_METRICS: dict[str, dict[str, frozenset[str]]] = {
    "AWS/Lambda": dict.fromkeys(
        ("Invocations", "Errors", "Throttles", "Duration", "IteratorAge"), frozenset({"FunctionName"})
    ),
    "AWS/SQS": dict.fromkeys(
        ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"), frozenset({"QueueName"})
    ),
    "AWS/ApiGateway": dict.fromkeys(("Count", "4xx", "5xx", "Latency"), frozenset({"ApiId"})),
    "AWS/Connect": {
        **dict.fromkeys(
            ("ConcurrentCalls", "CallsBreachingConcurrencyQuota", "ThrottledCalls"),
            frozenset({"InstanceId", "MetricGroup"}),
        ),
        "ContactFlowFatalErrors": frozenset({"InstanceId", "MetricGroup", "ContactFlowName"}),
    },
}
