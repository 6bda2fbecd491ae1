using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>One SELECT that writes rows of one root to an output.</summary>
/// <param name="Output">Index of the output.</param>
/// <param name="Row">Tells rows of one origin within one output apart; goes into their identity.</param>
internal sealed record OutputPlan(int Output, int Row, Expr[] Filters, OutputColumn[] Columns) : IReader
{
    public IEnumerable<Expr> Taken => Columns.SelectMany(column => column.Parts);
}

/// <param name="Name">Null for a star: the record's members become columns.</param>
/// <param name="Hidden">For a star: names that columns to its left have taken.</param>
/// <param name="Stars">Stars to the left: what they give wins over this column.</param>
internal sealed record OutputColumn(
    string? Name, Expr Value, IReadOnlyList<string> Hidden, IReadOnlyList<Expr> Stars)
{
    public IReadOnlyList<Expr> Parts => [Value, .. Stars];
}
