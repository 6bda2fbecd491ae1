using System.Buffers;
using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Engine;

namespace Millrace.Saql;

/// <summary>The state as bytes: what is saved is taken by the same query, or by a later version that keeps the same.
/// </summary>
public sealed partial class QueryEngine
{
    private const int StateVersion = 3;

    /// <summary>Of a state that speaks of owners of an earlier version; others need not be refused by older
    /// programs.</summary>
    private const int StateVersionOfTwo = 4;

    /// <summary>Of a state with a timeline for each substream of a single feed.</summary>
    private const int StateVersionOfLanes = 5;

    /// <summary>Of a state with a timeline for each substream of several feeds, too.</summary>
    private const int StateVersionOfMergedLanes = 6;

    /// <summary>Of the state of a second stage with a timeline for each substream.</summary>
    private const int StateVersionOfSentLanes = 7;

    /// <summary>Writes the whole state, in a format that names its version.</summary>
    public void Save(IBufferWriter<byte> target)
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new StateWriter(body);
        foreach (var source in _inOrder) source.Save(writer);
        foreach (var pipeline in _pipelines) pipeline.Save(writer);
        foreach (var analytic in _analytics) analytic.Save(writer);
        _models.Save(writer);
        var head = new StateWriter(target);
        head.Write(LanesVersion is { } version ? version
            : _inOrder.Any(source => source.Inputs.Exists(input => input.KeepsEarlier)) ? StateVersionOfTwo
            : StateVersion);
        head.Write(Fingerprint(_plan.Text));
        head.Write((int)Crc32C.Compute(body.WrittenSpan));
        head.Write(body.WrittenSpan);
        head.Write(_stateFingerprint.Value);
    }

    /// <summary>
    /// Takes a state written by <see cref="Save"/> of the same plan, options and sources, before the first record.
    /// Another's state is a <see cref="MillraceException"/> with code SQ-0201.
    /// </summary>
    public void Restore(ReadOnlySpan<byte> state)
    {
        var head = new StateReader(state);
        var format = head.ReadInt32();
        if (!IsKnown(format)) throw head.Damaged("another format");
        if (head.ReadInt32() != Fingerprint(_plan.Text)) throw head.Damaged("another query, options or sources");
        Take(ref head, format);
        if (!head.AtEnd && head.ReadInt32() != _stateFingerprint.Value) throw head.Damaged();
    }

    /// <summary>
    /// Takes the state of an earlier version of the query, before the first record. False, and nothing is taken, when
    /// the two do not keep the same: their texts may differ in the numbers and texts that rows are compared with, and
    /// in constant columns, outside of functions, joins and windows.
    /// </summary>
    /// <param name="version">Whose state it is.</param>
    public bool TryRestoreEarlier(ReadOnlySpan<byte> state, int version)
    {
        var head = new StateReader(state);
        var format = head.ReadInt32();
        if (!IsKnown(format)) return false;
        head.ReadInt32();
        var foot = head;
        foot.ReadInt32();
        foot.ReadBytes();
        if (foot.AtEnd || foot.ReadInt32() != _stateFingerprint.Value) return false;
        Take(ref head, format);
        foreach (var source in _inOrder) source.Inputs.ForEach(input => input.BelongsTo(version));
        return true;
    }

    /// <summary>
    /// From here on late records are numbered anew: each version counts its own, and an earlier one's state has its.
    /// </summary>
    public void CountLateAnew()
    {
        foreach (var source in _inOrder) source.ForgetLate();
    }

    /// <summary>Null without timelines of substreams.</summary>
    private int? LanesVersion =>
        Array.Exists(_pipelines, pipeline => pipeline is SentLanesState) ? StateVersionOfSentLanes
        : Array.Exists(_pipelines, pipeline => pipeline is MergedLanesState) ? StateVersionOfMergedLanes
        : Array.Exists(_pipelines, pipeline => pipeline is LanesState) ? StateVersionOfLanes
        : null;

    private static LaneUse LanesOf(int format) => format switch
    {
        StateVersionOfMergedLanes => LaneUse.Everywhere,
        StateVersionOfLanes => LaneUse.OfSingleFeeds,
        _ => LaneUse.Nowhere,
    };

    /// <summary>Whether a second stage has timelines never changes for a version, nor from one to the next.</summary>
    private bool IsKnown(int format) => LanesVersion == StateVersionOfSentLanes
        ? format == StateVersionOfSentLanes
        : format is StateVersion or StateVersionOfTwo
            || (format is StateVersionOfLanes or StateVersionOfMergedLanes && format <= LanesVersion);

    private void Take(ref StateReader head, int format)
    {
        // What an older program kept has fewer timelines, and goes on with them.
        if (LanesVersion is { } version && format < version) Use(_olderAssembly!(LanesOf(format)));
        var crc = head.ReadInt32();
        var body = head.ReadBytes();
        if ((int)Crc32C.Compute(body) != crc) throw head.Damaged();
        var reader = new StateReader(body);
        foreach (var source in _inOrder) source.Restore(ref reader);
        foreach (var pipeline in _pipelines) pipeline.Restore(ref reader);
        foreach (var analytic in _analytics) analytic.Restore(ref reader);
        _models.Restore(ref reader);
        if (!reader.AtEnd) throw reader.Damaged();
    }

    /// <summary>What a state depends on besides the records.</summary>
    private int Fingerprint(string text)
    {
        var sources = string.Join(';', _inOrder.Select(source => source.Partition));
        if (_plan.Parts.TellsCasesApart) sources += ";A<>a";
        return (int)Crc32C.Compute(Encoding.UTF8.GetBytes(
            $"{_options.LateTolerance.Ticks};{_options.OutOfOrderTolerance.Ticks};{_options.DropOutOfOrder};" +
            $"{sources};{text}"));
    }
}
