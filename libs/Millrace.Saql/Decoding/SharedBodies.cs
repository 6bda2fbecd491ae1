using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Saql.Json;

namespace Millrace.Saql.Decoding;

/// <summary>
/// The bodies of one partition that several queries read: who is ahead decodes what any of them reads, and those that
/// come later find it there. Nobody waits for another: who comes while it is being decoded, or is far behind, decodes
/// alone, and answers the same.
/// </summary>
/// <param name="bytesMax">How much of what was decoded is kept; the texts themselves are the log's.</param>
public sealed class SharedBodies(long bytesMax)
{
    private const int PartsKept = 4;

    /// <summary>After so many that nobody else came for, one of as many is decoded for all.</summary>
    private const int Patience = 16;

    private readonly Lock _gate = new();
    private readonly List<FieldNode> _readers = [];
    private readonly List<DecodedRows> _parts = [];
    private FieldUnion? _union;
    private long _next = long.MinValue;
    private int _unvisited;

    internal void Join(FieldNode fields)
    {
        lock (_gate)
        {
            _readers.Add(fields);
            Unite();
        }
    }

    internal void Leave(FieldNode fields)
    {
        lock (_gate)
        {
            _readers.Remove(fields);
            Unite();
        }
    }

    /// <summary>
    /// Rows that begin at an offset or before, decoded just now or there already; who gets them gives them back with
    /// <see cref="Return"/>. Null: this batch is to be decoded alone.
    /// </summary>
    /// <param name="isOwn">They were decoded just now.</param>
    internal DecodedRows? Take(FieldNode fields, RecordBatch batch, long offset, out bool isOwn)
    {
        isOwn = false;
        if (!MemoryMarshal.TryGetArray(batch.Bytes, out var segment)) return null;
        DecodedRows rows;
        lock (_gate)
        {
            if (_union is null || !_union.Has(fields)) return null;
            if (Holding(offset) is { } there) return Enter(there, fields);
            if (offset < _next) return null;

            // Whoever is ahead decides for the others too.
            _next = batch.NextOffset;
            if (Free() is not { } free) return null;
            rows = free;
            rows.Begin(_union, offset, batch.NextOffset - offset);
            _next = rows.Next;
        }

        try
        {
            rows.Fill(batch, segment.Array!);
            lock (_gate) rows.IsFilled = true;
        }
        catch
        {
            Return(rows);
            throw;
        }

        isOwn = true;
        return rows;
    }

    internal void Return(DecodedRows rows)
    {
        lock (_gate) rows.Users--;
    }

    private DecodedRows? Holding(long offset)
    {
        foreach (var part in _parts)
        {
            if (part.Has(offset)) return part;
        }

        return null;
    }

    private DecodedRows? Enter(DecodedRows rows, FieldNode fields)
    {
        if (!rows.IsFilled || !rows.Union.Has(fields)) return null;
        rows.Users++;
        _unvisited = 0;
        return rows;
    }

    /// <summary>The oldest that nobody uses; null when there is none, or nobody has come for any in a while.</summary>
    private DecodedRows? Free()
    {
        _unvisited = Math.Min(_unvisited + 1, 2 * Patience);
        if (_unvisited is > Patience and < 2 * Patience) return null;
        if (_unvisited == 2 * Patience) _unvisited = Patience;
        if (_parts.Count < PartsKept) _parts.Add(new DecodedRows(bytesMax / PartsKept));
        DecodedRows? oldest = null;
        foreach (var part in _parts)
        {
            if (part.Users == 0 && (oldest is null || part.First < oldest.First)) oldest = part;
        }

        return oldest;
    }

    /// <summary>
    /// What was decoded so far is there for those that read it then. One reader alone shares and keeps nothing.
    /// </summary>
    private void Unite()
    {
        _union = _readers.Count < 2 ? null : new FieldUnion(_readers);
        if (_union is not null) return;
        _parts.Clear();
        (_next, _unvisited) = (long.MinValue, 0);
    }
}
