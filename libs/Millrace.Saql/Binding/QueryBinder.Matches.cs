using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>MATCH_RECOGNIZE.</summary>
internal sealed partial class QueryBinder
{
    private List<RowScope> BindMatch(List<RowScope> scopes, MatchSyntax syntax)
    {
        // Of what could not be read some may be missing here.
        if (syntax.IsBroken) return [];
        if (syntax.Limit is null || syntax.Pattern is null || syntax.Measures.Count == 0)
        {
            string?[] missing =
            [
                syntax.Limit is null ? "LIMIT DURATION(unit, length)" : null,
                syntax.Measures.Count == 0 ? "MEASURES" : null,
                syntax.Pattern is null ? "PATTERN" : null,
            ];
            diagnostics.Add(SaqlErrors.Unexpected, syntax.Place,
                $"MATCH_RECOGNIZE needs {string.Join(" and ", missing.OfType<string>())}.");
            return [];
        }

        var match = new MatchPlan
        {
            Duration = new WindowBinder(diagnostics).Stretch(syntax.Limit, syntax.Limit.Arguments) ?? 1,
            Text = diagnostics.LineOf(syntax.Pattern.Place),
            KeyTexts = [.. syntax.PartitionBy.Select(key => diagnostics.LineOf(key.Place))],
        };
        match.Variables = Variables(syntax);
        if (new PatternProgram(match.Variables).Of(syntax.Pattern) is { } program) match.Program = program;
        else diagnostics.Add(SaqlErrors.TooLarge, syntax.Pattern.Place, "Too much is repeated within repetitions.");
        var keys = scopes.Select(scope => BindKeys(syntax.PartitionBy, scope)).ToList();
        match.IsPartitionLocal = keys.All(branch => branch.Any(key => key.SeparatesPartitions));
        match.Side = new CarriedSide(match, scopes.Count);
        var names = new CarriedNames(match.Side, [.. scopes.Select(scope => scope.Sources[0].Names)], "0");
        var rows = scopes[0] with { Sources = [new ScopeSource(scopes[0].Sources[0].Qualifiers, names)] };
        match.Defines = [.. match.Variables.Select(variable => Define(match, syntax, variable, rows))];
        var binder = new MatchBinder(rows, diagnostics, match.Variables, 0, null);
        match.Measures = [.. syntax.Measures.Select(measure => binder.Bind(measure.Value))];
        match.FirstMeasureSlot = match.SlotCount;
        var items = new List<ColumnItem>();
        foreach (var (measure, value) in syntax.Measures.Zip(match.Measures))
        {
            if (items.Any(item => measure.Name.Equals(item.Name, StringComparison.OrdinalIgnoreCase)))
                diagnostics.Add(SaqlErrors.DuplicateName, measure.Place, $"There is a measure {measure.Name} before.");
            items.Add(new ColumnItem(measure.Name, new SlotExpr(match.NewSlot(), value.Type)));
        }

        for (var i = 0; i < scopes.Count; i++)
        {
            var branch = scopes[i].Branch;
            branch.Root.Inlets.Add(new MatchInlet(match, branch.Filters, i, match.Side, i, keys[i]));
        }

        _builder.Add(match);
        var found = new Branch(match, [], new StepNames(items, null));
        string[] qualifiers = syntax.Alias is null ? [.. scopes[0].Sources[0].Qualifiers] : [syntax.Alias];
        return [new RowScope(found, [new ScopeSource(qualifiers, found.Names)], syntax.Place, _builder)];
    }

    /// <summary>Those of DEFINE in their order, then those that only the pattern names.</summary>
    private List<string> Variables(MatchSyntax syntax)
    {
        var variables = new List<string>();
        foreach (var (name, place, _) in syntax.Defines)
        {
            if (variables.Contains(name, StringComparer.OrdinalIgnoreCase))
                diagnostics.Add(SaqlErrors.DuplicateName, place, $"{name} is defined before.");
            else variables.Add(name);
        }

        var inPattern = new List<string>();
        Collect(syntax.Pattern!);
        foreach (var (name, place, _) in syntax.Defines)
        {
            if (!inPattern.Contains(name, StringComparer.OrdinalIgnoreCase))
                diagnostics.Add(SaqlErrors.UnknownName, place,
                    $"The pattern has no variable {name}.{Suggestions.For(name, inPattern)}");
        }

        return [.. variables.Concat(inPattern).Distinct(StringComparer.OrdinalIgnoreCase)];

        void Collect(PatternSyntax pattern)
        {
            switch (pattern)
            {
                case PatternVariable { Name: not "." } variable:
                    inPattern.Add(variable.Name);
                    break;
                case PatternRepeat repeat:
                    Collect(repeat.Part);
                    break;
                case PatternSequence sequence:
                    foreach (var part in sequence.Parts) Collect(part);
                    break;
                case PatternChoice choice:
                    foreach (var part in choice.Parts) Collect(part);
                    break;
            }
        }
    }

    private Expr? Define(MatchPlan match, MatchSyntax syntax, string variable, RowScope rows)
    {
        var condition = syntax.Defines.Find(one => one.Name.Equals(variable, StringComparison.OrdinalIgnoreCase))
            .Condition;
        return condition is null
            ? null
            : new MatchBinder(rows, diagnostics, match.Variables, syntax.Defines.Count, variable)
                .BindFilter(condition);
    }
}
