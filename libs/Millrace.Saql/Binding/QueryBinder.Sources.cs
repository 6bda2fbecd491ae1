using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

internal sealed partial class QueryBinder
{
    /// <summary>The source of a SELECT: one scope for each branch.</summary>
    private List<RowScope> Scopes(FromSyntax from)
    {
        var source = Source(from);
        var qualifiers = from.Alias is null ? new[] { source.Name } : [from.Alias, source.Name];
        return [.. source.Branches.Select(branch => new RowScope(
            branch, [new ScopeSource(qualifiers, branch.Names)], from.Place, _builder))];
    }

    private Relation Source(FromSyntax from)
    {
        if (_steps.TryGetValue(from.Name, out var step))
        {
            if (from.TimestampBy is not null)
            {
                diagnostics.Add(SaqlErrors.MisplacedTimestampBy, from.TimestampBy.Place,
                    $"{from.Name} is a step; TIMESTAMP BY belongs to the SELECT that reads the input.");
            }

            return step;
        }

        var name = knownInputs?.FirstOrDefault(known => known.Equals(from.Name, StringComparison.OrdinalIgnoreCase));
        if (knownInputs is not null && name is null)
        {
            var names = knownInputs.Concat(_steps.Keys).ToList();
            diagnostics.Add(SaqlErrors.UnknownInput, from.Place,
                $"There is no input or step {from.Name}; there is " +
                    $"{Suggestions.List(names)}.{Suggestions.For(from.Name, names)}");
        }

        if (!_inputs.TryGetValue(name ?? from.Name, out var input))
        {
            input = new InputPlan(name ?? from.Name);
            _inputs.Add(input.Name, input);
        }

        return new Relation(input.Name, [new Branch(Feed(from, input), [], new InputNames(input))]);
    }

    private FeedPlan Feed(FromSyntax from, InputPlan input)
    {
        var qualifiers = from.Alias is null ? new[] { input.Name } : [from.Alias, input.Name];
        var key = from.TimestampBy is null ? "" : SyntaxText.Of(from.TimestampBy, qualifiers);
        var feed = _feeds.Find(known => known.Input == input && known.TimestampKey == key);
        if (feed is not null) return feed;
        feed = new FeedPlan(_feeds.Count, input) { TimestampKey = key };
        _feeds.Add(feed);
        if (from.TimestampBy is null) return feed;
        var names = new InputNames(input);
        var scope = new RowScope(new Branch(feed, [], names), [new ScopeSource(qualifiers, names)], from.Place,
            _builder);
        var time = new TimestampByBinder(scope, diagnostics).Bind(from.TimestampBy);
        if (time.Type is { } type && type is not (Values.ValueKind.DateTime or Values.ValueKind.Text))
        {
            diagnostics.Add(SaqlErrors.TypeMismatch, from.TimestampBy.Place,
                $"TIMESTAMP BY needs a datetime or its ISO 8601 text; found a {Values.ValueKinds.Name(type)}. " +
                "Unix time: DATEADD(millisecond, x, '1970-01-01T00:00:00Z').");
        }

        feed.TimestampBy = time;
        return feed;
    }

    /// <summary>Only the log's own partitions can part a query.</summary>
    private bool CheckPartitionBy(FromSyntax from, RowScope scope)
    {
        if (from.PartitionBy is null) return false;
        var isPartitionId = from.PartitionBy is NameSyntax name &&
            scope.Path(name) is [var only] && only.Equals("PartitionId", StringComparison.OrdinalIgnoreCase);
        if (!isPartitionId)
        {
            if (from.PartitionBy is not BadSyntax)
                diagnostics.Add(SaqlErrors.NotSupportedYet, from.PartitionBy.Place,
                    "Not supported yet: PARTITION BY anything but PartitionId.");
            return false;
        }

        if (scope.Branch.Root is not OperatorPlan { IsPartitionLocal: false }) return true;
        diagnostics.Add(SaqlErrors.Unexpected, from.PartitionBy.Place,
            $"{from.Name} is computed over all partitions; write PARTITION BY PartitionId there too.");
        return false;
    }
}
