using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>Which functions with OVER stand in what is read of the rows of these roots.</summary>
internal sealed class AnalyticUse(IEnumerable<RowRoot> roots)
{
    private readonly Dictionary<int, AnalyticPlan> _byMemo = roots.SelectMany(root => root.Analytics)
        .ToDictionary(inlet => inlet.Memo, inlet => inlet.Analytic);

    public IEnumerable<AnalyticPlan> In(IReader reader) => Expr.Within(reader.Reads).OfType<AnalyticExpr>()
        .Select(value => _byMemo[value.Memo]).Distinct();
}
