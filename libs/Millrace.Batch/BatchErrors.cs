using Millrace.Primitives;

namespace Millrace.Batch;

/// <summary>Errors of batch engines.</summary>
public static class BatchErrors
{
    public static readonly ErrorDefinition Refused = new("BA-0001",
        "The engine refused the statement.",
        "Its text, its parameters or the data do not allow it.",
        "Correct the statement where the engine's message points; docs/cold-path.md describes the view telemetry.");

    public static readonly ErrorDefinition TimedOut = new("BA-0002",
        "The statement took too long and was ended.",
        "It ran longer than Batch:QueryTimeout, with the time that it waited for others.",
        "Narrow it by enqueued_at, date or device_id, or raise the option.");

    public static readonly ErrorDefinition NotOneSelect = new("BA-0003",
        "The text is not one SELECT statement.",
        "SQL over the archive only reads: one SELECT (or WITH, VALUES, DESCRIBE, SUMMARIZE) and nothing else.",
        "Send one SELECT; to keep its result, ask for output parquet.");

    public static readonly ErrorDefinition ParameterInvalid = new("BA-0004",
        "A parameter has a type that statements do not take.",
        "Parameters are text, whole numbers, floating-point numbers, booleans, times or null.",
        "Give the value as one of these.");
}
