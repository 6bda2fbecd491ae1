using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>MEASURES and DEFINE: columns of the rows that the pattern has matched.</summary>
/// <param name="conditions">How many of the variables have one; these come first.</param>
/// <param name="defined">
/// The variable that is defined, whose column is the current row's; null in MEASURES, where it is the last one's.
/// </param>
internal sealed class MatchBinder(
    RowScope scope, Diagnostics diagnostics, IReadOnlyList<string> variables, int conditions, string? defined)
    : RowBinder(scope, diagnostics, defined is null ? "MEASURES" : "DEFINE")
{
    protected override Expr? BindWhole(ExpressionSyntax syntax) => syntax switch
    {
        CallSyntax call when call.Is("Classifier") && call.Arguments.Count == 0 => new ClassifierExpr(variables),
        CallSyntax { Arguments: [NameSyntax name], Distinct: false } call when KindOf(call) is { } kind =>
            Column(kind, name),
        CallSyntax call when call.Is("First") || call.Is("Last") => RefuseArgument(call),
        NameSyntax name => Column(MatchValue.Last, name),
        _ => null,
    };

    private static MatchValue? KindOf(CallSyntax call) => call.Name.ToUpperInvariant() switch
    {
        "FIRST" => MatchValue.First,
        "LAST" => MatchValue.Last,
        "MIN" => MatchValue.Min,
        "MAX" => MatchValue.Max,
        "COUNT" => MatchValue.Count,
        _ => null,
    };

    private Expr RefuseArgument(CallSyntax call)
    {
        Error(SaqlErrors.BadArguments, call.Place,
            $"In MEASURES and DEFINE {call.Name} takes a column of a row, such as {call.Name}(A.x).");
        return Nothing;
    }

    private Expr Column(MatchValue kind, NameSyntax name)
    {
        var variable = variables.ToList().FindIndex(known => Is(known, name));
        if (variable >= 0 && name.Parts.Count == 1 && kind == MatchValue.Count)
            return new MatchExpr(kind, variable, -1, null);
        if (variable < 0 || name.Parts.Count == 1) variable = -1;
        if (variable >= 0 && defined is not null && !Allows(variable))
        {
            Error(SaqlErrors.UnknownName, name.Place,
                $"{name.Parts[0].Text} is defined behind {defined}; a variable may look at earlier ones only.");
            return Nothing;
        }

        var path = name.Parts.Skip(variable >= 0 ? 1 : 0).ToList();
        var column = Scope.Resolve(new NameSyntax(name.Place, path));
        return column is SlotExpr slot ? new MatchExpr(kind, variable, slot.Slot, slot.Type) : base.BindName(name);
    }

    private bool Allows(int variable) => variable >= conditions ||
        variable <= variables.ToList().FindIndex(known => known.Equals(defined, StringComparison.OrdinalIgnoreCase));

    private static bool Is(string variable, NameSyntax name) =>
        variable.Equals(name.Parts[0].Text, StringComparison.OrdinalIgnoreCase);
}
