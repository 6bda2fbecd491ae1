namespace Millrace.Gateway.Publishing;

/// <summary>Who waits to hear that publishes are durable: a connection.</summary>
internal interface IPublishOwner
{
    /// <summary>All of this owner's publishes in the partition up to this number are durable.</summary>
    /// <param name="nextOffset">They lie before it, and all that come after them at it or behind.</param>
    void OnDurable(int partition, long lastNumber, long nextOffset);

    /// <summary>
    /// The log failed, and no more may be taken from this owner, lest a later message pass an earlier one. Called with
    /// the partition locked: only sets a flag.
    /// </summary>
    void StopPublishing();

    /// <summary>
    /// Comes after <see cref="StopPublishing"/>, without the lock: end the connection, acknowledge nothing.
    /// </summary>
    void OnLogFailed(int partition, bool full);

    /// <summary>There is room in the partition again.</summary>
    void OnRoom();
}
