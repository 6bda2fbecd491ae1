using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// Expressions over the rows of a source: WHERE, SELECT without GROUP BY, keys and arguments of aggregates.
/// </summary>
/// <param name="place">What an aggregate is told that it cannot stand in.</param>
internal class RowBinder(RowScope scope, Diagnostics diagnostics, string place)
    : ExpressionBinder(scope, diagnostics)
{
    protected override Expr? BindWhole(ExpressionSyntax syntax) => null;

    protected override Expr BindName(NameSyntax name)
    {
        if (Scope.IsSource(name) && Scope.Branch.Names.Resolve([name.Parts[0].Text]) is null)
        {
            Error(SaqlErrors.UnknownName, name.Place,
                $"{name.Parts[0].Text} is the source; expected one of its columns.");
            return Nothing;
        }

        var path = Scope.Path(name);
        if (Scope.Branch.Names.Resolve(path) is { } found) return found;
        var known = Scope.Branch.Names.Known.ToList();
        Error(SaqlErrors.UnknownName, name.Place,
            $"{Scope.Qualifiers[0]} has no column {path[0]}; it has " +
                $"{Suggestions.List(known)}.{Suggestions.For(path[0], known)}");
        return Nothing;
    }

    protected override Expr BindAggregate(CallSyntax call)
    {
        Error(SaqlErrors.MisplacedAggregate, call.Place, $"{call.Name} is an aggregate and cannot stand in {place}.");
        return Nothing;
    }
}

/// <summary>TIMESTAMP BY: what makes the timestamp cannot use it.</summary>
internal sealed class TimestampByBinder(RowScope scope, Diagnostics diagnostics)
    : RowBinder(scope, diagnostics, "TIMESTAMP BY")
{
    protected override Expr BindTimestamp(CallSyntax call)
    {
        Error(SaqlErrors.MisplacedTimestampBy, call.Place, "TIMESTAMP BY makes System.Timestamp() and cannot use it.");
        return Nothing;
    }
}
