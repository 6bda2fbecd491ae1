using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// Steps that are no more than <c>SELECT * FROM input PARTITION BY key</c>: an input whose partitions a script chooses.
/// Its events have times of their own, so TIMESTAMP BY may stand where such a step is read, and then the input is read
/// there.
/// </summary>
internal sealed class RepartitionedInputs
{
    /// <summary>What each step of the kind reads.</summary>
    private readonly Dictionary<string, FromSyntax> _inputs = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _steps = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _readAsInput = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _readAsStep = new(StringComparer.OrdinalIgnoreCase);

    private RepartitionedInputs()
    {
    }

    /// <summary>The script without steps that are read as inputs everywhere.</summary>
    public static ScriptSyntax Resolve(ScriptSyntax script)
    {
        var inputs = new RepartitionedInputs();
        var steps = script.Steps.Select(inputs.Resolve).ToList();
        var queries = script.Queries.Select(inputs.Resolve).ToList();
        var kept = steps.Where(step => !inputs._readAsInput.Contains(step.Name) ||
            inputs._readAsStep.Contains(step.Name));
        return script with { Steps = [.. kept], Queries = queries };
    }

    private StepSyntax Resolve(StepSyntax step)
    {
        var isFirst = _steps.Add(step.Name);
        if (isFirst && InputOf(step.Query) is { } input) _inputs.Add(step.Name, input);
        return step with { Query = Resolve(step.Query) };
    }

    private FromSyntax? InputOf(QuerySyntax query) =>
        query.Branches is [{ IsDistinct: false, Where: null, GroupBy: null, Having: null } select]
            && select.Items is [{ Star: true, Expression: null }]
            && select.From is { Query: null, TimestampBy: null, PartitionBy: not null, Match: null, Joins: [] } from
            && !_steps.Contains(from.Name)
            ? from
            : null;

    private QuerySyntax Resolve(QuerySyntax query) => query with
    {
        Branches = [.. query.Branches.Select(select => select.From is null
            ? select
            : select with { From = Resolve(select.From) })],
    };

    private FromSyntax Resolve(FromSyntax source)
    {
        var read = source with
        {
            Query = source.Query is null ? null : Resolve(source.Query),
            Joins = [.. source.Joins.Select(join => join is SourceJoinSyntax other
                ? other with { Source = Resolve(other.Source) }
                : join)],
        };
        if (source.Query is not null || !_inputs.TryGetValue(source.Name, out var input)) return read;
        (source.TimestampBy is null ? _readAsStep : _readAsInput).Add(source.Name);
        return source.TimestampBy is null ? read : read with { Name = input.Name, Alias = source.Alias ?? source.Name };
    }
}
