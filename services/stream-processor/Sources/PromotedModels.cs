using Microsoft.Extensions.Logging;
using Millrace.Models.Scoring;
using Millrace.Primitives;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Sources;

/// <summary>Gives engines the versions of the models that their queries score with.</summary>
internal sealed class PromotedModels(ModelScorers models, ILogger<PromotedModels> log)
{
    /// <summary>The versions that the engine's state names, whatever is promoted meanwhile.</summary>
    public async Task RestoreAsync(QueryEngine engine, CancellationToken ct)
    {
        foreach (var (name, version) in engine.ModelVersions)
            if (version > 0) engine.SetModel(name, await models.OpenAsync(name, version, ct));
    }

    /// <summary>
    /// The versions that are promoted now; true when one is another than before. A promoted version that cannot be had
    /// leaves the one before, where there is one.
    /// </summary>
    public async Task<bool> RefreshAsync(QueryEngine engine, string query, int place, CancellationToken ct)
    {
        var isChanged = false;
        foreach (var (name, version) in engine.ModelVersions)
        {
            try
            {
                var promoted = await models.PromotedAsync(name, ct);
                if (promoted == version) continue;
                engine.SetModel(name, await models.OpenAsync(name, promoted, ct));
                log.ModelTaken(query, place, promoted, name);
                isChanged = true;
            }
            catch (MillraceException e) when (version > 0)
            {
                log.ModelNotTaken(query, place, version, name, e.Error.ToString());
            }
        }

        return isChanged;
    }
}
