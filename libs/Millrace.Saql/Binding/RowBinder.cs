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
    /// <summary>The row as one record.</summary>
    public Expr WholeRow() =>
        new RecordExpr(OutputColumns.Of(Scope.Sources.SelectMany(source => source.Names.Items)));

    protected override Expr? BindWhole(ExpressionSyntax syntax) => null;

    protected override Expr BindName(NameSyntax name)
    {
        if (Scope.SourceNamed(name) is { } source
            && (Scope.Sources.Count > 1 || source.Names.Resolve([name.Parts[0].Text]) is null))
        {
            if (source.Names.Whole is { } whole) return whole;
            Error(SaqlErrors.UnknownName, name.Place,
                $"{name.Parts[0].Text} is the source; expected one of its columns.");
            return Nothing;
        }

        if (Scope.SourceOf(name) is not { } owner) return BindUnqualified(name);
        var path = Scope.Path(name);
        if (owner.Names.Resolve(path) is { } found) return found;
        var known = owner.Names.Known.ToList();
        Error(SaqlErrors.UnknownName, name.Place,
            $"{owner.Qualifiers[0]} has no column {path[0]}; it has " +
                $"{Suggestions.List(known)}.{Suggestions.For(path[0], known)}{HintOfText(name)}");
        return Nothing;
    }

    /// <summary>A row may have any field, so that a name which means text is no error.</summary>
    protected override bool IsText(NameSyntax name) => Diagnostics.IsInDoubleQuotes(name) && !Scope.IsSource(name)
        && !Scope.Sources.Any(source =>
            source.Names.Known.Contains(name.Parts[0].Text, StringComparer.OrdinalIgnoreCase));

    protected override Expr BindAggregate(CallSyntax call)
    {
        Error(SaqlErrors.MisplacedAggregate, call.Place, $"{call.Name} is an aggregate and cannot stand in {place}.");
        return Nothing;
    }

    protected override Expr BindTimestamp(CallSyntax call)
    {
        if (!Scope.IsReference) return base.BindTimestamp(call);
        Error(SaqlErrors.MisplacedTimestampBy, call.Place, "Reference data has no time.");
        return Nothing;
    }

    protected override Expr BindOver(OverSyntax over)
    {
        if (over.Limit is null && Aggregates.Is(over.Call.Name.ToUpperInvariant()) && over.OrderBy.Count > 0)
            return BindAggregate(over.Call);
        return new AnalyticBinder(Scope, Diagnostics).Bind(over);
    }

    /// <summary>A column of one of several sources, which must be the only one that surely has it.</summary>
    private Expr BindUnqualified(NameSyntax name)
    {
        var text = name.Parts[0].Text;
        // An empty name is told where it is read.
        if (text.Length == 0) return Nothing;
        var owners = Scope.Sources.Where(source =>
            source.Names.Known.Contains(text, StringComparer.OrdinalIgnoreCase)).ToList();
        // What APPLY adds has known columns; anything else is the event's.
        if (owners.Count == 0 && Scope.AllowsStar) owners = [Scope.Sources[0]];
        if (owners is [var only] && only.Names.Resolve([.. name.Parts.Select(part => part.Text)]) is { } found)
            return found;
        var written = string.Join(" or ", Scope.SourceNames.Select(one => $"{Written(one)}.{Written(text)}"));
        Error(SaqlErrors.UnknownName, name.Place, $"Whose column is {text}? Write {written}.{HintOfText(name)}");
        return Nothing;
    }

    /// <summary>"Text" in double quotes, which other SQL takes for text, is a name.</summary>
    private string HintOfText(NameSyntax name) =>
        Diagnostics.IsInDoubleQuotes(name)
            ? $" In double quotes it is a name; text is '{name.Parts[0].Text.Replace("'", "''")}'."
            : "";

    private static string Written(string name) =>
        name is [var first, ..] && !char.IsDigit(first) && name.All(one => char.IsLetterOrDigit(one) || one == '_') &&
            !Words.IsReserved(name)
            ? name
            : $"[{name.Replace("]", "]]")}]";
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

    protected override Expr BindOver(OverSyntax over)
    {
        Error(SaqlErrors.MisplacedTimestampBy, over.Place, "TIMESTAMP BY makes the order of rows and cannot use it.");
        return Nothing;
    }
}
