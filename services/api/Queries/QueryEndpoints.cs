using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Outputs;
using Millrace.Stores.Queries;

namespace Millrace.Api.Queries;

/// <summary>Stream queries: apply, look at, pause, delete; and the rows of their outputs.</summary>
internal static class QueryEndpoints
{
    public static void MapQueries(this RouteGroupBuilder api)
    {
        var queries = api.MapGroup("/queries").WithTags("Queries");
        queries.MapPost("/", ApplyAsync).RequireAuthorization(ApiScopes.Operate).WithName("ApplyQuery")
            .WithSummary("Create a query, or replace the one of that name").Produces<QueryItem>();
        queries.MapPost("/validate", ValidateAsync).RequireAuthorization(ApiScopes.Read).WithName("ValidateQuery")
            .WithSummary("Compile a text without keeping it").Produces<QueryCheck>();
        queries.MapGet("/", ListAsync).RequireAuthorization(ApiScopes.Read).WithName("ListQueries")
            .WithSummary("All queries with their status").Produces<QueryList>();
        queries.MapGet("/{name}", ShowAsync).RequireAuthorization(ApiScopes.Read).WithName("ShowQuery")
            .WithSummary("One query with its text and status").Produces<QueryItem>();
        queries.MapGet("/{name}/explain", ExplainAsync).RequireAuthorization(ApiScopes.Read).WithName("ExplainQuery")
            .WithSummary("The query's plan as text").Produces<QueryExplained>();
        queries.MapPost("/{name}/pause", (string name, QueryCatalog catalog, CancellationToken ct) =>
                catalog.SetStateAsync(name, QueryState.Paused, ct))
            .RequireAuthorization(ApiScopes.Operate).WithName("PauseQuery").WithSummary("Stop a query at a checkpoint")
            .Produces(StatusCodes.Status204NoContent);
        queries.MapPost("/{name}/resume", (string name, QueryCatalog catalog, CancellationToken ct) =>
                catalog.SetStateAsync(name, QueryState.Running, ct))
            .RequireAuthorization(ApiScopes.Operate).WithName("ResumeQuery")
            .WithSummary("Go on from the checkpoint").Produces(StatusCodes.Status204NoContent);
        queries.MapDelete("/{name}", (string name, QueryCatalog catalog, CancellationToken ct) =>
                catalog.DeleteAsync(name, ct))
            .RequireAuthorization(ApiScopes.Operate).WithName("DeleteQuery")
            .WithSummary("Remove a query with its checkpoints; its rows stay").Produces(StatusCodes.Status204NoContent);
        api.MapGet("/outputs/{name}/rows", RowsAsync).RequireAuthorization(ApiScopes.Read).WithTags("Queries")
            .WithName("ListOutputRows").WithSummary("Rows of a query output, newest first").Produces<OutputPage>();
    }

    private static async Task<QueryItem> ApplyAsync(
        QueryRequest request, QueryCatalog catalog, CancellationToken ct)
    {
        var query = await catalog.ApplyAsync(request, ct);
        return QueryItem.Of(query, null) with { Warnings = catalog.WarningsOf(query.Text) };
    }

    private static async Task<QueryCheck> ValidateAsync(
        QueryRequest request, QueryCatalog catalog, CancellationToken ct)
    {
        var result = await catalog.CompileAsync(request, ct);
        return new QueryCheck(
            result.Plan is not null, result.Diagnostics, result.Plan?.Inputs ?? [], result.Plan?.Outputs ?? []);
    }

    private static async Task<QueryList> ListAsync(IQueryStore store, QueryReader reader, CancellationToken ct)
    {
        var items = new List<QueryItem>();
        foreach (var query in await store.ListAsync(ct)) items.Add(await reader.ItemAsync(query, ct));
        return new QueryList(items);
    }

    private static async Task<QueryItem> ShowAsync(
        string name, IQueryStore store, QueryReader reader, QueryCatalog catalog, CancellationToken ct)
    {
        var query = await store.FindAsync(name, ct) ?? throw ApiErrors.NotFound.With(name).AsException();
        return await reader.ItemAsync(query, ct) with { Warnings = catalog.WarningsOf(query.Text) };
    }

    private static async Task<QueryExplained> ExplainAsync(
        string name, IQueryStore store, QueryExtensions extensions, CancellationToken ct)
    {
        var query = await store.FindAsync(name, ct) ?? throw ApiErrors.NotFound.With(name).AsException();
        var result = SaqlCompiler.Compile(query.Text, CompileOptions.Hub(extensions));
        return result.Plan is { } plan
            ? new QueryExplained(name, query.Version, plan.Explain(), result.Diagnostics)
            : new QueryExplained(name, query.Version,
                $"The stored text no longer compiles.\n{string.Join('\n', result.Diagnostics)}", []);
    }

    private static async Task<OutputPage> RowsAsync(
        string name, IOutputStore store, IOptions<ApiOptions> options, CancellationToken ct,
        DateTimeOffset? from = null, DateTimeOffset? to = null, int? limit = null, string? continuation = null)
    {
        var page = await store.QueryAsync(name, from, to, Limits.Page(limit, options.Value), continuation, ct);
        return new OutputPage([.. page.Items.Select(OutputItem.Of)], page.Continuation);
    }
}
