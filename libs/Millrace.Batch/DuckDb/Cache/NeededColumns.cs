namespace Millrace.Batch.DuckDb.Cache;

/// <summary>Which columns of its files a statement reads, from the engine's own plan of it.</summary>
internal static class NeededColumns
{
    /// <summary>
    /// Whether a column is needed. One that is read is named in the plan; one that is only named there costs some bytes
    /// and no more.
    /// </summary>
    public static Func<string, bool> Of(DuckDbSession session, BatchQuery query)
    {
        var plan = Plan(session, query);
        return name => plan.Contains(name, StringComparison.OrdinalIgnoreCase);
    }

    private static string Plan(DuckDbSession session, BatchQuery query)
    {
        using var command = session.Command($"EXPLAIN (FORMAT JSON) {query.Sql}", query.Parameters);
        using var reader = command.ExecuteReader();
        var text = "";
        while (reader.Read()) text += reader.GetString(1);
        return text;
    }
}
