namespace Millrace.Archiver.Rewriting;

/// <summary>The columns that rows of a query's output have.</summary>
internal sealed class OutputRows(RowSet rows)
{
    public RowSet All { get; } = rows;

    public TextColumn RowId { get; } = rows.Text("row_id");

    public TextColumn Query { get; } = rows.Text("query");

    public ValueColumn<int> Version { get; } = rows.Value<int>("version");

    public ValueColumn<long> At { get; } = rows.Value<long>("at");

    public TextColumn Body { get; } = rows.Text("body");
}
