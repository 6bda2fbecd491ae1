using Millrace.Cql.Requests;
using Millrace.Cql.Wire;

namespace Millrace.Cql;

/// <summary>How a batch is applied (section 4.1.7).</summary>
public enum BatchKind : byte
{
    /// <summary>All or nothing, by way of a log that other nodes keep: for several partitions, and slow.</summary>
    Logged = 0,

    /// <summary>One mutation when all statements name one partition: the cheap way to write many rows.</summary>
    Unlogged = 1,

    /// <summary>For counters.</summary>
    Counter = 2,
}

/// <summary>Several statements in one request.</summary>
public sealed class BatchStatement : CqlStatement
{
    private const byte TextKind = 0;
    private const byte PreparedKind = 1;
    private const int CountMax = ushort.MaxValue;

    private readonly WireBuffer _statements = new(4096);
    private readonly List<PreparedStatement> _prepared = [];
    private BatchKind _kind;
    private int _count;
    private bool _rented;
    private bool _allIdempotent;
    private bool _sameOperation;
    private bool _sameTable;
    private bool _hasToken;
    private long _token;

    /// <summary>How many statements it has.</summary>
    public int Count => _count;

    /// <summary>Their bytes on the wire, so that a batch can be ended by size.</summary>
    public int Bytes => _statements.Length;

    internal override Opcode Opcode => Opcode.Batch;

    internal override string Operation => (_sameOperation, _count) switch
    {
        (true, 1) => _prepared[0].Operation,
        (true, > 1) => _prepared[0].BatchOperation,
        _ => "BATCH",
    };

    internal override string? ParameterizedText
    {
        get
        {
            var texts = _prepared.Select(prepared => prepared.ParameterizedText).OfType<string>().Distinct().ToList();
            return texts.Count > 0 ? string.Join("; ", texts) : null;
        }
    }

    internal override string? Collection => _sameTable && _count > 0 ? _prepared[0].Collection : null;

    internal override string Keyspace => _prepared.Count > 0 ? _prepared[0].Keyspace : "";

    internal override int BatchSize => _count;

    internal override bool? IsIdempotentByNature => _allIdempotent ? true : null;

    /// <summary>An empty batch; like other statements, it is executed once.</summary>
    public static BatchStatement Rent(BatchKind kind = BatchKind.Unlogged)
    {
        var batch = Pool<BatchStatement>.Rent();
        batch._kind = kind;
        batch._rented = true;
        (batch._allIdempotent, batch._sameOperation, batch._sameTable) = (true, true, true);
        return batch;
    }

    /// <summary>Adds a statement, which the batch takes: it cannot be used after that.</summary>
    public BatchStatement Add(BoundStatement statement)
    {
        statement.Check();
        var prepared = statement.Source;
        if (_prepared.Count == 0 || _prepared[^1] != prepared) Remember(prepared);
        if (!_hasToken) _hasToken = statement.TryGetToken(out _token);
        if (statement.Idempotent != true) _allIdempotent = false;
        Begin(PreparedKind);
        _statements.ShortBytes(prepared.Id);
        _statements.Short(statement.Count);
        _statements.Raw(statement.Values);
        statement.Release();
        return this;
    }

    /// <summary>Adds a statement without values as text.</summary>
    public BatchStatement Add(string text)
    {
        (_allIdempotent, _sameOperation, _sameTable) = (false, false, false);
        Begin(TextKind);
        _statements.LongString(text);
        _statements.Short(0);
        return this;
    }

    internal override void Write(WireBuffer buffer, int version)
    {
        buffer.Byte((byte)_kind);
        buffer.Short(_count);
        buffer.Raw(_statements.Written);
        Protocol.QueryParameters.WriteOfBatch(buffer, version, this);
    }

    internal override void Check()
    {
        if (_count == 0) throw CqlErrors.StatementInvalid.With("an empty batch, or one that was sent").AsCql();
    }

    internal override bool TryGetToken(out long token)
    {
        token = _token;
        return _hasToken;
    }

    internal override PreparedStatement? FindPrepared(ReadOnlySpan<byte> id)
    {
        foreach (var prepared in _prepared)
        {
            if (prepared.Id.AsSpan().SequenceEqual(id)) return prepared;
        }

        return null;
    }

    internal override void Release()
    {
        // One that somebody executes twice must not come back twice.
        if (!_rented) return;
        _rented = false;
        _count = 0;
        _hasToken = false;
        _prepared.Clear();
        _statements.Clear();
        ResetOptions();
        Pool<BatchStatement>.Return(this);
    }

    private void Remember(PreparedStatement prepared)
    {
        _prepared.Add(prepared);
        if (prepared.Operation != _prepared[0].Operation) _sameOperation = false;
        if (prepared.Collection != _prepared[0].Collection) _sameTable = false;
    }

    private void Begin(byte kind)
    {
        if (_count == CountMax) throw CqlErrors.StatementInvalid.With($"more than {CountMax} in a batch").AsCql();
        _count++;
        _statements.Byte(kind);
    }
}
