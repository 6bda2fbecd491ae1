using System.Collections.Concurrent;
using Millrace.Models.Registry;
using Millrace.Primitives;
using Millrace.Saql.Models;

namespace Millrace.Models.Scoring;

/// <summary>Scorers of versions; a version that several score with is in memory once.</summary>
public sealed class ModelScorers(ModelRegistry registry)
{
    private readonly ConcurrentDictionary<(string Name, int Version), WeakReference<ILoadedModel>> _loaded = [];

    /// <summary>A scorer of the version, for one caller.</summary>
    public async Task<IModelScorer> OpenAsync(string name, int version, CancellationToken ct)
    {
        if (_loaded.TryGetValue((name, version), out var known) && known.TryGetTarget(out var model))
            return model.CreateScorer();
        var manifest = await registry.GetAsync(name, version, ct).ConfigureAwait(false);
        var content = await registry.ContentAsync(manifest, ct).ConfigureAwait(false);
        model = LoadedModel.Of(manifest, content);
        _loaded[(name, version)] = new WeakReference<ILoadedModel>(model);
        return model.CreateScorer();
    }

    /// <summary>The version that counts now; MO-0002 when none was promoted.</summary>
    public async Task<int> PromotedAsync(string name, CancellationToken ct) =>
        (await registry.PromotedAsync(name, ct).ConfigureAwait(false))?.Version
            ?? throw ModelErrors.Unknown.With(name, "No version of it is promoted.").AsException();

    /// <summary>What queries may call.</summary>
    public async Task<IReadOnlyCollection<QueryModel>> CallableAsync(CancellationToken ct) =>
    [
        .. (await registry.ListAsync(ct).ConfigureAwait(false)).Where(model => model.Promoted is not null)
            .Select(model => new QueryModel(model.Name, [.. model.Newest.Features.Select(one => one.Name)])),
    ];

    /// <summary>MO-0007 when the content cannot score.</summary>
    public static void Check(ModelDraft draft, byte[] content)
    {
        try
        {
            LoadedModel.Of(new ModelManifest(draft.Name, 0, draft.Kind, draft.Format, draft.Features, draft.Metrics,
                draft.By, draft.Source, draft.Output, default, new ModelContent("", content.Length, "")), content);
        }
        catch (MillraceException e) when (e.Error.Definition == ModelErrors.ContentDamaged)
        {
            throw ModelErrors.ShapeUnfit.With(draft.Name, e.Error.Detail).AsException(e);
        }
    }
}
