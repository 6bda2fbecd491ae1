namespace Millrace.Saql.Parsing;

/// <summary>MATCH_RECOGNIZE ( ... ) AS alias.</summary>
internal sealed record MatchSyntax(TextSpan Place)
{
    public CallSyntax? Limit { get; set; }

    public IReadOnlyList<ExpressionSyntax> PartitionBy { get; set; } = [];

    public List<(ExpressionSyntax Value, string Name, TextSpan Place)> Measures { get; } = [];

    public PatternSyntax? Pattern { get; set; }

    public List<(string Name, TextSpan Place, ExpressionSyntax Condition)> Defines { get; } = [];

    public string? Alias { get; set; }

    /// <summary>Something in it could not be read, and was told.</summary>
    public bool IsBroken { get; set; }
}

/// <summary>A part of PATTERN: a regular expression over variables.</summary>
internal abstract record PatternSyntax(TextSpan Place)
{
    /// <summary>It may match no row at all.</summary>
    public abstract bool IsNullable { get; }
}

/// <param name="Name">A variable; "." is any row.</param>
internal sealed record PatternVariable(TextSpan Place, string Name) : PatternSyntax(Place)
{
    public override bool IsNullable => false;
}

internal sealed record PatternSequence(TextSpan Place, IReadOnlyList<PatternSyntax> Parts) : PatternSyntax(Place)
{
    public override bool IsNullable => Parts.All(part => part.IsNullable);
}

internal sealed record PatternChoice(TextSpan Place, IReadOnlyList<PatternSyntax> Parts) : PatternSyntax(Place)
{
    public override bool IsNullable => Parts.Any(part => part.IsNullable);
}

/// <param name="Sign">*, + or ?.</param>
internal sealed record PatternRepeat(TextSpan Place, PatternSyntax Part, char Sign) : PatternSyntax(Place)
{
    public override bool IsNullable => Sign != '+' || Part.IsNullable;
}
