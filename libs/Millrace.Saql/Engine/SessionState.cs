using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// Sessions, each with its groups. A session ends after a silence, stamped with the end of that silence, or at a
/// multiple of the longest duration.
/// </summary>
internal sealed class SessionState : GroupingState
{
    private const int SessionBytes = 128;

    private readonly WindowSpec _spec;
    private readonly Spares<Session> _spares = new();
    private readonly KeyWriter _key = new();
    private readonly bool _separatePartitions;
    private SessionMemory _kept;

    public SessionState(WindowPlan plan, EngineContext context) : base(plan, context)
    {
        _spec = plan.Spec;
        _separatePartitions = plan.IsPartitionLocal && context.SeparatesPartitions;
        Enter(new SessionMemory());
    }

    public override Memory NewMemory() => new SessionMemory();

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory)
    {
        base.Enter(memory);
        _kept = (SessionMemory)memory;
    }

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        if (!_key.TryWrite(inlet.SessionKeys, Frame, _separatePartitions))
        {
            Context.ReportFailure();
            return;
        }

        var time = Frame.Origin.Timestamp;
        if (!_kept.Sessions.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_key.Written, out var session))
        {
            session = Begin(_key.Written, _kept.Numbers++, time);
            session.Last = time;
            Open(session);
        }

        session.Last = time;
        var before = session.Groups.StateBytes;
        AddPrepared(inlet, session.Groups);
        _kept.Bytes += session.Groups.StateBytes - before;
    }

    public override void CloseNext()
    {
        var session = _kept.ByDue.Dequeue();
        var due = DueOf(session);
        if (due > NextDue) _kept.ByDue.Enqueue(session, (due, session.Number));
        else
        {
            _kept.Sessions.Remove(session.Key);
            // The same, whether one engine reads several partitions or each has its own.
            var own = session.Key.AsSpan(_separatePartitions ? KeyWriter.PartitionBytes : 0);
            var trail = own.IsEmpty ? 0 : RowTrail.Mix(1, own);
            EmitAll(session.Groups, session.Start, due, trail);
            _kept.Bytes -= session.Groups.StateBytes + SessionBytes;
            session.Groups.Clear();
            _spares.Put(session.Key.Length, session);
        }

        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.Numbers);
        writer.Write(_kept.Sessions.Count);
        foreach (var session in _kept.Sessions.Values.OrderBy(session => session.Number))
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
        _kept.Sessions.Clear();
        _kept.ByDue.Clear();
        _kept.Bytes = 0;
        _kept.Numbers = reader.ReadInt64();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var session = Begin(reader.ReadBytes(), reader.ReadInt64(), reader.ReadInt64());
            session.Last = reader.ReadInt64();
            session.Groups.Restore(ref reader);
            _kept.Bytes += session.Groups.StateBytes;
            Open(session);
        }

        UpdateNextDue();
    }

    /// <summary>One that ended is used again.</summary>
    private Session Begin(ReadOnlySpan<byte> key, long number, long start)
    {
        var session = _spares.TryTake(key.Length, out var spare) ? spare : new Session(NewTable());
        if (session.Key.Length == key.Length) key.CopyTo(session.Key);
        else session.Key = key.ToArray();
        (session.Number, session.Start) = (number, start);
        return session;
    }

    private void Open(Session session)
    {
        _kept.Bytes += SessionBytes;
        _kept.Sessions.Add(session.Key, session);
        _kept.ByDue.Enqueue(session, (DueOf(session), session.Number));
        UpdateNextDue();
    }

    private long DueOf(Session session) => Math.Min(session.Last + _spec.Timeout, _spec.SessionEnd(session.Start));

    private void UpdateNextDue() => NextDue = _kept.ByDue.TryPeek(out _, out var next) ? next.Due : long.MaxValue;

    private sealed class SessionMemory : Memory
    {
        public Dictionary<byte[], Session> Sessions { get; } = new(KeyBytes.Comparer);

        /// <summary>When to look at a session again, which is never later than when it ends.</summary>
        public PriorityQueue<Session, (long Due, long Number)> ByDue { get; } = new();

        public long Numbers { get; set; }

        public long Bytes { get; set; }

        public override bool IsWaiting => Sessions.Count > 0;

        public override long StateBytes => Bytes;

        public override bool IsEmptyAt(long time) => Sessions.Count == 0;
    }

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
