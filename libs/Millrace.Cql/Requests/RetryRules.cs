namespace Millrace.Cql.Requests;

internal enum Verdict
{
    Fail,
    SameNode,
    NextNode,
}

/// <summary>
/// Whether a request that failed is sent again. One that may have taken effect is sent again only when it is
/// idempotent; one that surely did not is tried elsewhere.
/// </summary>
internal static class RetryRules
{
    public static Verdict AfterError(CqlServerException error, bool idempotent, int retries) => error switch
    {
        // The coordinator says that it did nothing; another may see more replicas. More than once would not help.
        CqlUnavailableException => retries == 0 ? Verdict.NextNode : Verdict.Fail,
        { ServerCode: ServerErrorCode.IsBootstrapping } => Verdict.NextNode,

        // Enough replicas answered, only not the one that was to send the data.
        CqlReplicaException { ServerCode: ServerErrorCode.ReadTimeout, Answers: { DataPresent: false } read }
            when read.Received >= read.Required && retries == 0 => Verdict.SameNode,
        CqlReplicaException { ServerCode: ServerErrorCode.WriteTimeout } =>
            idempotent ? Verdict.SameNode : Verdict.Fail,
        { ServerCode: ServerErrorCode.Overloaded or ServerErrorCode.ServerError or ServerErrorCode.TruncateError } =>
            idempotent ? Verdict.NextNode : Verdict.Fail,
        _ => Verdict.Fail,
    };

    /// <summary>
    /// The connection was lost with the request on it. One that ran out of time has none left for another try.
    /// </summary>
    public static Verdict AfterLoss(CqlException reason, bool idempotent) =>
        idempotent && reason.Code == "CQ-9003" ? Verdict.NextNode : Verdict.Fail;
}
