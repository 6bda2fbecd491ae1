using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>The columns of a prepared statement's rows, and the id under which the server knows them (v5).</summary>
internal sealed record ResultMetadata(byte[] Id, Column[] Columns);

internal sealed record PreparedResult(byte[] Id, Column[] Markers, int[] KeyIndexes, ResultMetadata Result);

/// <summary>What a statement changed of the schema.</summary>
internal sealed record SchemaChange(string Change, string Target, string Keyspace, string Name);

/// <summary>Reads the bodies of RESULT (section 4.2.5).</summary>
internal static class ResultReader
{
    private const int LeastBytes = 4;

    private enum Kind
    {
        Void = 1,
        Rows = 2,
        SetKeyspace = 3,
        Prepared = 4,
        SchemaChange = 5,
    }

    [Flags]
    private enum MetadataFlags
    {
        GlobalTable = 0x01,
        MorePages = 0x02,
        NoMetadata = 0x04,
        Changed = 0x08,
    }

    /// <summary>
    /// The result of a statement; <paramref name="known"/> has the columns that the server need not repeat.
    /// </summary>
    public static RowSet Read(EnvelopeHeader header, ReadOnlySpan<byte> body, ResultMetadata? known)
    {
        var reader = new WireReader(body);
        if (header.Flags == EnvelopeFlags.None) return ReadKind(ref reader, known);
        var prelude = ResponsePrelude.Read(ref reader, header.Flags);
        var result = ReadKind(ref reader, known);
        if (prelude.IsEmpty) return result;
        if (ReferenceEquals(result, RowSet.Empty)) result = new RowSet();
        result.TracingId = prelude.TracingId;
        result.Warnings = prelude.Warnings;
        return result;
    }

    public static PreparedResult ReadPrepared(EnvelopeHeader header, ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        ResponsePrelude.Read(ref reader, header.Flags);
        if ((Kind)reader.Int() != Kind.Prepared) throw Unexpected("a result of another kind than PREPARED");
        var id = reader.ShortBytes().ToArray();
        var resultId = header.ProtocolVersion >= 5 ? reader.ShortBytes().ToArray() : [];

        var flags = (MetadataFlags)reader.Int();
        var count = reader.Count(reader.Int(), LeastBytes);
        var keyIndexes = new int[reader.Count(reader.Int(), sizeof(short))];
        for (var i = 0; i < keyIndexes.Length; i++) keyIndexes[i] = reader.Short();
        var markers = ReadColumns(ref reader, flags, count);
        if (keyIndexes.Any(index => index >= markers.Length)) throw Unexpected("a key that is not among the markers");

        var result = ReadMetadata(ref reader, new ResultMetadata(resultId, []), out _, out _, out _);
        return new PreparedResult(id, markers, keyIndexes, new ResultMetadata(resultId, result));
    }

    private static RowSet ReadKind(ref WireReader reader, ResultMetadata? known) => (Kind)reader.Int() switch
    {
        Kind.Void or Kind.SetKeyspace => RowSet.Empty,
        Kind.Rows => ReadRows(ref reader, known),
        Kind.SchemaChange => new RowSet { SchemaChange = ReadSchemaChange(ref reader) },
        var kind => throw Unexpected($"a result of kind {(int)kind}"),
    };

    /// <summary>Also the body of a SCHEMA_CHANGE event.</summary>
    public static SchemaChange ReadSchemaChange(ref WireReader reader)
    {
        var (change, target, keyspace) = (reader.String(), reader.String(), reader.String());
        return new SchemaChange(change, target, keyspace, target == "KEYSPACE" ? "" : reader.String());
    }

    private static RowSet ReadRows(ref WireReader reader, ResultMetadata? known)
    {
        var columns = ReadMetadata(ref reader, known, out var pagingState, out var changedId, out var isKnown);
        var claimed = reader.Int();
        var count = reader.Count(claimed, columns.Length * LeastBytes);
        var body = reader.Raw(reader.Remaining).ToArray();
        var rest = new WireReader(body);
        var starts = new int[checked(columns.Length * count)];
        for (var cell = 0; cell < starts.Length; cell++)
        {
            starts[cell] = body.Length - rest.Remaining;
            rest.Bytes(out _);
        }

        return new RowSet(columns, count, body, starts)
        {
            PagingState = pagingState,
            ChangedMetadata = changedId is { } id && !isKnown ? new ResultMetadata(id, columns) : null,
        };
    }

    private static Column[] ReadMetadata(ref WireReader reader, ResultMetadata? known,
        out byte[]? pagingState, out byte[]? changedId, out bool isKnown)
    {
        var flags = (MetadataFlags)reader.Int();
        var claimed = reader.Int();
        pagingState = flags.HasFlag(MetadataFlags.MorePages) ? reader.Bytes(out _).ToArray() : null;
        changedId = flags.HasFlag(MetadataFlags.Changed) ? reader.ShortBytes().ToArray() : null;
        isKnown = flags.HasFlag(MetadataFlags.NoMetadata);
        if (!isKnown) return ReadColumns(ref reader, flags, reader.Count(claimed, LeastBytes));
        var columns = known?.Columns ?? [];
        return columns.Length == claimed || claimed == 0
            ? columns
            : throw Unexpected($"{claimed} columns that it does not name");
    }

    private static Column[] ReadColumns(ref WireReader reader, MetadataFlags flags, int count)
    {
        var global = flags.HasFlag(MetadataFlags.GlobalTable);
        var (keyspace, table) = global && count > 0 ? (reader.String(), reader.String()) : ("", "");
        var columns = new Column[count];
        for (var i = 0; i < count; i++)
        {
            if (!global) (keyspace, table) = (reader.String(), reader.String());
            columns[i] = new Column(keyspace, table, reader.String(), TypeReader.Read(ref reader));
        }

        return columns;
    }

    private static CqlException Unexpected(string what) => CqlErrors.ProtocolViolated.With(what).AsCql();
}
