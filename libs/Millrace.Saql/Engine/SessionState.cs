using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// Sessions, each with its groups. A session ends after a silence, stamped with the end of that silence, or at a
/// multiple of the longest duration.
/// </summary>
internal sealed class SessionState(WindowPlan plan, EngineContext context) : GroupingState(plan, context)
{
    /// <summary>A session of one key has one group as a rule, and there may be as many as there are keys.</summary>
    private const int GroupsMin = 1;

    private const int SessionBytes = 128;

    private readonly WindowSpec _spec = plan.Spec;
    private readonly Dictionary<byte[], Session> _sessions = new(KeyBytes.Comparer);

    /// <summary>When to look at a session again, which is never later than when it ends.</summary>
    private readonly PriorityQueue<Session, (long Due, long Number)> _byDue = new();
    private readonly Spares<Session> _spares = new();
    private readonly KeyWriter _key = new();
    private readonly bool _separatePartitions = plan.IsPartitionLocal && context.SeparatesPartitions;
    private long _numbers;
    private long _bytes;

    public override bool IsWaiting => _sessions.Count > 0;

    public override long StateBytes => _bytes;

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        if (!_key.TryWrite(inlet.SessionKeys, Frame, _separatePartitions))
        {
            Context.ReportFailure();
            return;
        }

        var time = Frame.Origin.Timestamp;
        if (!_sessions.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_key.Written, out var session))
        {
            session = Begin(_key.Written, _numbers++, time);
            session.Last = time;
            Open(session);
        }

        session.Last = time;
        var before = session.Groups.StateBytes;
        AddPrepared(inlet, session.Groups);
        _bytes += session.Groups.StateBytes - before;
    }

    public override void CloseNext()
    {
        var session = _byDue.Dequeue();
        var due = DueOf(session);
        if (due > NextDue) _byDue.Enqueue(session, (due, session.Number));
        else
        {
            _sessions.Remove(session.Key);
            // The same, whether one engine reads several partitions or each has its own.
            var own = session.Key.AsSpan(_separatePartitions ? KeyWriter.PartitionBytes : 0);
            var trail = own.IsEmpty ? 0 : RowTrail.Mix(1, own);
            EmitAll(session.Groups, session.Start, due, trail);
            _bytes -= session.Groups.StateBytes + SessionBytes;
            session.Groups.Clear();
            _spares.Put(session.Key.Length, session);
        }

        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_numbers);
        writer.Write(_sessions.Count);
        foreach (var session in _sessions.Values.OrderBy(session => session.Number))
        {
            writer.Write(session.Key);
            writer.Write(session.Number);
            writer.Write(session.Start);
            writer.Write(session.Last);
            session.Groups.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _sessions.Clear();
        _byDue.Clear();
        _bytes = 0;
        _numbers = reader.ReadInt64();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var session = Begin(reader.ReadBytes(), reader.ReadInt64(), reader.ReadInt64());
            session.Last = reader.ReadInt64();
            session.Groups.Restore(ref reader);
            _bytes += session.Groups.StateBytes;
            Open(session);
        }

        UpdateNextDue();
    }

    /// <summary>One that ended is used again.</summary>
    private Session Begin(ReadOnlySpan<byte> key, long number, long start)
    {
        var session = _spares.TryTake(key.Length, out var spare) ? spare : new Session(NewTable(GroupsMin));
        if (session.Key.Length == key.Length) key.CopyTo(session.Key);
        else session.Key = key.ToArray();
        (session.Number, session.Start) = (number, start);
        return session;
    }

    private void Open(Session session)
    {
        _bytes += SessionBytes;
        _sessions.Add(session.Key, session);
        _byDue.Enqueue(session, (DueOf(session), session.Number));
        UpdateNextDue();
    }

    private long DueOf(Session session) => Math.Min(session.Last + _spec.Timeout, _spec.SessionEnd(session.Start));

    private void UpdateNextDue() => NextDue = _byDue.TryPeek(out _, out var next) ? next.Due : long.MaxValue;

    private sealed class Session(GroupTable groups)
    {
        public byte[] Key { get; set; } = [];

        /// <summary>In order of their beginnings.</summary>
        public long Number { get; set; }

        public long Start { get; set; }

        public long Last { get; set; }

        public GroupTable Groups => groups;
    }
}
