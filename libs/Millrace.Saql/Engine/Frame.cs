using Millrace.Primitives;
using Millrace.Saql.Functions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// What expressions are evaluated on: the row at hand. One frame serves a whole engine.
/// </summary>
internal sealed class Frame(int memos, int[] partitions)
{
    private readonly uint[] _memoStamps = new uint[memos];
    private readonly Value[] _memos = new Value[memos];
    private readonly (ErrorDefinition Error, string Reason)?[] _memoFailures =
        new (ErrorDefinition Error, string Reason)?[memos];

    private uint _stamp;

    /// <summary>The values of the row: each root (input or window) has an array of its own.</summary>
    public Value[] Slots = [];

    /// <summary>The log partition of the row's source.</summary>
    public int Partition => partitions[Origin.Source];

    public TextArena Arena { get; } = new();

    public PatternCache Patterns { get; } = new();

    /// <summary>A field: it is read for every row.</summary>
    public RowOrigin Origin;

    /// <summary>Set by the first failure of the expressions evaluated since it was cleared.</summary>
    public ErrorDefinition? Failure { get; private set; }

    public string FailureReason { get; private set; } = "";

    /// <summary>A new row stands in the slots: what was remembered for the one before is void.</summary>
    public void NextRow() => _stamp++;

    /// <summary>Tells rows apart.</summary>
    public uint Row => _stamp;

    public void ClearFailure() => Failure = null;

    /// <summary>
    /// The row fails. Evaluation goes on with a null, because a failure is seldom and checking each step is not; the
    /// one who asked for the row checks at the end.
    /// </summary>
    public Value Fail(ErrorDefinition error, string reason)
    {
        if (Failure is not null) return Value.Null;
        Failure = error;
        FailureReason = reason;
        return Value.Null;
    }

    public bool TryRemembered(int memo, out Value value)
    {
        value = _memos[memo];
        if (_memoStamps[memo] != _stamp) return false;
        if (_memoFailures[memo] is { } failure) Fail(failure.Error, failure.Reason);
        return true;
    }

    public Value Remember(int memo, Value value)
    {
        _memoStamps[memo] = _stamp;
        _memos[memo] = value;
        _memoFailures[memo] = Failure is null ? null : (Failure, FailureReason);
        return value;
    }
}
