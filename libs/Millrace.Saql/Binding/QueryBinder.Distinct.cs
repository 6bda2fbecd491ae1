using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>
/// SELECT DISTINCT: of the rows of one timestamp that are equal in all columns one stays. It is a snapshot window that
/// groups by the columns: no row is kept longer than until the watermark passes it.
/// </summary>
internal sealed partial class QueryBinder
{
    private Branch BindDistinct(
        SelectSyntax select, List<RowScope> scopes, IReadOnlyList<Branch> branches, bool isPartitioned)
    {
        var columns = branches.Min(branch => branch.Names.Items.Count());
        var keys = branches.Select(branch => KeysOf(branch, columns, isPartitioned)).ToList();
        var items = branches[0].Names.Items.Take(columns)
            .Select((item, i) => item with { Value = KeySlot(i, keys) }).ToList();
        CheckSubstreams(branches.Select(branch => branch.Root), TextsOf(
            select.Items.Where(item => !item.Star).Select(item => item.Expression!), scopes[0]),
            "SELECT DISTINCT", select.Place);
        var window = new WindowPlan(new WindowSpec(null, 0, 0, 0))
        {
            KeyTexts = [.. items.Select(item => item.Name ?? "*")],
            IsPartitionLocal = keys.All(values => values.Any(key => key.SeparatesPartitions)),
        };
        window.Complete(keys[0].Length, 0, [], []);
        foreach (var (branch, values) in branches.Zip(keys))
        {
            var inlet = new WindowInlet(window, branch.Filters, values, [], []);
            window.Sources.Add(inlet);
            branch.Root.Inlets.Add(inlet);
        }

        _builder.Add(window);
        return new Branch(window, [], new StepNames(items, null));
    }

    private static Expr[] KeysOf(Branch branch, int columns, bool isPartitioned)
    {
        var values = branch.Names.Items.Take(columns).Select(item => item.Value);
        return [.. isPartitioned ? values.Append(new PartitionExpr()) : values];
    }
}
