using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>What follows the text of a QUERY or the id of an EXECUTE (section 4.1.4).</summary>
internal static class QueryParameters
{
    [Flags]
    private enum Has
    {
        Values = 0x01,
        SkipMetadata = 0x02,
        PageSize = 0x04,
        PagingState = 0x08,
        SerialConsistency = 0x10,
        Timestamp = 0x20,
    }

    public static void Write(
        WireBuffer buffer, int version, CqlStatement statement, int count, ReadOnlySpan<byte> values, bool skipMetadata)
    {
        var options = statement.Resolved;
        var has = Has.Timestamp;
        if (count > 0) has |= Has.Values;
        if (skipMetadata) has |= Has.SkipMetadata;
        if (options.PageSize > 0) has |= Has.PageSize;
        if (statement.PagingState.Length > 0) has |= Has.PagingState;
        if (options.SerialConsistency is not null) has |= Has.SerialConsistency;

        buffer.Short((int)options.Consistency);
        WriteFlags(buffer, version, has);
        if (count > 0)
        {
            buffer.Short(count);
            buffer.Raw(values);
        }

        if (options.PageSize > 0) buffer.Int(options.PageSize);
        if (statement.PagingState.Length > 0) buffer.Bytes(statement.PagingState.Span);
        if (options.SerialConsistency is { } serial) buffer.Short((int)serial);
        buffer.Long(options.Timestamp);
    }

    /// <summary>The end of a BATCH (section 4.1.7).</summary>
    public static void WriteOfBatch(WireBuffer buffer, int version, CqlStatement statement)
    {
        var options = statement.Resolved;
        buffer.Short((int)options.Consistency);
        var has = options.SerialConsistency is null ? Has.Timestamp : Has.Timestamp | Has.SerialConsistency;
        WriteFlags(buffer, version, has);
        if (options.SerialConsistency is { } serial) buffer.Short((int)serial);
        buffer.Long(options.Timestamp);
    }

    private static void WriteFlags(WireBuffer buffer, int version, Has has)
    {
        if (version >= 5) buffer.Int((int)has);
        else buffer.Byte((byte)has);
    }
}
