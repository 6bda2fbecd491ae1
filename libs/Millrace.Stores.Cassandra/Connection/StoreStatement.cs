namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// A statement of a store, prepared when it is first executed. Writes of the stores can be sent again when an answer
/// was lost, all but compare-and-set: the second would find what the first did.
/// </summary>
internal sealed class StoreStatement(string text)
{
    public string Text { get; } = text;

    public bool Idempotent { get; } = !text.Contains(" IF ", StringComparison.Ordinal);
}
