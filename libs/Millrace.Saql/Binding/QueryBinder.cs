using Millrace.Contracts;
using Millrace.Saql.Expressions;
using Millrace.Saql.Extensions;
using Millrace.Saql.Models;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>A script's syntax to the roots of a plan: inputs, windows, and what reads them.</summary>
internal sealed partial class QueryBinder(
    Diagnostics diagnostics, IReadOnlyCollection<string>? knownInputs, IReadOnlyCollection<string> references,
    QueryExtensions extensions, IReadOnlyCollection<QueryModel>? knownModels, PlanLimits limits)
{
    private readonly Dictionary<string, Relation> _steps = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, InputPlan> _inputs = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<FeedPlan> _feeds = [];
    private readonly List<TextSpan> _placesOfFeeds = [];
    private readonly PlanBuilder _builder = new(extensions, knownModels, limits, diagnostics);
    private readonly List<string> _outputs = [];
    private readonly List<int> _rowsOfOutput = [];
    private readonly List<(int Output, RowRoot Root)> _writers = [];

    public PlanParts Bind(ScriptSyntax script)
    {
        foreach (var table in script.Tables) BindTable(table);
        foreach (var step in script.Steps) BindStep(step);
        foreach (var query in script.Queries) BindOutput(query);
        foreach (var table in _tables.Values) CheckTable(table);
        CheckOver();
        Pipelines.Assign(_feeds, _builder.Operators, _writers);
        return new PlanParts([.. _inputs.Values], _feeds, _builder.Operators, _builder.Analytics, _outputs,
            _builder.Memos, [.. _references], _builder.Models)
        {
            TellsCasesApart = _builder.TellsCasesApart,
        };
    }

    private void BindStep(StepSyntax step)
    {
        var relation = EntriesOf(step.Query) is { } entries
            ? EntriesStep(step, entries)
            : new Relation(step.Name, BindQuery(step.Query, isStep: true));
        if (!_steps.TryAdd(step.Name, relation))
            diagnostics.Add(SaqlErrors.DuplicateName, step.Place, $"There is a step {step.Name} before this one.");
    }

    private void BindOutput(QuerySyntax query)
    {
        var name = OutputName(query);

        var output = _outputs.FindIndex(known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (output < 0)
        {
            output = _outputs.Count;
            _outputs.Add(name);
            _rowsOfOutput.Add(0);
        }

        foreach (var branch in BindQuery(query, isStep: false))
        {
            var columns = OutputColumns.Of(branch.Names.Items);
            branch.Root.Outputs.Add(new OutputPlan(output, _rowsOfOutput[output]++, branch.Filters, columns));
            _writers.Add((output, branch.Root));
        }
    }

    private string OutputName(QuerySyntax query)
    {
        var name = query.Into ?? "output";
        if (name.Length > 100
            || !name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-'))
        {
            diagnostics.Add(SaqlErrors.BadOutputName, query.IntoPlace,
                $"[{name}] cannot be the name of an output: it has 1 to 100 ASCII letters, digits, _ or -.");
        }
        else if (name.Equals(Topics.DeadLetter, StringComparison.OrdinalIgnoreCase))
        {
            diagnostics.Add(SaqlErrors.BadOutputName, query.IntoPlace,
                $"[{name}] cannot be the name of an output: it is where lines and records that fail go.");
        }

        // The hub's own output has one name, however it is written.
        return name.Equals(Topics.Alerts, StringComparison.OrdinalIgnoreCase) ? Topics.Alerts : name;
    }

    private IReadOnlyList<Branch> BindQuery(QuerySyntax query, bool isStep)
    {
        var all = new List<Branch>();
        foreach (var select in query.Branches)
        {
            var branches = BindSelect(select, isStep);
            foreach (var branch in branches)
            {
                if (all.Count > 0 && !_builder.Size.IsOver) CheckUnion(all[0], branch, select.Place);
                all.Add(all.Count > 0 ? Renamed(branch, all[0]) : branch);
            }
        }

        return all;
    }

    private void CheckUnion(Branch first, Branch other, TextSpan place)
    {
        var expected = first.Names.Items.Select(item => item.Name ?? "*").ToList();
        var found = other.Names.Items.Select(item => item.Name ?? "*").ToList();
        if (expected.SequenceEqual(found, StringComparer.OrdinalIgnoreCase)) return;
        diagnostics.Add(SaqlErrors.UnionMismatch, place,
            $"The parts of UNION give different columns: ({string.Join(", ", expected)}) and " +
                $"({string.Join(", ", found)}).");
    }

    /// <summary>The columns of a UNION are called as in its first part.</summary>
    private static Branch Renamed(Branch branch, Branch first)
    {
        var names = first.Names.Items.Select(item => item.Name).ToList();
        var items = branch.Names.Items.ToList();
        if (names.Count != items.Count) return branch;
        var renamed = items.Select((item, i) => item with { Name = item.Name is null ? null : names[i] ?? item.Name });
        return branch with { Names = new StepNames([.. renamed], branch.Names.BehindStar) };
    }

    private List<Branch> BindSelect(SelectSyntax select, bool isStep)
    {
        if (select.From is not { } from) return [];
        var scopes = Scopes(from, select.Place);
        if (scopes.Count == 0) return [];
        var isGrouped = select.GroupBy is not null || UsesAggregate(select);
        if (isGrouped)
        {
            var groups = BindGrouped(select, from, scopes, isStep);
            return select.IsDistinct && groups.Count > 0
                ? [BindDistinct(select, scopes, groups, isPartitioned: false)]
                : groups;
        }

        var isPartitioned = scopes.Select(scope => CheckPartitionBy(from, scope)).ToList().All(is_ => is_);
        List<Branch> rows = [.. scopes.Select(scope => BindPlain(select, scope, isStep))];
        return select.IsDistinct ? [BindDistinct(select, scopes, rows, isPartitioned)] : rows;
    }

    private Branch BindPlain(SelectSyntax select, RowScope scope, bool isStep)
    {
        var filters = scope.Branch.Filters.ToList();
        foreach (var condition in new[] { select.Where, select.Having })
        {
            if (condition is null) continue;
            var place = condition == select.Where ? "WHERE; filter by it in HAVING" : "HAVING without GROUP BY";
            var filter = new RowBinder(scope, diagnostics, place).BindFilter(condition);
            filters.Add(isStep ? _builder.Memo(filter, condition.Place) : filter);
        }

        var binder = new RowBinder(scope, diagnostics, "a SELECT without GROUP BY");
        var items = BindItems(select, binder, scope, isStep, grouped: false, out var hasStar);
        return new Branch(scope.Branch.Root, [.. filters], new StepNames(items, hasStar ? scope.Branch.Names : null));
    }

    private List<ColumnItem> BindItems(
        SelectSyntax select, ExpressionBinder binder, RowScope scope, bool isStep, bool grouped, out bool hasStar)
    {
        hasStar = false;
        var items = new ColumnList();
        var ordinal = 0;
        foreach (var item in select.Items)
        {
            ordinal++;
            if (!item.Star)
            {
                var value = binder.Bind(item.Expression!);
                if (isStep && value is not (SlotExpr or ConstantExpr or TimestampExpr))
                    value = _builder.Memo(value, item.Place);
                AddNamed(items, item.Alias ?? ColumnName(item.Expression!, ordinal, items), value, item);
                continue;
            }

            if (grouped)
            {
                diagnostics.Add(SaqlErrors.MisplacedStar, item.Place,
                    "* cannot stand in a SELECT with GROUP BY; name the grouped columns and aggregates.");
                continue;
            }

            hasStar |= AddStar(items, item, binder, scope);
        }

        if (hasStar) _builder.Size.AllowsDepth(scope.Branch.Names.StarDepth, select.Place);
        return items.Items;
    }

    /// <summary>True when all columns of the only source are taken over.</summary>
    private bool AddStar(ColumnList items, SelectItemSyntax item, ExpressionBinder binder, RowScope scope)
    {
        if (item.Expression is NameSyntax path && !scope.IsSource(path))
        {
            items.TryAdd(new ColumnItem(null, binder.Bind(path)));
            return false;
        }

        if (item.Expression is null && scope.Sources.Count > 1 && !scope.AllowsStar)
        {
            diagnostics.Add(SaqlErrors.MisplacedStar, item.Place, "* cannot stand in a SELECT with JOIN; " +
                $"write {string.Join(", ", scope.SourceNames.Select(name => $"{name}.*"))}.");
            return false;
        }

        var named = item.Expression is NameSyntax name ? scope.SourceNamed(name) : null;
        IEnumerable<ScopeSource> sources = named is null ? scope.Sources : [named];
        foreach (var given in sources.SelectMany(source => named is null ? source.Names.StarItems : source.Names.Items))
        {
            if (!_builder.Size.TryAddColumn(item.Place)) return false;
            items.TryAdd(given);
        }

        return scope.Sources.Count == 1;
    }

    private void AddNamed(ColumnList items, string name, Expr value, SelectItemSyntax item)
    {
        if (items.TryAdd(new ColumnItem(name, value))) return;
        diagnostics.Add(SaqlErrors.DuplicateName, item.Place,
            $"There is a column {name} to the left of this one; give one of them another name with AS.");
    }

    private static string ColumnName(ExpressionSyntax expression, int ordinal, ColumnList items)
    {
        var name = expression switch
        {
            NameSyntax path => path.Parts[^1].Text,
            MemberSyntax member => member.Parts[^1].Text,
            CallSyntax call when call.Is("System.Timestamp") => "Timestamp",
            CallSyntax call => call.Name.ToUpperInvariant(),
            OverSyntax over => over.Call.Name.ToUpperInvariant(),
            _ => $"Column{ordinal}",
        };
        return expression is NameSyntax || !items.Has(name) ? name : $"Column{ordinal}";
    }
}
