namespace Millrace.Stores;

/// <summary>
/// A device was deleted, and another may be made under its id. What was sent by the one that is gone is told by its
/// generation and, where a message names none, by when it was enqueued.
/// </summary>
/// <param name="GenerationId">Null when it is not known any more.</param>
/// <param name="AtMs">When it was deleted, in milliseconds since 1970 UTC.</param>
public sealed record DeviceEnd(string DeviceId, string? GenerationId, long AtMs)
{
    /// <summary>Whether a message was the deleted device's, also when it comes late.</summary>
    public bool Covers(long enqueuedAtMs, string? generationId) =>
        enqueuedAtMs <= AtMs || (GenerationId is { Length: > 0 } ended && generationId == ended);
}
