namespace Millrace.Gateway.Publishing;

/// <summary>Who waits to hear that publishes are durable: a connection.</summary>
internal interface IPublishOwner
{
    /// <summary>All of this owner's publishes in the partition up to this number are durable.</summary>
    /// <param name="firstOffset">
    /// Of the append that brought them. What this owner was not told of yet lies there or behind: also in this append,
    /// which may have more of its reads.
    /// </param>
    void OnDurable(int partition, long lastNumber, long firstOffset);

    /// <summary>
    /// The log failed, and no more may be taken from this owner, lest a later message pass an earlier one. Called with
    /// the partition locked: only sets a flag.
    /// </summary>
    void StopPublishing();

    /// <summary>
    /// Comes after <see cref="StopPublishing"/>, without the lock: end the connection, acknowledge nothing.
    /// </summary>
    void OnLogFailed(int partition, LogFailure failure);

    /// <summary>There is room in the partition again.</summary>
    void OnRoom();
}

/// <summary>Why publishes are not acknowledged.</summary>
internal enum LogFailure
{
    /// <summary>The log has none of them, and has no room.</summary>
    Full,

    /// <summary>The log has none of them.</summary>
    Refused,

    /// <summary>The log may have some of them, or all.</summary>
    Uncertain,
}
