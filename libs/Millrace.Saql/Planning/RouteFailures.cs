using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>What becomes of a row's failure where it was found.</summary>
internal enum FailureVerdict : byte
{
    /// <summary>It is told here and counts.</summary>
    Counts,

    /// <summary>It is told here, in case nobody else does, and counts where the row fails on another route.</summary>
    CountsElsewhere,

    /// <summary>It is surely told where the row fails on another route.</summary>
    ToldElsewhere,
}

/// <summary>
/// What else may fail a row on the routes of its input, so that one which fails on several is one failure. What surely
/// fails on a route before is told there. What depends on a model, on a user function or on how long something takes
/// may come out otherwise there, so each route tells it; it counts on the first where a value of the row alone fails.
/// What fails by other rows cannot be seen from another route, so it counts only where no value of the row alone fails.
/// </summary>
internal sealed class RouteFailures
{
    private readonly ReaderCheck[] _sure;
    private readonly ReaderCheck[] _before;
    private readonly ReaderCheck[] _own;
    private readonly ReaderCheck[] _behind;

    private RouteFailures(ReaderCheck[] sure, ReaderCheck[] before, ReaderCheck[] own, ReaderCheck[] behind) =>
        (_sure, _before, _own, _behind) = (sure, before, own, behind);

    /// <summary>What has to stand in the row for it.</summary>
    public IEnumerable<Expr> Reads =>
        _sure.Concat(_before).Concat(_own).Concat(_behind).SelectMany(check => check.Reads);

    /// <summary>Null when a row that fails here counts here, whatever it does elsewhere.</summary>
    /// <param name="before">Who tells failures on the input's routes before this one.</param>
    /// <param name="own">Those of this route.</param>
    /// <param name="behind">Those of the routes behind.</param>
    public static RouteFailures? Of(IReader[] before, IReader[] own, IReader[] behind)
    {
        var (mayFail, seesRows) = (own.Any(ReaderCheck.MayFail), own.Any(ReaderCheck.SeesOtherRows));
        if (!mayFail && !seesRows) return null;
        var sure = mayFail ? Checks(before, ReaderCheck.Of) : [];
        var others = before.Where(reader => !mayFail || !ReaderCheck.IsSure(reader));
        var later = seesRows ? Checks(behind, ReaderCheck.OfRowAlone) : [];
        var made = new RouteFailures(sure, Checks(others, ReaderCheck.OfRowAlone),
            later.Length > 0 ? Checks(own, ReaderCheck.OfRowAlone) : [], later);
        return made.Reads.Any() ? made : null;
    }

    /// <summary>Of the row in the frame, whose failure is void then.</summary>
    public FailureVerdict Judge(Frame frame)
    {
        if (Fail(_sure, frame)) return FailureVerdict.ToldElsewhere;
        if (_before.Length == 0 && _behind.Length == 0) return FailureVerdict.Counts;

        // Anew, not as remembered: what took too long by chance does not do so again, and then it counts here.
        var mark = frame.Mark();
        frame.NextRow();
        var counts = !Fail(_before, frame) && (Fail(_own, frame) || !Fail(_behind, frame));
        frame.ComeBack(mark);
        return counts ? FailureVerdict.Counts : FailureVerdict.CountsElsewhere;
    }

    private static bool Fail(ReaderCheck[] checks, Frame frame) =>
        Array.Exists(checks, check => check.Fails(frame));

    private static ReaderCheck[] Checks(IEnumerable<IReader> readers, Func<IReader, ReaderCheck?> of) =>
        [.. readers.Select(of).OfType<ReaderCheck>()];
}
