using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Functions;
using Millrace.Saql.Json;
using Millrace.Saql.Models;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// What expressions are evaluated on: the row at hand. One frame serves a whole engine.
/// </summary>
internal sealed class Frame(int memos, int[] partitions, int models, TimeSpan patternTimeMax)
{
    /// <summary>The most bytes of a text that a row makes, so that one row cannot fill the memory.</summary>
    public const int MadeBytesMax = 1 << 20;

    private readonly uint[] _memoStamps = new uint[memos];
    private readonly Value[] _memos = new Value[memos];
    private readonly (ErrorDefinition Error, string Reason)?[] _memoFailures =
        new (ErrorDefinition Error, string Reason)?[memos];

    private uint _stamp;
    private uint _row;

    /// <summary>The values of the row: each root (input or window) has an array of its own.</summary>
    public Value[] Slots = [];

    /// <summary>The log partition of the row's source.</summary>
    public int Partition => partitions[Origin.Source];

    public TextArena Arena { get; } = new();

    /// <summary>The rows that a pattern has matched so far, each with its variable.</summary>
    public List<(Value[] Row, int Variable)> Matched { get; } = [];

    /// <summary>The plan's models, each in the version that counts from here on.</summary>
    public IModelScorer?[] Scorers { get; } = new IModelScorer?[models];

    public ValueResults ValueResults { get; } = new();

    public PatternCache Patterns { get; } = new(patternTimeMax);

    /// <summary>Where a function of two geographies puts the points that the row gives.</summary>
    public Geography[] MovingPoints { get; } = [Geography.MovingPoint(), Geography.MovingPoint()];

    /// <summary>A field: it is read for every row.</summary>
    public RowOrigin Origin;

    /// <summary>The row's record is of a format that knows text alone.</summary>
    public bool IsUntyped { get; set; }

    /// <summary>Set by the first failure of the expressions evaluated since it was cleared.</summary>
    public ErrorDefinition? Failure { get; private set; }

    public string FailureReason { get; private set; } = "";

    /// <summary>A new row stands in the slots: what was remembered for the one before is void.</summary>
    public void NextRow() => _row = ++_stamp;

    /// <summary>Tells rows apart.</summary>
    public uint Row => _row;

    /// <summary>The row at hand, to come back to it when rows that are made of it have gone their way.</summary>
    public FrameMark Mark() => new(Slots, Origin, _row, Arena.Used);

    public void ComeBack(in FrameMark mark)
    {
        Slots = mark.Slots;
        Origin = mark.Origin;
        _row = mark.Row;
        Failure = null;
        Arena.WindBack(mark.ArenaUsed);
    }

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

    /// <summary>A text that a function has made.</summary>
    public Value Made(string function, ReadOnlySpan<char> text) =>
        text.Length > MadeBytesMax || Encoding.UTF8.GetByteCount(text) > MadeBytesMax
            ? TooLong(function)
            : Arena.Add(text);

    /// <summary>What a function would make has more than the most.</summary>
    public Value TooLong(string function) =>
        Fail(SaqlErrors.BadArgumentValue, $"{function}: the result is too long.");

    /// <summary>A value that was read out of a record or an array; a number that is too large fails the row.</summary>
    public Value Checked(in Value value) => Arena.TakeUnfit()
        ? Fail(SaqlErrors.Overflow, "A number in the record fits neither a bigint nor a float.")
        : value;

    /// <summary>
    /// A record or an array that is made of others, whose JSON this is. One with more levels than a reader takes fails
    /// the row.
    /// </summary>
    public Value Composed(ReadOnlySpan<byte> json, ValueKind kind) => JsonScanner.IsTooDeep(json)
        ? Fail(SaqlErrors.BadArgumentValue, $"The {kind.Name()} nests more than {JsonScanner.DepthMax} levels deep.")
        : Arena.Add(json, kind);

    public bool TryRemembered(int memo, out Value value)
    {
        value = _memos[memo];
        if (_memoStamps[memo] != _row) return false;
        if (_memoFailures[memo] is { } failure) Fail(failure.Error, failure.Reason);
        return true;
    }

    public Value Remember(int memo, Value value)
    {
        _memoStamps[memo] = _row;
        _memos[memo] = value;
        _memoFailures[memo] = Failure is null ? null : (Failure, FailureReason);
        return value;
    }
}

/// <summary>A row that is left for a while.</summary>
internal readonly record struct FrameMark(Value[] Slots, RowOrigin Origin, uint Row, int ArenaUsed);
