using Millrace.Stores.Queries;

namespace Millrace.Api.Queries;

/// <summary>Applies queries that the platform brings along.</summary>
public sealed class QueryApplier
{
    private readonly QueryCatalog _catalog;
    private readonly IQueryStore _store;

    internal QueryApplier(QueryCatalog catalog, IQueryStore store) => (_catalog, _store) = (catalog, store);

    /// <summary>Applies the query when there is none of that name; what a user made of it stays.</summary>
    public async Task EnsureAsync(string name, string text, CancellationToken ct = default)
    {
        if (await _store.FindAsync(name, ct) is null) await _catalog.ApplyAsync(new QueryRequest(text, name), ct);
    }
}
