using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

internal sealed partial class QueryBinder
{
    private readonly Dictionary<string, TableSyntax> _tables = new(StringComparer.OrdinalIgnoreCase);

    private void BindTable(TableSyntax table)
    {
        if (!_tables.TryAdd(table.Name, table))
            diagnostics.Add(SaqlErrors.DuplicateName, table.Place, $"There is a table {table.Name} before this one.");
        foreach (var column in table.Columns.GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase))
        {
            if (column.Count() > 1)
                diagnostics.Add(SaqlErrors.DuplicateName, table.Place, $"There are two columns {column.Key}.");
        }
    }

    /// <summary>Types that nothing is read with would be taken for checked.</summary>
    private void CheckTable(TableSyntax table)
    {
        if (_inputs.ContainsKey(table.Name)) return;
        var isReference = references.Contains(table.Name, StringComparer.OrdinalIgnoreCase);
        diagnostics.Add(SaqlErrors.UnknownInput, table.Place, isReference
            ? $"{table.Name} is reference data, which has the types of its entries; CREATE TABLE is for streams."
            : $"No SELECT reads an input {table.Name}.{Suggestions.For(table.Name, _inputs.Keys)}");
    }

    /// <summary>The sources of a SELECT: one scope for each branch.</summary>
    /// <param name="select">The SELECT, which is bound once for each of them.</param>
    private List<RowScope> Scopes(FromSyntax from, TextSpan select)
    {
        var scopes = FirstScopes(from, select);
        if (from.Match is not null && scopes.Count > 0) scopes = BindMatch(scopes, from.Match);
        foreach (var join in from.Joins)
        {
            if (scopes.Count == 0) return [];
            scopes = join switch
            {
                ApplySyntax apply => BindApply(scopes, apply),
                SourceJoinSyntax one when EntriesOf(one.Source) is { } entries => BindReference(scopes, one, entries),
                _ => BindJoin(scopes, (SourceJoinSyntax)join),
            };
        }

        return scopes;
    }

    /// <param name="reader">What is bound once for each of them.</param>
    private List<RowScope> FirstScopes(FromSyntax from, TextSpan reader)
    {
        var source = Source(from);
        if (!_builder.Size.TryAdd(source.Branches.Count, reader)) return [];
        string[] qualifiers = from.Alias is null ? [source.Name] : [from.Alias, source.Name];
        return [.. source.Branches.Select(branch => new RowScope(
            branch, [new ScopeSource(qualifiers, branch.Names)], from.Place, _builder))];
    }

    private Relation Source(FromSyntax from)
    {
        if (from.Query is null && EntriesOf(from)?.Reference is { } reference)
        {
            diagnostics.Add(SaqlErrors.UnknownInput, from.Place,
                $"{reference} is reference data; a stream is joined with it: FROM telemetry JOIN {reference} ON ...");
        }

        if (from.Query is not null || _steps.ContainsKey(from.Name))
        {
            if (from.TimestampBy is not null)
            {
                diagnostics.Add(SaqlErrors.MisplacedTimestampBy, from.TimestampBy.Place,
                    $"{(from.Query is null ? from.Name : "This")} is a step; TIMESTAMP BY belongs to the SELECT that " +
                        "reads the input.");
            }

            return from.Query is null
                ? _steps[from.Name]
                : new Relation(from.Alias ?? "the SELECT in FROM", BindQuery(from.Query, isStep: true));
        }

        var name = KnownInput(from);
        if (!_inputs.TryGetValue(name, out var input)) _inputs.Add(name, input = new InputPlan(name));
        var names = NamesOf(input);
        return new Relation(input.Name, [new Branch(Feed(from, input, names), [], names)]);
    }

    private string KnownInput(FromSyntax from)
    {
        var name = knownInputs?.FirstOrDefault(known => known.Equals(from.Name, StringComparison.OrdinalIgnoreCase));
        if (knownInputs is null || name is not null) return name ?? from.Name;
        var names = knownInputs.Concat(_steps.Keys).ToList();
        diagnostics.Add(SaqlErrors.UnknownInput, from.Place,
            $"There is no input or step {from.Name}; there is " +
                $"{Suggestions.List(names)}.{Suggestions.For(from.Name, names)}");
        return from.Name;
    }

    private RowNames NamesOf(InputPlan input)
    {
        var names = new InputNames(input);
        if (!_tables.TryGetValue(input.Name, out var table)) return names;
        var columns = new List<(string, Values.ValueKind)>();
        foreach (var column in table.Columns)
        {
            // One whose type is told to be none is a column all the same.
            columns.Add((column.Name, TypeNames.Find(column.TypeName, column.TypePlace, diagnostics)
                ?? Values.ValueKind.Text));
        }

        return new TableNames(names, columns);
    }

    private FeedPlan Feed(FromSyntax from, InputPlan input, RowNames names)
    {
        var qualifiers = from.Alias is null ? new[] { input.Name } : [from.Alias, input.Name];
        string[] over = [.. from.TimestampOver.Select(one => SyntaxText.Of(one, qualifiers))];
        var key = from.TimestampBy is null ? "" : SyntaxText.Of(from.TimestampBy, qualifiers);
        if (over.Length > 0) key += " OVER " + string.Join(", ", over);
        var feed = _feeds.Find(known => known.Input == input && known.TimestampKey == key);
        if (feed is not null) return feed;
        feed = new FeedPlan(_feeds.Count, input)
        {
            TimestampKey = key,
            TimestampText = from.TimestampBy is null ? "" : TimestampText(from),
            Checks = (names as TableNames)?.Checks ?? [],
        };
        _feeds.Add(feed);
        _placesOfFeeds.Add(from.Place);
        if (from.TimestampBy is null) return feed;
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
        feed.Over = [.. from.TimestampOver.Select(new TimestampByBinder(scope, diagnostics).Bind)];
        feed.OverTexts = over;
        return feed;
    }

    /// <summary>Each input without OVER is told where it is read first.</summary>
    private void CheckOver()
    {
        if (_feeds.Find(feed => feed.Over.Count > 0) is not { } other) return;
        foreach (var (feed, place) in _feeds.Zip(_placesOfFeeds).Where(one => one.First.Over.Count == 0))
        {
            diagnostics.Add(SaqlErrors.OverNotOnAll, place,
                $"{feed.Input.Name} is read without TIMESTAMP BY ... OVER here, and {other.Input.Name} with " +
                $"TIMESTAMP BY {other.TimestampText}: either all inputs have OVER, or none.");
        }
    }

    private string TimestampText(FromSyntax from)
    {
        var over = string.Join(", ", from.TimestampOver.Select(key => diagnostics.LineOf(key.Place)));
        return diagnostics.LineOf(from.TimestampBy!.Place) + (over.Length == 0 ? "" : $" OVER {over}");
    }

    /// <summary>
    /// Only the log's own partitions part an answer. A key of another kind says that rows of different keys never meet,
    /// which grouping and joins say themselves.
    /// </summary>
    private bool CheckPartitionBy(FromSyntax from, RowScope scope)
    {
        if (from.PartitionBy is null) return false;
        var isPartitionId = from.PartitionBy is NameSyntax name &&
            scope.Path(name) is [var only] && only.Equals("PartitionId", StringComparison.OrdinalIgnoreCase);
        if (!isPartitionId)
        {
            new RowBinder(scope, diagnostics, "PARTITION BY").Bind(from.PartitionBy);
            return false;
        }

        if (scope.Branch.Root is not OperatorPlan { IsPartitionLocal: false }) return true;
        diagnostics.Add(SaqlErrors.Unexpected, from.PartitionBy.Place,
            $"{from.Name} is computed over all partitions; write PARTITION BY PartitionId there too.");
        return false;
    }
}
