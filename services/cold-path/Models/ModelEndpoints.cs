using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Millrace.ColdPath.Api;
using Millrace.Hosting.Http;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;
using Millrace.Saql.Models;
using Millrace.Stores.Audit;

namespace Millrace.ColdPath.Models;

/// <summary>The model registry over HTTP: all who may read see it; changing it needs the right to operate.</summary>
internal sealed class ModelEndpoints(
    ModelRegistry registry, ModelUploads uploads, ModelRetention retention, IAuditStore audit, TimeProvider time,
    ILogger<ModelEndpoints> log)
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var models = endpoints.MapGroup("/api/v1/models").WithTags("Models").RequireAuthorization(ApiScopes.Read);
        models.MapGet("", (ModelEndpoints all, CancellationToken ct) => all.AnswerAsync(async () =>
                new ModelList(await all.Registry.ListAsync(ct).ConfigureAwait(false))))
            .WithName("listModels").WithSummary("The models that there are").Produces<ModelList>();
        models.MapGet("/{name}", (string name, ModelEndpoints all, CancellationToken ct) =>
                all.AnswerAsync(() => all.ShowAsync(name, ct)))
            .WithName("getModel").WithSummary("A model with its versions and promotions")
            .Produces<ModelInfo>().ProducesProblem(404);
        models.MapGet("/{name}/compare", (
                string name, int left, int right, ModelEndpoints all, CancellationToken ct) =>
                all.AnswerAsync(() => all.CompareAsync(name, left, right, ct)))
            .WithName("compareModels").WithSummary("The metrics of two versions side by side")
            .Produces<ModelComparison>().ProducesProblem(404);
        models.MapGet("/{name}/versions/{version}/file",
                (string name, int version, ModelEndpoints all, CancellationToken ct) =>
                    all.FileAsync(name, version, ct))
            .WithName("exportModel").WithSummary("A version as a file, for queries over files")
            .Produces(200, contentType: "application/zip").ProducesProblem(404);
        MapChanges(models);
    }

    private static void MapChanges(RouteGroupBuilder models)
    {
        var changes = models.MapGroup("").RequireAuthorization(ApiScopes.Operate);
        changes.MapPost("/{name}/versions", (string name, HttpContext context, ModelEndpoints all) =>
                all.AnswerAsync(() => all.RegisterAsync(name, context)))
            .WithName("registerModel").WithSummary("Register an ONNX model, the body, as a new version")
            .Accepts<byte[]>("application/octet-stream").Produces<ModelManifest>().ProducesProblem(400);
        changes.MapPost("/{name}/promote", (string name, ModelPromoteRequest request, HttpContext context,
                ModelEndpoints all) => all.AnswerAsync(() => all.ChangeAsync("promote", name, context,
                    by => all.Registry.PromoteAsync(name, request.Version, by, context.RequestAborted))))
            .WithName("promoteModel").WithSummary("Make a version the one that queries use")
            .Produces<ModelPromotion>().ProducesProblem(404).ProducesProblem(409);
        changes.MapPost("/{name}/rollback", (string name, HttpContext context, ModelEndpoints all) =>
                all.AnswerAsync(() => all.ChangeAsync("rollback", name, context,
                    by => all.Registry.RollbackAsync(name, by, context.RequestAborted))))
            .WithName("rollbackModel").WithSummary("Go back to the version that was promoted before")
            .Produces<ModelPromotion>().ProducesProblem(404).ProducesProblem(409);
    }

    private ModelRegistry Registry => registry;

    private Task<IResult> AnswerAsync<T>(Func<Task<T>> work) =>
        ColdProblems.GuardAsync(async () => Results.Ok(await work().ConfigureAwait(false)));

    private async Task<ModelInfo> ShowAsync(string name, CancellationToken ct)
    {
        var versions = await registry.VersionsAsync(name, ct).ConfigureAwait(false);
        var promotions = await registry.PromotionsAsync(name, ct).ConfigureAwait(false);
        var call = new QueryModel(name, [.. versions[0].Features.Select(one => one.Name)]).Call;
        return new ModelInfo(name, call, promotions.Count == 0 ? null : promotions[^1].Version, versions, promotions);
    }

    private async Task<ModelComparison> CompareAsync(string name, int left, int right, CancellationToken ct)
    {
        var one = (await registry.GetAsync(name, left, ct).ConfigureAwait(false)).Metrics;
        var other = (await registry.GetAsync(name, right, ct).ConfigureAwait(false)).Metrics;
        return new ModelComparison(name, left, right,
        [
            .. one.Keys.Union(other.Keys).Order(StringComparer.Ordinal).Select(metric => new ModelMetric(
                metric, one.TryGetValue(metric, out var a) ? a : null,
                other.TryGetValue(metric, out var b) ? b : null)),
        ]);
    }

    private Task<IResult> FileAsync(string name, int version, CancellationToken ct) =>
        ColdProblems.GuardAsync(async () =>
        {
            var manifest = await registry.GetAsync(name, version, ct).ConfigureAwait(false);
            var content = await registry.ContentAsync(manifest, ct).ConfigureAwait(false);
            return Results.Bytes(ModelFile.Write(manifest, content), "application/zip");
        });

    private async Task<ModelManifest> RegisterAsync(string name, HttpContext context)
    {
        var by = Who(context);
        var (draft, content) = await uploads.ReadAsync(name, by, context).ConfigureAwait(false);
        var made = await registry.AddAsync(draft, content, context.RequestAborted).ConfigureAwait(false);
        await TellAsync("register", name, made.Version, by, context.RequestAborted).ConfigureAwait(false);
        await retention.PruneAsync(name, context.RequestAborted).ConfigureAwait(false);
        return made;
    }

    private async Task<ModelPromotion> ChangeAsync(
        string what, string name, HttpContext context, Func<string, Task<ModelPromotion>> change)
    {
        var by = Who(context);
        var made = await change(by).ConfigureAwait(false);
        await TellAsync(what, name, made.Version, by, context.RequestAborted).ConfigureAwait(false);
        return made;
    }

    private ValueTask TellAsync(string what, string name, int version, string by, CancellationToken ct)
    {
        log.ModelChanged(by, what, name, version);
        return audit.AddAsync(new AuditEntry(time.GetUtcNow(), by, $"model.{what}", name, $"version {version}"), ct);
    }

    private static string Who(HttpContext context) => context.User.Identity?.Name ?? "api";
}
