namespace Millrace.Saql.Decoding;

/// <summary>What a query shares of one of its sources, until it is disposed of.</summary>
public sealed class SharedLease : IDisposable
{
    private readonly SharedReader[] _readers;

    internal SharedLease(SharedReader[] readers) => _readers = readers;

    /// <summary>Rows whose fields another reader had decoded.</summary>
    public long RowsFound => _readers.Sum(reader => reader.RowsFound);

    public void Dispose()
    {
        foreach (var reader in _readers) reader.Dispose();
    }
}
