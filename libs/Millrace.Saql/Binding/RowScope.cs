using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>One of the sources that a SELECT names in FROM.</summary>
/// <param name="Qualifiers">Its alias and its name.</param>
internal sealed record ScopeSource(IReadOnlyList<string> Qualifiers, RowNames Names)
{
    /// <summary>How its columns come into the row of a join; null when there is none.</summary>
    public CarriedSide? Side { get; init; }

    /// <summary>The scopes of its rows before the join, one for each branch.</summary>
    public IReadOnlyList<RowScope> Before { get; init; } = [];

    /// <summary>How much later than this source's a row's time may be, in ticks.</summary>
    public long Lag { get; init; }

    /// <summary>Entries of reference data, which have neither times nor an order.</summary>
    public bool IsReference { get; init; }

    public bool Has(string qualifier) => Qualifiers.Contains(qualifier, StringComparer.OrdinalIgnoreCase);
}

/// <summary>The sources of one SELECT as its expressions see them.</summary>
internal sealed record RowScope(
    Branch Branch, IReadOnlyList<ScopeSource> Sources, TextSpan Place, PlanBuilder Builder)
{
    /// <summary>Whether * may stand for all sources, as it may with APPLY.</summary>
    public bool AllowsStar { get; init; }

    /// <summary>What may stand before a column and means nothing more: the names of the only source.</summary>
    public IReadOnlyList<string> Qualifiers => Sources.Count == 1 ? Sources[0].Qualifiers : [];

    /// <summary>The names that a source is called by, for messages.</summary>
    public IEnumerable<string> SourceNames => Sources.Select(source => source.Qualifiers[0]);

    /// <summary>There is nothing but entries of reference data.</summary>
    public bool IsReference => Sources is [{ IsReference: true }];

    public bool IsSource(NameSyntax name) => SourceNamed(name) is not null;

    /// <summary>The source that the name as a whole is.</summary>
    public ScopeSource? SourceNamed(NameSyntax name) => name.Parts.Count == 1
        ? Sources.FirstOrDefault(source => source.Has(name.Parts[0].Text))
        : null;

    /// <summary>
    /// The source that stands before the column; the only one when none does; null when that is open.
    /// </summary>
    public ScopeSource? SourceOf(NameSyntax name)
    {
        if (name.Parts.Count > 1 && Sources.FirstOrDefault(one => one.Has(name.Parts[0].Text)) is { } named)
            return named;
        return Sources.Count == 1 ? Sources[0] : null;
    }

    public string[] Path(NameSyntax name)
    {
        var isQualified = name.Parts.Count > 1 && Sources.Any(source => source.Has(name.Parts[0].Text));
        return [.. name.Parts.Skip(isQualified ? 1 : 0).Select(part => part.Text)];
    }

    /// <summary>Whether TIMESTAMP BY takes the time from the column, which holds it as text.</summary>
    public bool IsTimestamp(NameSyntax name) => Branch.Root is FeedPlan { TimestampBy: { } time }
        && Resolve(name) is { } value && value.Type != ValueKind.DateTime && KeyLineage.IsSame(value, time);

    public Expr? Resolve(NameSyntax name) => SourceOf(name)?.Names.Resolve(Path(name));
}
