using Millrace.Cql.Cluster;
using Millrace.Cql.Protocol;
using Millrace.Cql.Requests;
using Millrace.Cql.Types;
using Millrace.Cql.Wire;

namespace Millrace.Cql;

/// <summary>A prepared statement with its values, encoded as they are added.</summary>
public sealed class BoundStatement : CqlStatement
{
    // Prepared by v4, which has no such id: one that no columns have, so that the server tells them.
    private static readonly byte[] NoResultId = new byte[16];

    // Its kind, the length of its id, and the number of its values.
    private const int BatchPartBytes = 5;

    private readonly WireBuffer _values = new();
    private PreparedStatement? _prepared;
    private int[] _keyStarts = new int[4];
    private int _count;

    /// <summary>What it has on the wire as a part of a batch.</summary>
    public int Bytes => BatchPartBytes + Source.Id.Length + _values.Length;

    /// <summary>What values it wants, in their order, while it has not been sent.</summary>
    public IReadOnlyList<Column> Markers => Source.Markers;

    internal override Opcode Opcode => Opcode.Execute;

    internal override string Operation => _prepared?.Operation ?? OperationName.Other;

    internal override string? ParameterizedText => _prepared?.ParameterizedText;

    internal override string? Collection => _prepared?.Collection;

    internal override string Keyspace => Source.Keyspace;

    internal override PreparedStatement? Prepared => _prepared;

    internal PreparedStatement Source => _prepared ?? throw SentAlready();

    internal int Count => _count;

    internal ReadOnlySpan<byte> Values => _values.Written;

    /// <summary>Adds the value of the next marker. null is CQL's null.</summary>
    public BoundStatement Add<T>(T value)
    {
        var type = NextMarker();
        Codec<T>.For(type).WriteValue(_values, type, value);
        _count++;
        return this;
    }

    /// <summary>Adds a blob, or text in UTF-8, without making an object of it.</summary>
    public BoundStatement Add(ReadOnlySpan<byte> bytes)
    {
        var type = NextMarker();
        if (type.Code is not (CqlTypeCode.Blob or CqlTypeCode.Text or CqlTypeCode.Ascii))
            throw Codecs.Refused(typeof(ReadOnlySpan<byte>), type);
        _values.Bytes(bytes);
        _count++;
        return this;
    }

    /// <summary>Leaves the column as it is, where null would write a tombstone.</summary>
    public BoundStatement AddUnset()
    {
        NextMarker();
        _values.Int(-2);
        _count++;
        return this;
    }

    internal static BoundStatement Rent(PreparedStatement prepared)
    {
        var bound = Pool<BoundStatement>.Rent();
        bound._prepared = prepared;
        bound.Idempotent = prepared.Idempotent;
        if (bound._keyStarts.Length < prepared.KeyLength) bound._keyStarts = new int[prepared.KeyLength];
        return bound;
    }

    internal override void Write(WireBuffer buffer, int version)
    {
        var result = KnownResult = Source.Result;
        buffer.ShortBytes(Source.Id);
        if (version >= 5) buffer.ShortBytes(result.Id.Length > 0 ? result.Id : NoResultId);

        // Before v5 nobody would tell that the columns have changed, so they are asked for with each answer.
        var skipMetadata = version >= 5 && result.Columns.Length > 0;
        QueryParameters.Write(buffer, version, this, _count, _values.Written, skipMetadata);
    }

    internal override void Check()
    {
        if (_count == Source.Markers.Count) return;
        throw CqlErrors.StatementInvalid.With($"{_count} values for {Source.Markers.Count} markers").AsCql();
    }

    internal override bool TryGetToken(out long token)
    {
        token = 0;
        if (Source.KeyLength == 0) return false;
        if (Source.KeyLength == 1) token = Murmur3.Token(Value(_keyStarts[0]));
        else token = RoutingKey.Token(_values.Written, _keyStarts.AsSpan(0, Source.KeyLength));
        return true;
    }

    internal override PreparedStatement? FindPrepared(ReadOnlySpan<byte> id) =>
        Source.Id.AsSpan().SequenceEqual(id) ? _prepared : null;

    internal override void Release()
    {
        // One that somebody executes twice must not come back twice.
        if (_prepared is null) return;
        _prepared = null;
        _count = 0;
        _values.Clear();
        ResetOptions();
        Pool<BoundStatement>.Return(this);
    }

    private static CqlException SentAlready() => CqlErrors.StatementInvalid.With("a statement that was sent").AsCql();

    private ReadOnlySpan<byte> Value(int start) => new WireReader(_values.Written[start..]).Bytes(out _);

    private CqlType NextMarker()
    {
        var prepared = Source;
        if (_count >= prepared.KeyPositions.Length)
            throw CqlErrors.StatementInvalid.With($"more values than {_count} markers").AsCql();
        var keyPosition = prepared.KeyPositions[_count];
        if (keyPosition >= 0) _keyStarts[keyPosition] = _values.Length;
        return prepared.Markers[_count].Type;
    }
}
