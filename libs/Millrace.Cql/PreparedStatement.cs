using Millrace.Cql.Protocol;

namespace Millrace.Cql;

/// <summary>
/// A statement that the cluster has parsed. It stays good when nodes restart, forget it or come new: the client
/// prepares it again where it is missing. Ask the session for it once and keep it.
/// </summary>
public sealed class PreparedStatement
{
    private volatile ResultMetadata _result;

    internal PreparedStatement(string text, PreparedResult prepared)
    {
        Text = text;
        Id = prepared.Id;
        Markers = prepared.Markers;
        KeyLength = prepared.KeyIndexes.Length;
        KeyPositions = [.. Enumerable.Range(0, Markers.Count).Select(i => Array.IndexOf(prepared.KeyIndexes, i))];
        Keyspace = Markers.Count > 0 ? Markers[0].Keyspace : "";
        Operation = OperationName.Of(text);
        BatchOperation = $"BATCH {Operation}";
        Collection = Markers.Count > 0 ? $"{Keyspace}.{Markers[0].Table}" : null;
        _result = prepared.Result;
    }

    public string Text { get; }

    /// <summary>What values it wants, in their order.</summary>
    public IReadOnlyList<Column> Markers { get; }

    /// <summary>Whether statements that are bound from it are idempotent unless they say otherwise.</summary>
    public bool? Idempotent { get; set; }

    /// <summary>
    /// The server gave it another id when it was prepared again (CQ-9011): ask the session for it anew.
    /// </summary>
    public bool IsOutdated { get; internal set; }

    internal byte[] Id { get; }

    internal string Keyspace { get; }

    internal string Operation { get; }

    /// <summary>What a batch is for metrics and spans that does nothing else.</summary>
    internal string BatchOperation { get; }

    /// <summary>Its table; the markers tell it.</summary>
    internal string? Collection { get; }

    internal string? ParameterizedText => Markers.Count > 0 ? Text : null;

    /// <summary>How many columns the partition key has; 0 when not all of them are markers.</summary>
    internal int KeyLength { get; }

    /// <summary>For each marker its place in the partition key, or -1.</summary>
    internal int[] KeyPositions { get; }

    /// <summary>The columns of its rows as they are now.</summary>
    internal ResultMetadata Result
    {
        get => _result;
        set => _result = value;
    }

    /// <summary>A statement to which values are added in the order of the markers.</summary>
    public BoundStatement Bind() => BoundStatement.Rent(this);

    public BoundStatement Bind<T1>(T1 a) => Bind().Add(a);

    public BoundStatement Bind<T1, T2>(T1 a, T2 b) => Bind().Add(a).Add(b);

    public BoundStatement Bind<T1, T2, T3>(T1 a, T2 b, T3 c) => Bind().Add(a).Add(b).Add(c);

    public BoundStatement Bind<T1, T2, T3, T4>(T1 a, T2 b, T3 c, T4 d) => Bind().Add(a).Add(b).Add(c).Add(d);

    public BoundStatement Bind<T1, T2, T3, T4, T5>(T1 a, T2 b, T3 c, T4 d, T5 e) =>
        Bind().Add(a).Add(b).Add(c).Add(d).Add(e);

    public BoundStatement Bind<T1, T2, T3, T4, T5, T6>(T1 a, T2 b, T3 c, T4 d, T5 e, T6 f) =>
        Bind().Add(a).Add(b).Add(c).Add(d).Add(e).Add(f);
}
