namespace Millrace.Gateway.Publishing;

/// <summary>Who waits to hear that publishes are durable: a connection.</summary>
internal interface IPublishOwner
{
    /// <summary>All of this owner's publishes in the partition up to this number are durable.</summary>
    void OnDurable(int partition, long lastNumber);

    /// <summary>
    /// The log failed, and no more may be taken from this owner, lest a later message pass an earlier one. Called with
    /// the partition locked: only sets a flag.
    /// </summary>
    void StopPublishing();

    /// <summary>
    /// Comes after <see cref="StopPublishing"/>, without the lock: end the connection, acknowledge nothing.
    /// </summary>
    void OnLogFailed(bool full);

    /// <summary>There is room in the partition again.</summary>
    void OnRoom();
}
